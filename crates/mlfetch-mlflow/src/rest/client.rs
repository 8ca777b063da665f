//! The connection to a tracking server: who asks, how, how often.

use std::time::Duration;

use mlfetch_http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use mlfetch_http::{Credential, HttpClient, HttpRequest, HttpResponse, Method, Url};
use mlfetch_store::{Error, ErrorKind, Location, Result, Retry, RetryPolicy, retry};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::ServerInfo;
use super::call::Call;
use super::failure::{Failure, not_json};
use crate::HttpSettings;

/// The longest JSON answer that is read, in bytes (`docs/concepts/limits.md`).
const MAX_JSON_BYTES: usize = 16 * 1024 * 1024;
/// The header that names a workspace (MLflow 3.17).
const WORKSPACE_HEADER: HeaderName = HeaderName::from_static("x-mlflow-workspace");
/// How long a server may take to say what it can do (MLflow 3.17: 3 s, asked once).
const SERVER_INFO_TIMEOUT: Duration = Duration::from_secs(3);
/// How long it may take to say what there is instead of what was not found.
const HINT_TIMEOUT: Duration = Duration::from_secs(5);

/// The connection to a tracking server. Its endpoints for artifacts are reached through it too:
/// same connections, same credential, same patience.
#[derive(Debug)]
pub struct TrackingClient {
    http: HttpClient,
    settings: HttpSettings,
    base: Url,
    credential: Option<Credential>,
    server_info: OnceCell<Option<ServerInfo>>,
    workspace_checked: OnceCell<()>,
}

impl TrackingClient {
    /// A client for the server at `url`, which may have a path prefix, user and password.
    ///
    /// # Errors
    /// `InvalidInput` for a malformed URL or PEM file; `Io` for credentials that cannot be read.
    pub fn new(url: &str, settings: HttpSettings) -> Result<Self> {
        let mut base = parse(url)?;
        let credential = settings.credential_for(&base)?;
        // Both fail only for URLs without a host, which `parse` refused.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.set_query(None);
        base.set_fragment(None);
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        let http = HttpClient::new(&settings.client)?;
        let (server_info, workspace_checked) = (OnceCell::new(), OnceCell::new());
        Ok(Self { http, settings, base, credential, server_info, workspace_checked })
    }

    /// The server's URL with its path prefix; without user, password, query and trailing `/`.
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The URL of an endpoint: `path` (it begins with `/` and is percent-encoded) below the
    /// server's own path prefix.
    pub fn endpoint(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// How often and how patiently the server is asked.
    pub fn retry_policy(&self) -> &RetryPolicy {
        &self.settings.retry
    }

    /// The HTTP client, for URLs that the server hands out; no credential goes with it.
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Who is asking. It belongs to this server's origin and to no other.
    pub fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// The headers that every request to this server carries: the workspace's, if one is set.
    pub fn headers(&self) -> HeaderMap {
        let workspace = self.settings.workspace.as_deref();
        let value = workspace.and_then(|name| HeaderValue::from_str(name).ok());
        value.map(|name| (WORKSPACE_HEADER, name)).into_iter().collect()
    }

    /// A request to `url`: with the credential and workspace if it is on this server, bare if not.
    pub fn request(&self, method: Method, url: Url) -> HttpRequest {
        let ours = url.origin() == self.base.origin();
        let request = HttpRequest::new(method, url).with_redirects(self.settings.redirects);
        if !ours {
            return request;
        }
        let mut request = request.with_credential(self.credential.clone());
        request.headers.extend(self.headers());
        request
    }

    /// Sends a request of [`request`](Self::request), one attempt. Any status is an answer.
    ///
    /// # Errors
    /// As [`HttpClient::send`]; `Unsupported` if a workspace is set and the server has none.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        self.check_workspace().await?;
        let sent = self.http.send(request).await;
        sent.map_err(|error| self.with_server_hint(error))
    }

    /// What the server can do; `None` if it does not say so in time. Asked once.
    pub async fn server_info(&self) -> Option<&ServerInfo> {
        let ask = || async { self.ask_server_info().await.ok() };
        self.server_info.get_or_init(ask).await.as_ref()
    }

    async fn ask_server_info(&self) -> Result<ServerInfo> {
        let policy = RetryPolicy::once().with_stall(SERVER_INFO_TIMEOUT);
        let path = |name| Call { path: format!("/api/3.0/mlflow/{name}"), ..Call::get(name) };
        match self.ask(&path("server-info"), &policy).await? {
            Ok(info) => Ok(info),
            // The same under the name that it had at first.
            Err(failure) if failure.is_endpoint_missing() => {
                self.ask(&path("server-features"), &policy).await?.map_err(|failure| failure.error)
            }
            Err(failure) => Err(failure.error),
        }
    }

    /// MLflow 3.17: a workspace that the server does not have is refused, not ignored.
    async fn check_workspace(&self) -> Result<()> {
        let Some(workspace) = &self.settings.workspace else { return Ok(()) };
        let check = || async {
            if Box::pin(self.server_info()).await.is_some_and(|info| info.workspaces_enabled) {
                return Ok(());
            }
            let name = mlfetch_store::escape(workspace.as_bytes());
            Err(Error::new(ErrorKind::Unsupported, "use the workspace", name)
                .with_message(format!("{} does not say that it has workspaces", self.url()))
                .with_hint("unset MLFLOW_WORKSPACE, or start the server with workspaces enabled"))
        };
        self.workspace_checked.get_or_try_init(check).await.copied()
    }

    /// Makes a call, with all patience.
    pub(super) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<Result<T, Failure>> {
        self.check_workspace().await?;
        self.ask(&call, &self.settings.retry).await
    }

    /// Makes a call whose answer would only adorn an error: once and not for long.
    pub(super) async fn call_for_hint<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let policy = RetryPolicy::once().with_stall(HINT_TIMEOUT);
        self.ask(&call, &policy).await?.map_err(|failure| failure.error)
    }

    /// The outer error may pass with another attempt; the inner one is the server's last word.
    async fn ask<T: DeserializeOwned>(
        &self,
        call: &Call,
        policy: &RetryPolicy,
    ) -> Result<Result<T, Failure>> {
        let asked = retry(policy, || self.attempt(call)).await;
        asked.map_err(|error| self.with_server_hint(error))
    }

    async fn attempt<T: DeserializeOwned>(&self, call: &Call) -> Result<Result<T, Failure>> {
        let answer = self.http.send(self.request_of(call)).await?;
        let status = answer.status();
        match answer.failure().await {
            Ok(success) => read(success).await.map(Ok),
            Err((error, body)) => {
                let of_credential = self.credential.iter().flat_map(Credential::secrets);
                let secrets = self.http.secrets_with(of_credential);
                self.judge(Failure::read(&error, status, &body, &secrets)).map(Err)
            }
        }
    }

    /// A failure that may pass goes to the retry loop, the others are an answer.
    fn judge(&self, failure: Failure) -> Result<Failure> {
        match failure.error.retry() {
            Retry::Never => Ok(failure),
            Retry::After(_) if !self.settings.respect_retry_after => {
                Err(failure.error.with_retry(Retry::Later))
            }
            _ => Err(failure.error),
        }
    }

    fn request_of(&self, call: &Call) -> HttpRequest {
        let mut url = self.endpoint(&call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let json = HeaderValue::from_static("application/json");
        let request = self
            .request(call.method.clone(), url)
            .named(call.operation, call.subject.as_str())
            .with_header(ACCEPT, json.clone());
        match &call.body {
            Some(body) => request.with_header(CONTENT_TYPE, json).with_body(body.to_string()),
            None => request,
        }
    }

    /// A server that cannot be reached is named: the subject is what was looked for on it.
    fn with_server_hint(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Unreachable | ErrorKind::Timeout => error.with_hint(format!(
                "check that the tracking server {} runs and can be reached from here",
                self.url()
            )),
            _ => error,
        }
    }
}

async fn read<T: DeserializeOwned>(answer: HttpResponse) -> Result<T> {
    let wrong = answer.error(ErrorKind::Protocol);
    if answer.is_html() {
        return Err(not_json(wrong, true));
    }
    let body = answer.bytes(MAX_JSON_BYTES).await?;
    serde_json::from_slice(&body).map_err(|cause| {
        let html = body.trim_ascii_start().starts_with(b"<");
        // The cause of serde_json quotes at most a field's name, never the body.
        not_json(wrong, html).with_source(cause)
    })
}

fn parse(url: &str) -> Result<Url> {
    let malformed = || {
        let shown = Location::parse(url).map_or_else(|_| String::new(), |uri| uri.to_string());
        Error::new(ErrorKind::InvalidInput, "read the tracking URI", shown)
            .with_hint("it must look like https://host:5000 or https://host/prefix")
    };
    let parsed = Url::parse(url)
        .map_err(|cause| malformed().with_message(format!("it is malformed: {cause}")))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(malformed().with_message("it is not the URL of a server"));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Environment, Settings};

    fn client(url: &str) -> Result<TrackingClient> {
        let environment = Environment::new("/");
        let settings = Settings::new(Some(url), None, &environment);
        TrackingClient::new(url, HttpSettings::from_environment(&settings, &environment)?)
    }

    #[test]
    fn the_path_prefix_of_the_server_is_kept() {
        for url in ["https://u:p@h:5000/pre/fix/?q#f", "https://h:5000/pre/fix"] {
            let client = client(url).expect("a client");
            assert_eq!(client.url(), "https://h:5000/pre/fix");
            assert_eq!(client.endpoint("/api/x").as_str(), "https://h:5000/pre/fix/api/x");
        }
        assert_eq!(client("http://h").expect("a client").endpoint("/a").as_str(), "http://h/a");
    }

    #[test]
    fn a_credential_goes_to_its_own_server_only() {
        let client = client("https://u:p@h/").expect("a client");
        let request = |url| client.request(Method::GET, Url::parse(url).expect("a URL"));
        assert!(request("https://h/api").credential.is_some());
        assert!(request("https://other/api").credential.is_none());
        assert!(request("https://h:8443/api").credential.is_none());
    }

    #[test]
    fn a_malformed_url_is_an_error_without_its_password() {
        for url in ["http://u:hunter2@h:port/", "http://", "https://u:hunter2@/x"] {
            let error = client(url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
