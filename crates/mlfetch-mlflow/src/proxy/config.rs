//! What a proxy store is opened with.

use mlfetch_http::header::HeaderMap;
use mlfetch_http::{Credential, HttpClient, Url};
use mlfetch_store::Key;

use super::address::ProxyAddress;

/// How the bytes are to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transfer {
    /// Straight from the bucket where the server offers signed URLs and they can be reached from
    /// here, else through the server.
    #[default]
    Auto,
    /// Only by signed URLs.
    Presigned,
    /// Only through the server.
    Proxy,
}

/// A logged model whose files a store is asked for. MLflow 3.17 has a route for these which, on a
/// server that keeps its artifacts in S3, carries names that the proxy's own route does not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelFiles {
    /// The model's ID: `m-…`.
    pub model_id: String,
    /// The prefix of its files behind the proxy; ends in `/`.
    pub root: Key,
}

impl ModelFiles {
    /// The model with this ID, and the directory behind the proxy that holds its files.
    pub fn new(model_id: impl Into<String>, root: &Key) -> Self {
        Self { model_id: model_id.into(), root: root.to_prefix() }
    }
}

/// What a proxy store is opened with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProxyConfig {
    /// Which proxy.
    pub address: ProxyAddress,
    /// What sends the requests.
    pub client: HttpClient,
    /// Who is asking. It is dropped where the address is of another origin.
    pub credential: Option<Credential>,
    /// Headers for the tracking server, such as the workspace's. Dropped as the credential is.
    pub headers: HeaderMap,
    /// How the bytes are to come.
    pub transfer: Transfer,
    /// The logged model that is fetched, if it is one.
    pub model: Option<ModelFiles>,
    /// The run whose files are fetched by the routes of MLflow's web page; keys are then relative
    /// to its artifact root.
    pub run_id: Option<String>,
}

impl ProxyConfig {
    /// The proxy at this address, nobody signed in, bytes the best way.
    pub fn new(address: ProxyAddress, client: HttpClient) -> Self {
        Self {
            address,
            client,
            credential: None,
            headers: HeaderMap::new(),
            transfer: Transfer::Auto,
            model: None,
            run_id: None,
        }
    }

    /// With who is asking: the tracking server's credential.
    #[must_use]
    pub fn with_credential(mut self, credential: impl Into<Option<Credential>>) -> Self {
        self.credential = credential.into();
        self
    }

    /// With headers for the tracking server.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// With how the bytes are to come.
    #[must_use]
    pub fn with_transfer(mut self, transfer: Transfer) -> Self {
        self.transfer = transfer;
        self
    }

    /// With a run: its files are then listed and read by `mlflow/artifacts/list` and
    /// `get-artifact`, keys are relative to its artifact root, and no URL is signed.
    ///
    /// MLflow 3.17 answers these also with `--no-serve-artifacts`: a run whose artifact root is a
    /// path on the server's own disk can be fetched without that disk.
    #[must_use]
    pub fn with_run(mut self, run_id: impl Into<Option<String>>) -> Self {
        self.run_id = run_id.into();
        self
    }

    /// With the logged model that is fetched.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<Option<ModelFiles>>) -> Self {
        self.model = model.into();
        self
    }

    /// A URL below the server, at `path`.
    pub(super) fn server_url(&self, path: &str) -> Url {
        let server = self.address.server();
        let base = server.path().trim_end_matches('/');
        super::address::with_path(&server, &format!("{base}{path}"))
    }
}
