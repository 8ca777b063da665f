//! Certificates: the server's and the client's.

use mlfetch_conformance::Bytes;
use mlfetch_store::{Error, ErrorKind, Key, Options, StatRequest};

use crate::nginx::{Directory, open, variable};

/// Asks for a file at the server that this variable names.
async fn ask(variable_of_url: &str, options: &Options) -> Result<Option<u64>, Error> {
    let directory = Directory::with(&[(Key::from("a.txt"), Bytes::from("a"))]).expect("a file");
    let url = format!("{}/{}/a.txt", variable(variable_of_url), directory.name());
    let opened = open(&url, options).await?;
    Ok(opened.store.stat(&opened.key, StatRequest::new()).await?.size)
}

const TLS: &str = "MLFETCH_TEST_NGINX_TLS_URL";
const CLIENT_TLS: &str = "MLFETCH_TEST_NGINX_CLIENT_TLS_URL";

fn with_authority() -> Options {
    Options::new().with("http-ca-bundle", variable("MLFETCH_TEST_NGINX_CA"))
}

#[tokio::test]
async fn a_server_is_trusted_with_its_authority() {
    assert_eq!(ask(TLS, &with_authority()).await.expect("facts"), Some(1));
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not_trusted_and_the_hint_says_what_to_give() {
    let error = ask(TLS, &Options::new()).await.expect_err("not trusted");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("certificate authority")));
}

#[tokio::test]
async fn any_server_is_trusted_where_somebody_asked_for_it() {
    let options = Options::new().with("http-insecure-tls", "true");
    assert_eq!(ask(TLS, &options).await.expect("facts"), Some(1));
}

#[tokio::test]
async fn a_client_certificate_opens_what_wants_one() {
    let certificate = variable("MLFETCH_TEST_NGINX_CLIENT_CERT");
    let options = with_authority().with("http-client-certificate", certificate);
    assert_eq!(ask(CLIENT_TLS, &options).await.expect("facts"), Some(1));
}

#[tokio::test]
async fn without_a_client_certificate_the_error_says_what_is_missing() {
    let error = ask(CLIENT_TLS, &with_authority()).await.expect_err("not let in");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("client certificate")), "{error:?}");
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_named() {
    let plain = variable("MLFETCH_TEST_NGINX_URL").replace("http://", "https://");
    let opened = open(&format!("{plain}/a.txt"), &Options::new()).await.expect("a location");
    let error = opened.store.stat(&opened.key, StatRequest::new()).await.expect_err("no TLS");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("http://")), "{error:?}");
}

#[tokio::test]
async fn a_pem_file_that_is_none_is_named_before_any_request() {
    for option in ["http-ca-bundle", "http-client-certificate"] {
        for path in ["/nowhere.pem", file!()] {
            let options = Options::new().with(option, path);
            let error = open("https://localhost/", &options).await.expect_err("no PEM file");
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
            assert!(error.to_string().contains(path), "{error}");
        }
    }
}
