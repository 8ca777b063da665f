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

/// Sends what Microsoft's libraries ask.
#[derive(Debug)]
pub(crate) struct TokenHttp(pub(crate) HttpClient);

#[async_trait]
impl azure_core::http::HttpClient for TokenHttp {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.0.send(translated(request)?).await.map_err(failed)?;
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

fn translated(request: &Request) -> azure_core::Result<HttpRequest> {
    let wrong = |what: &'static str| Error::with_message(ErrorKind::DataConversion, what);
    let method = Method::from_bytes(request.method().as_str().as_bytes());
    let url = Url::parse(request.url().as_str()).map_err(|_| wrong("the URL is none"))?;
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
