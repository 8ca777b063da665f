//! Sending.

use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Gate, Key, Location, Result, SafeText, Secret};
use reqwest::Url;
use reqwest::header::HeaderMap;

use super::error::transport_error;
use super::redirect::{
    MAX_REDIRECTS, Redirects, keeps_method, redirect_target, same_origin, without_credentials,
};
use super::request::display_url;
use super::{ClientConfig, Credential, HttpRequest, HttpResponse, proxy};

/// Sends requests over connections that it keeps. Cheap to clone: clones share the connections.
///
/// ```no_run
/// use mlfetch_http::{ClientConfig, HttpClient, HttpRequest, Url};
/// # async fn run() -> Result<(), mlfetch_store::Error> {
/// let client = HttpClient::new(&ClientConfig::new())?;
/// let url = Url::parse("https://tracking.example/health").expect("a URL");
/// let answer = client.send(HttpRequest::get(url)).await?.error_for_status().await?;
/// assert_eq!(answer.bytes(1024).await?.as_ref(), b"OK");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct HttpClient {
    inner: reqwest::Client,
    extra_secrets: Arc<Vec<Secret>>,
    gate: Option<Arc<dyn Gate>>,
}

impl HttpClient {
    /// A client that connects as `config` says.
    ///
    /// # Errors
    /// `InvalidInput` for a PEM file that cannot be read, `Tls` if TLS cannot be set up.
    pub fn new(config: &ClientConfig) -> Result<Self> {
        let (inner, extra_secrets) = (config.build()?, Arc::new(proxy::secrets()));
        Ok(Self { inner, extra_secrets, gate: config.gate.clone() })
    }

    /// Whether a URL may be asked that somebody else named: a server, by a redirect or in an answer.
    ///
    /// # Errors
    /// What the gate says.
    pub fn permit(&self, url: &Url) -> Result<()> {
        let Some(gate) = &self.gate else { return Ok(()) };
        gate.permit(&Location::parse(url.as_str())?, &Key::root())
    }

    /// The same connections, and these values taken out of every text of a server as well.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Vec<Secret>) -> Self {
        Arc::make_mut(&mut self.extra_secrets).extend(secrets);
        self
    }

    /// What no text of a server is shown with: `more`, and whatever the request those values and what
    /// signs in to a proxy.
    pub fn secrets_with(&self, more: impl IntoIterator<Item = Secret>) -> Vec<Secret> {
        self.extra_secrets.iter().cloned().chain(more).collect()
    }

    /// Sends one request, one attempt; follows redirects as the request's rule allows. Any status
    /// is an answer: see [`HttpResponse::error_for_status`].
    ///
    /// # Errors
    /// `Unreachable`, `Tls`, `Network` or `Timeout` if there was no answer; `Refused` for a
    /// redirect that the rule does not allow, or the gate does not permit.
    pub async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse> {
        if request.subject.is_empty() {
            request.subject = display_url(&request.url);
        }
        let mut url = request.url.clone();
        let mut at_home = true;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send_to(&request, &url, at_home).await?;
            let status = response.status();
            if request.redirects == Redirects::Reported {
                return Ok(self.answer(&request, response));
            }
            let Some(target) = redirect_target(status, response.headers(), &url) else {
                return Ok(self.answer(&request, response));
            };
            if !request.redirects.allows(&url, &target) || !keeps_method(status, &request.method) {
                return Err(self.refused(&request, &target));
            }
            self.permit(&target)?;
            // Once away it stays away: another server must not choose what we ask at home.
            at_home &= same_origin(&request.url, &target);
            url = target;
        }
        Err(Error::new(ErrorKind::Protocol, request.operation, request.subject)
            .with_message(format!("more than {MAX_REDIRECTS} redirects")))
    }

    async fn send_to(
        &self,
        request: &HttpRequest,
        url: &Url,
        at_home: bool,
    ) -> Result<reqwest::Response> {
        let mut target = url.clone();
        // The credential is given apart; a URL's own must not reach the wire a second way.
        let _ = target.set_username("");
        let _ = target.set_password(None);
        let headers = headers_for(request, &target, at_home)?;
        let mut builder = self.inner.request(request.method.clone(), target).headers(headers);
        if !request.body.is_empty() {
            builder = builder.body(request.body.clone());
        }
        let sent = builder.send().await;
        sent.map_err(|cause| transport_error(request.operation, &request.subject, cause))
    }

    fn answer(&self, request: &HttpRequest, inner: reqwest::Response) -> HttpResponse {
        HttpResponse {
            inner,
            operation: request.operation,
            subject: request.subject.clone(),
            secrets: self.secrets_of(request),
        }
    }

    /// What the server of this request might echo and nobody may see.
    fn secrets_of(&self, request: &HttpRequest) -> Vec<Secret> {
        self.secrets_with(request.credential.iter().flat_map(Credential::secrets))
    }

    fn refused(&self, request: &HttpRequest, target: &Url) -> Error {
        let secrets = self.secrets_of(request);
        let shown = display_url(target);
        let shown = SafeText::new(shown.as_bytes(), secrets.iter().map(Secret::expose));
        Error::new(ErrorKind::Refused, request.operation, request.subject.clone())
            .with_message(format!("the server sends us on to {shown}"))
            .with_hint("if that is where the data is, give that address instead")
    }
}

/// The request's headers: with the credential as long as no redirect has left its origin, and
/// after that without all that says who is asking.
fn headers_for(request: &HttpRequest, url: &Url, at_home: bool) -> Result<HeaderMap> {
    if !at_home {
        return Ok(without_credentials(&request.headers));
    }
    let mut headers = request.headers.clone();
    if let Some(credential) = &request.credential {
        headers.extend(credential.headers(&request.method, url, &request.body)?);
    }
    Ok(headers)
}
