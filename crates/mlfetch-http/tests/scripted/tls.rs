//! TLS, with an authority that exists for one test.

use std::sync::Arc;

use mlfetch_http::{ClientConfig, HttpClient, HttpRequest};
use mlfetch_store::{Error, ErrorKind};
use rcgen::{CertificateParams, KeyPair};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::server::{Answer, Server, WebAnswer, WebServer};

/// What a server of this name presents, and the PEM file that makes it trusted.
fn certificate(name: &str) -> (TlsAcceptor, NamedTempFile) {
    let key = KeyPair::generate().expect("a key");
    let parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    let file = NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), certificate.pem()).expect("a PEM file");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("key and certificate belong together");
    (TlsAcceptor::from(Arc::new(config)), file)
}

async fn ask(server: &Server, trusted: Option<&NamedTempFile>) -> Result<String, Error> {
    let config = ClientConfig::new().with_ca_bundle(trusted.map(|file| file.path().to_owned()));
    let answer = HttpClient::new(&config)?.send(HttpRequest::get(server.at("/"))).await?;
    Ok(String::from_utf8_lossy(&answer.bytes(100).await?).into_owned())
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_refused() {
    let plain = Server::start(|_| Answer::ok("in plain text")).await;
    let target = plain.at("/x").to_string();
    let (acceptor, file) = certificate("localhost");
    let server = Server::start_tls(acceptor, move |_| Answer::redirect(302, &target)).await;
    let error = ask(&server, Some(&file)).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error:?}");
    assert!(plain.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_is_trusted_where_its_authority_is_given_and_nowhere_else() {
    let (acceptor, file) = certificate("localhost");
    let server = Server::start_tls(acceptor, |_| Answer::ok("secure")).await;
    assert_eq!(ask(&server, Some(&file)).await.expect("an answer"), "secure");
    let (_, other) = certificate("localhost");
    for trusted in [None, Some(&other)] {
        let error = ask(&server, trusted).await.expect_err("not trusted");
        assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("certificate authority")));
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_is_not_trusted() {
    let (acceptor, file) = certificate("elsewhere.example");
    let server = Server::start_tls(acceptor, |_| Answer::ok("secure")).await;
    let error = ask(&server, Some(&file)).await.expect_err("another name");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_body_that_tls_cuts_is_an_error() {
    let (acceptor, file) = certificate("localhost");
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort";
    let server = Server::start_tls(acceptor, move |_| Answer::raw(cut)).await;
    let error = ask(&server, Some(&file)).await.expect_err("cut");
    assert_eq!(error.kind(), ErrorKind::Network, "{error:?}");
}
