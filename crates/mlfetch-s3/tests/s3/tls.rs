//! Whose certificates are believed.

use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Options, StatRequest};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::server::{Answer, Server};
use crate::support::open_location;

/// A server with a certificate of its own, and that certificate as a PEM file.
async fn server() -> (Server, tempfile::NamedTempFile) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let signed = signed.expect("a certificate");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), signed.cert.pem()).expect("written");
    let key = PrivateKeyDer::Pkcs8(signed.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    (Server::start_tls(acceptor, |_| Answer::head("200 OK", 7, &["ETag: \"t\""])).await, file)
}

async fn ask(url: &str, options: Options) -> Result<Option<u64>, Error> {
    let opened = open_location("s3://bucket/a", &options.with("endpoint-url", url)).await?;
    Ok(opened.store.stat(&opened.key, StatRequest::new()).await?.size)
}

#[tokio::test]
async fn a_server_is_believed_with_its_authority() {
    let (server, authority) = server().await;
    let path = authority.path().to_str().expect("text");
    let size = ask(&server.url(), Options::new().with("s3-ca-bundle", path)).await;
    assert_eq!(size.expect("facts"), Some(7));
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not_and_the_hint_says_what_to_give() {
    let (server, _authority) = server().await;
    let error = ask(&server.url(), Options::new()).await.expect_err("not believed");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("s3-ca-bundle")), "{error:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn any_server_is_believed_where_somebody_asked_for_it() {
    let (server, _authority) = server().await;
    let size = ask(&server.url(), Options::new().with("s3-ignore-tls", "true")).await;
    assert_eq!(size.expect("facts"), Some(7));
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("written");
    });
    let error = ask(&url, Options::new()).await.expect_err("no TLS");
    server.await.expect("the server answered");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("http://")), "{error:?}");
}

#[tokio::test]
async fn a_pem_file_that_is_none_is_named_before_any_request() {
    for path in ["/nowhere.pem", file!()] {
        let options = Options::new().with("s3-ca-bundle", path);
        let error = ask("https://localhost", options).await.expect_err("no PEM file");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
        assert!(error.to_string().contains(path), "{error}");
    }
}
