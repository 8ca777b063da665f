//! Whose certificates are believed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// Whose certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Those of the platform's authorities.
    Platform,
    /// Those of the authorities in this PEM file.
    Bundle(PathBuf),
    /// Anybody's: somebody asked for it.
    Anybody,
    /// Nobody's: there will be plain HTTP only. Reading the platform's authorities takes longer
    /// than fetching a small file.
    Unused,
}

impl Tls {
    pub(super) fn config(&self) -> Result<ClientConfig> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(broken)?;
        Ok(match self {
            Self::Unused => {
                builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
            }
            Self::Bundle(path) => {
                builder.with_root_certificates(bundle(path)?).with_no_client_auth()
            }
            Self::Platform => {
                let verifier = Arc::new(Verifier::new(provider).map_err(broken)?);
                let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
                builder.with_no_client_auth()
            }
            Self::Anybody => {
                let verifier = Arc::new(AcceptAnybody(provider));
                let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
                builder.with_no_client_auth()
            }
        })
    }
}

fn broken(cause: rustls::Error) -> Error {
    Error::new(ErrorKind::Tls, "set up", "TLS").with_source(cause)
}

fn bundle(path: &Path) -> Result<RootCertStore> {
    let subject = || path.display().to_string();
    let unusable = || Error::new(ErrorKind::InvalidInput, "read the PEM file", subject());
    let pem = std::fs::read(path).map_err(|cause| {
        let message = cause.to_string();
        unusable().with_message(message).with_source(cause)
    })?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|cause| {
            unusable().with_message("a certificate in it cannot be read").with_source(cause)
        })?;
        // A bundle of many may hold an authority that is of no use; the others still are.
        let _ = store.add(certificate);
    }
    if store.is_empty() {
        return Err(unusable().with_message("it holds no certificate"));
    }
    Ok(store)
}

/// Believes every certificate. What is signed with it is checked all the same.
#[derive(Debug)]
struct AcceptAnybody(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
