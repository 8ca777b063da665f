//! A service principal that proves itself by a certificate: a token that it signs itself.
//!
//! `azure_identity` has this for OpenSSL only.

use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};
use azure_core::error::ErrorKind;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

/// How long such a token is good for.
const VALID_FOR: Duration = Duration::from_mins(10);

/// Signs for a service principal.
pub(crate) struct Certificate {
    client_id: String,
    /// The URL at which the token is presented.
    audience: String,
    thumbprint: String,
    key: RsaKeyPair,
}

impl Certificate {
    /// Reads certificate and key from one PEM file.
    ///
    /// # Errors
    /// Words that name the file and what is wrong with it.
    pub(crate) fn read(path: &Path, client_id: &str, audience: String) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{}`: {why}", path.display());
        let pem = std::fs::read(path).map_err(|cause| wrong(&cause.to_string()))?;
        let certificate = CertificateDer::from_pem_slice(&pem)
            .map_err(|_| wrong("it holds no certificate in PEM; PKCS #12 is not read"))?;
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| wrong("it holds no private key in PEM, or one with a password"))?;
        let key = match &key {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(wrong("its key is not one of RSA, which Entra ID wants")),
        };
        let key = key.map_err(|_| wrong("its key is not one of RSA, which Entra ID wants"))?;
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
        Ok(Self { client_id: client_id.to_owned(), audience, thumbprint, key })
    }

    /// A token for this moment (RFC 7519, RFC 7523).
    fn token(&self, now: SystemTime) -> Result<String, &'static str> {
        let random = SystemRandom::new();
        let mut id = [0; 16];
        rand::SecureRandom::fill(&random, &mut id).map_err(|_| "there is no randomness")?;
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": self.audience,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": URL_SAFE_NO_PAD.encode(id),
            "nbf": seconds,
            "exp": seconds + VALID_FOR.as_secs(),
        });
        let encoded = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature)
            .map_err(|_| "the key cannot sign")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The URL at which a tenant's tokens are given out.
pub(crate) fn token_url(authority: &str, tenant: &str) -> String {
    format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'))
}

#[async_trait]
impl ClientAssertion for Certificate {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let token = self.token(SystemTime::now());
        token.map_err(|why| azure_core::Error::with_message(ErrorKind::Credential, why))
    }
}

/// Without the key.
impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Certificate").field(&self.client_id).finish()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    const AUDIENCE: &str = "https://login.microsoftonline.com/tenant/oauth2/v2.0/token";

    fn read(pem: &str) -> Result<Certificate, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), pem).expect("written");
        Certificate::read(file.path(), "client", AUDIENCE.to_owned())
    }

    /// A certificate and its key.
    fn pem(kind: &'static rcgen::SignatureAlgorithm) -> [String; 2] {
        let key = rcgen::KeyPair::generate_for(kind).expect("a key");
        let certificate = rcgen::CertificateParams::default().self_signed(&key);
        [certificate.expect("a certificate").pem(), key.serialize_pem()]
    }

    #[test]
    fn the_token_is_signed_by_the_key_and_names_the_certificate() {
        let [certificate, key] = pem(&rcgen::PKCS_RSA_SHA256);
        let ours = read(&format!("{key}{certificate}")).expect("a certificate");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let token = ours.token(now).expect("a token");
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let (header, claims) = signed.split_once('.').expect("three parts");
        let decode = |part| URL_SAFE_NO_PAD.decode(part).expect("base64");
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, ours.key.public_key().as_ref())
            .verify(signed.as_bytes(), &decode(signature))
            .expect("the signature is right");
        let json = |part| serde_json::from_slice::<serde_json::Value>(&decode(part)).expect("JSON");
        let (header, claims) = (json(header), json(claims));
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &der));
        assert_eq!((&header["alg"], &header["x5t#S256"]), (&json!("PS256"), &json!(thumbprint)));
        assert_eq!(
            [&claims["aud"], &claims["iss"], &claims["sub"]],
            [AUDIENCE, "client", "client"]
        );
        assert_eq!([&claims["nbf"], &claims["exp"]], [1_000_000, 1_000_600]);
        assert_ne!(ours.token(now).expect("a token"), token);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let [certificate, key] = pem(&rcgen::PKCS_RSA_SHA256);
        let [_, other] = pem(&rcgen::PKCS_ECDSA_P256_SHA256);
        for (pem, words) in [
            (String::new(), "no certificate"),
            (key, "no certificate"),
            (certificate.clone(), "no private key"),
            (format!("{certificate}{other}"), "not one of RSA"),
        ] {
            let error = read(&pem).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
        let missing = Certificate::read(Path::new("/no/such.pem"), "client", String::new());
        assert!(missing.expect_err("no file").contains("/no/such.pem"));
    }
}
