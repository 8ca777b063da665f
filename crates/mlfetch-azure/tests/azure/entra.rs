//! Tokens of Entra ID: from a scripted issuer, to a real Azurite that checks issuer, audience and time.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mlfetch_store::{Error, ErrorKind, Key, Options, ReadRequest, Retry};
use serde_json::json;

use crate::azurite::{Azurite, fresh_container};
use crate::server::{Answer, Request, Server};
use crate::support::{bytes, open_location};
use crate::tls::{acceptor, bundle};

const SECRET: &str = "s3cret-of-the-client";

/// A token that Azurite takes: it checks all but the signature.
fn token(audience: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let claims = json!({
        "aud": audience,
        "iss": "https://sts.windows.net/tenant/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 3600,
    });
    let encode = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}.sig", encode(json!({ "alg": "RS256", "typ": "JWT" })), encode(claims))
}

fn granted(token: &str) -> Answer {
    let body = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token });
    Answer::new("200 OK", &["Content-Type: application/json"], body.to_string())
}

/// An issuer, and a file with its authority and Azurite's.
struct Issuer {
    server: Server,
    bundle: tempfile::NamedTempFile,
}

impl Issuer {
    async fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let (acceptor, pem) = acceptor();
        let of_azurite = std::fs::read_to_string(Azurite::Tls.authority()).expect("a certificate");
        let server = Server::start_tls(acceptor, script).await;
        Self { server, bundle: bundle(&format!("{pem}{of_azurite}")) }
    }

    /// Settings of somebody in its tenant, whom nothing proves yet.
    fn options(&self) -> Options {
        Options::new()
            .with("azure-endpoint", Azurite::Tls.url())
            .with("azure-ca-bundle", self.bundle.path().to_str().expect("text"))
            .with("azure-authority-host", self.server.url())
            .with("azure-tenant-id", "tenant")
            .with("azure-client-id", "client")
    }
}

/// Reads a blob of Azurite with what the options give.
async fn read(options: &Options) -> Result<Vec<u8>, Error> {
    let container = fresh_container();
    Azurite::Tls.put(&container, &[(Key::from("a"), "bytes")]).expect("a blob");
    let opened = open_location(&format!("az://{container}/a"), options).await?;
    bytes(opened.store.read(&opened.key, ReadRequest::new()).await?).await
}

#[tokio::test]
async fn a_service_principal_with_a_secret_reads_and_the_token_is_asked_for_once() {
    let issuer = Issuer::start(|_| granted(&token("https://storage.azure.com"))).await;
    let options = issuer.options().with("azure-client-secret", SECRET);
    let container = fresh_container();
    Azurite::Tls.put(&container, &[(Key::from("a"), "bytes")]).expect("a blob");
    let opened = open_location(&format!("az://{container}/a"), &options).await.expect("a store");
    for _ in 0..3 {
        let object = opened.store.read(&opened.key, ReadRequest::new()).await.expect("an object");
        assert_eq!(bytes(object).await.expect("bytes"), b"bytes");
    }
    let identity = opened.store.identity();
    assert_eq!(identity.as_deref(), Some("service principal with a secret (client)"));
    let seen = issuer.server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].method.as_str(), seen[0].target.as_str()),
        ("POST", "/tenant/oauth2/v2.0/token")
    );
}

#[tokio::test]
async fn a_service_principal_with_a_certificate_reads() {
    let issuer = Issuer::start(|_| granted(&token("https://storage.azure.com"))).await;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
    let certificate = rcgen::CertificateParams::default().self_signed(&key).expect("a certificate");
    let pem = bundle(&format!("{}{}", certificate.pem(), key.serialize_pem()));
    let path = pem.path().to_str().expect("text");
    let options = issuer.options().with("azure-client-certificate", path);
    assert_eq!(read(&options).await.expect("bytes"), b"bytes");
}

#[tokio::test]
async fn a_workload_identity_reads() {
    let issuer = Issuer::start(|_| granted(&token("https://storage.azure.com"))).await;
    let file = bundle("a token of the cluster");
    let path = file.path().to_str().expect("text");
    let options = issuer.options().with("azure-federated-token-file", path);
    assert_eq!(read(&options).await.expect("bytes"), b"bytes");
}

#[tokio::test]
async fn a_token_that_the_service_does_not_take_is_told_so() {
    let issuer = Issuer::start(|_| granted(&token("https://vault.azure.net"))).await;
    let options = issuer.options().with("azure-client-secret", SECRET);
    let error = read(&options).await.expect_err("for something else");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    assert!(error.to_string().contains("the token is not accepted"), "{error}");
    assert!(!format!("{error:?}").contains("eyJ"), "{error:?}");
}

#[tokio::test]
async fn a_credential_that_somebody_set_up_and_that_is_refused_is_the_news() {
    let issuer = Issuer::start(|_| {
        let words = format!("AADSTS7000215: Invalid client secret {SECRET} provided.");
        let body = json!({ "error": "invalid_client", "error_description": words, "error_codes": [7_000_215] });
        Answer::new("401 Unauthorized", &["Content-Type: application/json"], body.to_string())
    })
    .await;
    let error = read(&issuer.options().with("azure-client-secret", SECRET)).await;
    let error = error.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    let text = format!("{error} {error:?}");
    assert!(text.contains("service principal with a secret"), "{text}");
    assert!(text.contains("AADSTS7000215") && !text.contains(SECRET), "{text}");
}

#[tokio::test]
async fn an_issuer_that_is_busy_is_asked_again_by_the_caller_alone() {
    let issuer = Issuer::start(|_| Answer::new("503 Busy", &["Retry-After: 3"], "")).await;
    let error = read(&issuer.options().with("azure-client-secret", SECRET)).await;
    let error = error.expect_err("busy");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert_eq!(error.retry(), Retry::After(std::time::Duration::from_secs(3)));
    assert_eq!(issuer.server.seen().len(), 1);
}

/// Runs in a process of its own: what stands in the environment of this one must not count.
#[tokio::test]
async fn when_nobody_is_signed_in_the_error_says_what_was_tried_and_why_each_was_passed_over() {
    let issuer = Issuer::start(|_| granted("unused")).await;
    let missing = PathBuf::from("/no/such/certificate.pem");
    let options = issuer
        .options()
        .with("azure-client-certificate", missing.to_str().expect("text"))
        .with_env(&[], |_| None);
    let error = read(&options).await.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    let text = error.to_string();
    let order = [
        "connection string (AZURE_STORAGE_CONNECTION_STRING): not set",
        "access key (AZURE_STORAGE_ACCESS_KEY): not set",
        "shared access signature (AZURE_STORAGE_SAS_TOKEN): not set",
        "service principal with a secret: AZURE_CLIENT_SECRET is not set",
        "service principal with a certificate: `/no/such/certificate.pem`",
        "workload identity: AZURE_FEDERATED_TOKEN_FILE is not set",
        "managed identity: ",
        "Azure CLI (`az login`): ",
        "Azure Developer CLI (`azd auth login`): ",
    ];
    let mut rest = text.as_str();
    for part in order {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("`{part}` in {text}"));
        rest = after;
    }
    assert!(issuer.server.seen().is_empty());
}
