//! Whose certificates are believed, and Azurite over HTTPS.

use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Key, Options, StatRequest};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::azurite::{Azurite, fresh_container};
use crate::server::{Answer, Server};
use crate::support::open_location;

/// What a server needs, and its certificate as PEM.
pub(crate) fn acceptor() -> (TlsAcceptor, String) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let signed = signed.expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(signed.signing_key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .expect("a certificate and its key");
    (TlsAcceptor::from(Arc::new(config)), signed.cert.pem())
}

/// A file that holds these certificates.
pub(crate) fn bundle(pem: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), pem).expect("written");
    file
}

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().expect("text")
}

async fn stat(endpoint: &str, options: Options) -> Result<Option<u64>, Error> {
    let options = options.with("azure-endpoint", endpoint);
    let opened = open_location("az://container/a", &options).await?;
    Ok(opened.store.stat(&opened.key, StatRequest::new()).await?.size)
}

async fn server() -> (Server, tempfile::NamedTempFile) {
    let (acceptor, pem) = acceptor();
    let headers = ["ETag: \"t\"", "x-ms-blob-type: BlockBlob"];
    let server = Server::start_tls(acceptor, move |_| Answer::head("200 OK", 7, &headers)).await;
    (server, bundle(&pem))
}

fn key() -> Options {
    Options::new().with("azure-access-key", crate::support::ACCESS_KEY)
}

#[tokio::test]
async fn a_server_is_believed_with_its_authority() {
    let (server, authority) = server().await;
    let options = key().with("azure-ca-bundle", path(&authority));
    let size = stat(&format!("{}/account", server.url()), options).await;
    assert_eq!(size.expect("facts"), Some(7));
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not_and_the_hint_says_what_to_give() {
    let (server, _authority) = server().await;
    let error = stat(&format!("{}/account", server.url()), key()).await;
    let error = error.expect_err("not believed");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("azure-ca-bundle")), "{error:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn any_server_is_believed_where_somebody_asked_for_it() {
    let (server, _authority) = server().await;
    let options = key().with("azure-insecure-tls", "true");
    let size = stat(&format!("{}/account", server.url()), options).await;
    assert_eq!(size.expect("facts"), Some(7));
}

#[tokio::test]
async fn azurite_is_asked_over_https_with_its_own_authority() {
    let container = fresh_container();
    Azurite::Tls.put(&container, &[(Key::from("a"), "bytes")]).expect("a blob");
    let options = Options::new()
        .with("azure-endpoint", Azurite::Tls.url())
        .with("azure-ca-bundle", Azurite::Tls.authority())
        .with("azure-access-key", Azurite::Tls.key());
    let opened = open_location(&format!("az://{container}/a"), &options).await.expect("a store");
    let info = opened.store.stat(&opened.key, StatRequest::new()).await.expect("facts");
    assert_eq!(info.size, Some(5));
}
