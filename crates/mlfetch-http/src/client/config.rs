//! How connections are made.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mlfetch_store::{Error, ErrorKind, Gate, Result};

/// How connections are made: TLS, time to connect, name.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Accept any server certificate. Off unless somebody asked for it.
    pub insecure_tls: bool,
    /// A PEM file of certificate authorities to trust instead of the platform's.
    pub ca_bundle: Option<PathBuf>,
    /// A PEM file with a client certificate and its key.
    pub client_certificate: Option<PathBuf>,
    /// The time to establish a connection.
    pub connect_timeout: Duration,
    /// What stands in `User-Agent`.
    pub user_agent: String,
    /// Use the proxies that the environment names.
    pub proxies: bool,
    /// Asked for each place that a server sends us on to.
    pub gate: Option<Arc<dyn Gate>>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            insecure_tls: false,
            ca_bundle: None,
            client_certificate: None,
            connect_timeout: Duration::from_secs(5),
            user_agent: concat!("mlfetch/", env!("CARGO_PKG_VERSION")).to_owned(),
            proxies: true,
            gate: None,
        }
    }
}

impl ClientConfig {
    /// The platform's certificates, no client certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Accept any server certificate, or not.
    #[must_use]
    pub fn with_insecure_tls(mut self, insecure: bool) -> Self {
        self.insecure_tls = insecure;
        self
    }

    /// Trust the authorities in this PEM file instead of the platform's.
    #[must_use]
    pub fn with_ca_bundle(mut self, path: impl Into<Option<PathBuf>>) -> Self {
        self.ca_bundle = path.into();
        self
    }

    /// Present the certificate in this PEM file, which holds its key too.
    #[must_use]
    pub fn with_client_certificate(mut self, path: impl Into<Option<PathBuf>>) -> Self {
        self.client_certificate = path.into();
        self
    }

    /// With this time to establish a connection.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Use the proxies that the environment names, or none.
    #[must_use]
    pub fn with_proxies(mut self, proxies: bool) -> Self {
        self.proxies = proxies;
        self
    }

    /// With a gate for the places that servers send us on to; whoever sends the first request asks it
    /// for that place.
    #[must_use]
    pub fn with_gate(mut self, gate: impl Into<Option<Arc<dyn Gate>>>) -> Self {
        self.gate = gate.into();
        self
    }

    pub(super) fn build(&self) -> Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.connect_timeout)
            .user_agent(&self.user_agent)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(30));
        if !self.proxies {
            builder = builder.no_proxy();
        }
        if self.insecure_tls {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if let Some(path) = &self.ca_bundle {
            let pem = read_pem(path)?;
            let authorities = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|cause| bad_pem(path, "no certificate could be read from it", cause))?;
            if authorities.is_empty() {
                return Err(pem_error(path).with_message("it holds no certificate"));
            }
            builder = builder.tls_certs_only(authorities);
        }
        if let Some(path) = &self.client_certificate {
            let identity = reqwest::Identity::from_pem(&read_pem(path)?)
                .map_err(|cause| bad_pem(path, "it needs a certificate and its key", cause))?;
            builder = builder.identity(identity);
        }
        builder.build().map_err(|cause| {
            Error::new(ErrorKind::Tls, "set up", "the HTTP client").with_source(cause)
        })
    }
}

fn read_pem(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| {
        let message = cause.to_string();
        pem_error(path).with_message(message).with_source(cause)
    })
}

fn pem_error(path: &Path) -> Error {
    Error::new(ErrorKind::InvalidInput, "read the PEM file", path.display().to_string())
}

fn bad_pem(path: &Path, why: &'static str, cause: reqwest::Error) -> Error {
    pem_error(path).with_message(why).with_source(cause)
}
