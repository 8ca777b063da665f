//! Our connections, for what Microsoft's libraries ask: one HTTP client, one TLS stack, one attempt.

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, Request, StatusCode};
use mlfetch_http::header::{HeaderName, HeaderValue};
use mlfetch_http::{HttpClient, HttpRequest, HttpResponse, Method, Redirects, Url};

/// The longest answer of Entra ID or a metadata service that is read, in bytes
/// (`docs/concepts/limits.md`).
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Where a virtual machine's metadata service is, in every cloud.
const METADATA_ADDRESS: &str = "169.254.169.254";

/// Sends what Microsoft's libraries ask.
#[derive(Debug)]
pub(crate) struct TokenHttp {
    pub(crate) http: HttpClient,
    /// Where the metadata service is asked instead, as Microsoft's library for Python has it.
    pub(crate) metadata_host: Option<Url>,
}

#[async_trait]
impl azure_core::http::HttpClient for TokenHttp {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = self.target(request.url().as_str())?;
        let answer = self.http.send(translated(request, url)?).await.map_err(failed)?;
        let status = StatusCode::from(answer.status().as_u16());
        // These libraries ask again by themselves where a server is busy, for minutes. Here it is the
        // caller who does that.
        if matches!(answer.status().as_u16(), 404 | 408 | 410 | 429 | 500..) {
            return Err(answer.error_for_status().await.map_or_else(failed, busy));
        }
        let headers = headers_of(&answer);
        let body = answer.bytes(MAX_ANSWER_BYTES).await.map_err(failed)?;
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

impl TokenHttp {
    fn target(&self, asked: &str) -> azure_core::Result<Url> {
        let url = Url::parse(asked).map_err(|_| wrong("the URL is none"))?;
        match &self.metadata_host {
            Some(host) if url.host_str() == Some(METADATA_ADDRESS) => {
                let mut elsewhere = host.clone();
                elsewhere.set_path(url.path());
                elsewhere.set_query(url.query());
                Ok(elsewhere)
            }
            _ => Ok(url),
        }
    }
}

fn wrong(what: &'static str) -> Error {
    Error::with_message(ErrorKind::DataConversion, what)
}

fn translated(request: &Request, url: Url) -> azure_core::Result<HttpRequest> {
    let method = Method::from_bytes(request.method().as_str().as_bytes());
    let mut sent = HttpRequest::new(method.map_err(|_| wrong("the method is none"))?, url)
        .with_redirects(Redirects::Never)
        .named("ask for a token at", request.url().host_str().unwrap_or_default());
    for (name, value) in request.headers().iter() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        let value = HeaderValue::from_str(value.as_str());
        let (Ok(name), Ok(value)) = (name, value) else { return Err(wrong("a header is none")) };
        sent = sent.with_header(name, value);
    }
    let Body::Bytes(body) = request.body() else { return Err(wrong("the body is a stream")) };
    Ok(sent.with_body(body.clone()))
}

fn headers_of(answer: &HttpResponse) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in answer.headers() {
        if let Ok(value) = value.to_str() {
            headers.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    headers
}

/// As an error that is not asked again.
fn failed(cause: mlfetch_store::Error) -> Error {
    let words = cause.to_string();
    Error::with_error(ErrorKind::Other, cause, words)
}

fn busy(_: HttpResponse) -> Error {
    Error::with_message(ErrorKind::Other, "the server cannot answer now")
}

#[cfg(test)]
mod tests {
    use mlfetch_http::ClientConfig;

    use super::*;

    #[test]
    fn the_metadata_service_alone_is_asked_elsewhere() {
        let host = Url::parse("http://127.0.0.1:7").expect("a URL");
        let http = HttpClient::new(&ClientConfig::new()).expect("a client");
        let ours = TokenHttp { http, metadata_host: Some(host) };
        let target = |asked| ours.target(asked).expect("a URL").to_string();
        let asked = "http://169.254.169.254/metadata/identity/oauth2/token?resource=x";
        assert_eq!(target(asked), "http://127.0.0.1:7/metadata/identity/oauth2/token?resource=x");
        let entra = "https://login.microsoftonline.com/tenant/oauth2/v2.0/token";
        assert_eq!(target(entra), entra);
    }
}
