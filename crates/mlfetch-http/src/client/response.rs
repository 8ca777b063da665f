//! One answer.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mlfetch_store::{Error, ErrorKind, ObjectBody, Result, Retry, SafeText, Secret};
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED,
};
use reqwest::{StatusCode, Url};
use tokio::time::timeout;

use super::error::{retry_of, transport_error};
use super::error_kind_of_status;
use super::request::display_url;
use crate::html::title;

/// How much of an error's body is read, in bytes (`docs/concepts/limits.md`).
pub const MAX_ERROR_BODY_BYTES: usize = 64 * 1024;

/// How long an error's body is waited for: its status is the news, and must not be lost to a stall.
const ERROR_BODY_WAIT: Duration = Duration::from_secs(3);

/// One answer, its body not yet read.
pub struct HttpResponse {
    pub(super) inner: reqwest::Response,
    pub(super) operation: &'static str,
    pub(super) subject: String,
    pub(super) secrets: Vec<Secret>,
}

impl HttpResponse {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> &Url {
        self.inner.url()
    }

    /// A header's text, if it is there and is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// The body's length in bytes as announced.
    pub fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH)?.trim().parse().ok()
    }

    /// The strong entity tag. A weak one (`W/…`) cannot tie ranges together (RFC 9110, 13.1.1).
    pub fn etag(&self) -> Option<String> {
        self.header(ETAG).filter(|tag| !tag.starts_with("W/")).map(str::to_owned)
    }

    /// When the resource was last changed.
    pub fn last_modified(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.header(LAST_MODIFIED)?).ok()
    }

    /// Whether the body says it is HTML: a login page where bytes or JSON were asked for.
    pub fn is_html(&self) -> bool {
        self.header(CONTENT_TYPE).is_some_and(|text| {
            let kind = text.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("text/html")
        })
    }

    /// The range of a `206`, end exclusive, and the size of the whole if it is told
    /// (RFC 9110, 14.4).
    pub fn content_range(&self) -> Option<(Range<u64>, Option<u64>)> {
        let text = self.header(CONTENT_RANGE)?.trim().strip_prefix("bytes ")?;
        let (range, size) = text.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let first: u64 = first.parse().ok()?;
        let last: u64 = last.parse().ok()?;
        (first <= last).then(|| (first..last.saturating_add(1), size.parse().ok()))
    }

    /// An error about this answer, with the same operation and subject.
    pub fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.operation, self.subject.clone())
    }

    /// Text from this server, safe to show: our own credentials are looked for and taken out.
    pub fn safe_text(&self, raw: &[u8]) -> SafeText {
        SafeText::new(raw, self.secrets.iter().map(Secret::expose))
    }

    /// The answer itself if it is a success, else its error with the server's own words.
    ///
    /// # Errors
    /// The kind of the status ([`error_kind_of_status`]), with the verdict of `Retry-After`.
    pub async fn error_for_status(self) -> Result<Self> {
        match self.failure().await {
            Ok(success) => Ok(success),
            Err((error, _)) => Err(error),
        }
    }

    /// As [`error_for_status`](Self::error_for_status), and the error's raw body for callers that
    /// can read more out of it.
    ///
    /// # Errors
    /// The error and up to [`MAX_ERROR_BODY_BYTES`] of its body.
    pub async fn failure(self) -> Result<Self, (Error, Bytes)> {
        let Some(kind) = error_kind_of_status(self.status()) else { return Ok(self) };
        let status = self.status();
        let retry = retry_of(self.headers(), kind);
        let html = self.is_html();
        let (operation, subject, secrets) =
            (self.operation, self.subject.clone(), self.secrets.clone());
        let body = self.error_body().await;
        let own = |raw: &[u8]| SafeText::new(raw, secrets.iter().map(Secret::expose));
        // A page made for browsers is long; what it has to say is in its title.
        let words = if html { title(&body).map(|title| own(&title)) } else { Some(own(&body)) };
        let words = words.filter(|words| !words.as_str().is_empty());
        let message = match words {
            Some(words) if words.as_str() != status.to_string() => {
                format!("the server answered {status}: {words}")
            }
            _ => format!("the server answered {status}"),
        };
        let error = if wants_certificate(&message) {
            Error::new(ErrorKind::Unauthenticated, operation, subject)
                .with_hint("give a client certificate with its key as a PEM file")
        } else {
            Error::new(kind, operation, subject).with_retry(retry)
        };
        Err((error.with_message(message), body))
    }

    /// What arrives of an error's body within its limits. A body that breaks adds nothing.
    async fn error_body(self) -> Bytes {
        let body = timeout(ERROR_BODY_WAIT, self.bytes_up_to(MAX_ERROR_BODY_BYTES)).await;
        body.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// The whole body, which must not be longer than `limit` bytes.
    ///
    /// # Errors
    /// `Protocol` if it is longer; as [`body`](Self::body) if it breaks.
    pub async fn bytes(self, limit: usize) -> Result<Bytes> {
        let too_long = self
            .error(ErrorKind::Protocol)
            .with_message(format!("the answer is longer than {limit} bytes"));
        let bytes = self.bytes_up_to(limit.saturating_add(1)).await?;
        if bytes.len() > limit { Err(too_long) } else { Ok(bytes) }
    }

    async fn bytes_up_to(self, limit: usize) -> Result<Bytes> {
        let mut body = self.body();
        let mut all = BytesMut::new();
        while let Some(chunk) = body.try_next().await? {
            let room = limit - all.len();
            all.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if all.len() == limit {
                break;
            }
        }
        Ok(all.freeze())
    }

    /// The bytes as they arrive. It ends with an error when they are fewer than announced; the
    /// transport itself sees to that for `Content-Length` and chunked bodies.
    pub fn body(self) -> ObjectBody {
        let Self { inner, operation, subject, .. } = self;
        let chunks = stream::try_unfold((inner, subject), move |(mut inner, subject)| async move {
            match inner.chunk().await {
                Ok(chunk) => Ok(chunk.map(|bytes| (bytes, (inner, subject)))),
                Err(cause) => {
                    let error = transport_error(operation, &subject, cause);
                    Err(error.with_retry(Retry::Later))
                }
            }
        });
        chunks.boxed()
    }
}

/// nginx completes the handshake without a client's certificate, answers 400 and says it in words.
fn wants_certificate(message: &str) -> bool {
    message.contains("400") && message.contains("SSL certificate")
}

/// Without what may be secret: headers, and the URL's query.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpResponse")
            .field("status", &self.status())
            .field("url", &display_url(self.url()))
            .finish_non_exhaustive()
    }
}
