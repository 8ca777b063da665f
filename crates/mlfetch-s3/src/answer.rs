//! Whether an answer is the answer to what was asked.

use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderName, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use mlfetch_store::{Error, ErrorKind, Key, ObjectBody, ObjectInfo, Result, Retry};
use tokio::time::timeout;

use crate::error::broken_body;
use crate::wire;

/// How much of an error's body is read, in bytes (`docs/concepts/limits.md`).
const MAX_ERROR_BODY_BYTES: usize = 64 * 1024;

/// How long an error's body is waited for: its status is the news, and must not be lost to a stall.
const ERROR_BODY_WAIT: Duration = Duration::from_secs(3);

/// An answer that is a success, its body not yet read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Incoming,
}

impl Answer {
    /// A header's text, if it is there and is text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn etag(&self) -> Option<String> {
        self.header(ETAG).map(wire::quoted)
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH)?.trim().parse().ok()
    }

    /// The range of a `206`, end exclusive, and the size of the whole (RFC 9110, 14.4).
    fn content_range(&self) -> Option<(Range<u64>, u64)> {
        let text = self.header(CONTENT_RANGE)?.trim().strip_prefix("bytes ")?;
        let (range, size) = text.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some((first..last.saturating_add(1), size.parse().ok()?))
    }

    /// What it says of an object: never the size of a range for that of the whole.
    pub(crate) fn info(&self, key: &Key) -> ObjectInfo {
        let size = match self.head.status {
            StatusCode::PARTIAL_CONTENT => self.content_range().map(|(_, size)| size),
            _ => self.content_length(),
        };
        let modified = self.header(LAST_MODIFIED);
        ObjectInfo::new(key.clone())
            .with_size(size)
            .with_etag(self.etag())
            .with_modified(modified.and_then(|text| httpdate::parse_http_date(text).ok()))
    }

    /// Refuses what no S3 server sends for an object: a page for people with status 200.
    pub(crate) fn check_object(&self, operation: &'static str, key: &Key) -> Result<()> {
        let html = self.header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
        if self.header(ETAG).is_some() || !html {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Protocol, operation, key.to_string())
            .with_message("an HTML page came where S3 sends an object")
            .with_hint("check `endpoint-url`: this may be a console, a login or a proxy"))
    }

    /// Compares entity tags: some servers pass over `If-Match` and answer with what they have.
    pub(crate) fn check_etag(&self, key: &Key, if_match: Option<&str>) -> Result<()> {
        let Some(wanted) = if_match else { return Ok(()) };
        if self.etag().as_deref() == Some(wanted) {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Changed, "read", key.to_string());
        match self.header(ETAG) {
            Some(_) => Err(error),
            None => Err(error.with_message("the answer does not say which version it is of")),
        }
    }

    /// The range that it holds, if it is what was asked: `None` for the whole.
    ///
    /// # Errors
    /// `Unsupported` for the whole instead of a range, `Protocol` for another range or status.
    pub(crate) fn check_range(
        &self,
        key: &Key,
        asked: Option<&Range<u64>>,
    ) -> Result<Option<Range<u64>>> {
        match (self.head.status, asked) {
            (StatusCode::OK, None) => Ok(None),
            // A range that is the whole object may be answered with the whole (RFC 9110, 14.2).
            (StatusCode::OK, Some(asked))
                if asked.start == 0 && self.content_length() == Some(asked.end) =>
            {
                Ok(None)
            }
            (StatusCode::OK, Some(_)) => {
                Err(Error::new(ErrorKind::Unsupported, "read", key.to_string())
                    .with_message("the server gives no ranges: it answered with the whole object"))
            }
            (StatusCode::PARTIAL_CONTENT, Some(asked)) => self.check_partial(key, asked).map(Some),
            (status, _) => {
                Err(protocol(key, format!("the server answered {status} to a request for bytes")))
            }
        }
    }

    /// A server cuts a range that goes beyond the end (RFC 9110, 14.1.2), and may do nothing else to
    /// it.
    fn check_partial(&self, key: &Key, asked: &Range<u64>) -> Result<Range<u64>> {
        let Some((given, size)) = self.content_range() else {
            let why = "the server sent a part and does not say which";
            return Err(protocol(key, why.to_owned()));
        };
        if given != (asked.start..asked.end.min(size)) {
            return Err(protocol(
                key,
                format!(
                    "bytes {} to {} were asked for and {} to {} were sent",
                    asked.start, asked.end, given.start, given.end
                ),
            ));
        }
        let length = given.end - given.start;
        match self.content_length() {
            Some(announced) if announced != length => Err(protocol(
                key,
                format!("the part has {length} bytes by its range and {announced} by its length"),
            )),
            _ => Ok(given),
        }
    }

    /// The whole body, which must not be longer than `limit` bytes.
    ///
    /// # Errors
    /// `Protocol` if it is longer, `Network` if it breaks.
    pub(crate) async fn bytes(self, limit: usize, subject: &str) -> Result<Bytes> {
        let mut body = self.body;
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|cause| broken_body(subject, cause))?;
            let Ok(chunk) = frame.into_data() else { continue };
            if all.len() + chunk.len() > limit {
                return Err(Error::new(ErrorKind::Protocol, "read the answer about", subject)
                    .with_message(format!("the answer is longer than {limit} bytes")));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// The bytes as they arrive; fewer or more than `length` end with an error.
    pub(crate) fn object_body(self, key: &Key, length: Option<u64>) -> ObjectBody {
        let state = Body { inner: self.body, key: key.clone(), length, arrived: 0 };
        stream::try_unfold(state, Body::step).boxed()
    }
}

/// A body on its way.
struct Body {
    inner: Incoming,
    key: Key,
    length: Option<u64>,
    arrived: u64,
}

impl Body {
    async fn step(mut self) -> Result<Option<(Bytes, Self)>> {
        loop {
            match self.inner.frame().await.transpose() {
                Err(cause) => return Err(broken_body(&self.key.to_string(), cause)),
                Ok(None) => return self.at_end().map(|()| None),
                Ok(Some(frame)) => {
                    let Ok(chunk) = frame.into_data() else { continue };
                    self.arrived += chunk.len() as u64;
                    if self.length.is_some_and(|length| self.arrived > length) {
                        return Err(self.wrong_length());
                    }
                    return Ok(Some((chunk, self)));
                }
            }
        }
    }

    /// The transport holds a body to its own length; a chunked one has none.
    fn at_end(&self) -> Result<()> {
        match self.length {
            Some(length) if length != self.arrived => {
                Err(self.wrong_length().with_retry(Retry::Later))
            }
            _ => Ok(()),
        }
    }

    fn wrong_length(&self) -> Error {
        let length = self.length.unwrap_or_default();
        let words = format!("{length} bytes were announced and {} arrived", self.arrived);
        Error::new(ErrorKind::Integrity, "read", self.key.to_string()).with_message(words)
    }
}

fn protocol(key: &Key, message: String) -> Error {
    Error::new(ErrorKind::Protocol, "read", key.to_string()).with_message(message)
}

/// What arrives of an error's body within its limits. A body that breaks adds nothing.
pub(crate) async fn bytes_of_error(mut body: Incoming) -> Bytes {
    let mut all = BytesMut::new();
    let read = async {
        while all.len() < MAX_ERROR_BODY_BYTES && !body.is_end_stream() {
            let Some(Ok(frame)) = body.frame().await else { break };
            let Ok(chunk) = frame.into_data() else { continue };
            let room = MAX_ERROR_BODY_BYTES - all.len();
            all.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
    };
    // A body that stalls leaves what came before it.
    let _ = timeout(ERROR_BODY_WAIT, read).await;
    all.freeze()
}
