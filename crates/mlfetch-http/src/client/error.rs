//! Statuses and broken connections, as kinds.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use mlfetch_store::{Error, ErrorKind, Retry};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// What a status means to a caller (RFC 9110, 15). `None` for success.
pub fn error_kind_of_status(status: StatusCode) -> Option<ErrorKind> {
    Some(match status.as_u16() {
        200..=299 => return None,
        401 | 407 => ErrorKind::Unauthenticated,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        408 | 425 | 429 | 500 | 502 | 503 | 504 => ErrorKind::Unavailable,
        412 => ErrorKind::Changed,
        405 | 501 => ErrorKind::Unsupported,
        400 | 414 | 416 | 422 | 431 => ErrorKind::InvalidInput,
        300..=399 => ErrorKind::Refused,
        _ => ErrorKind::Other,
    })
}

/// The verdict of a status that may pass: the server's own time if it gives one.
pub(super) fn retry_of(headers: &HeaderMap, kind: ErrorKind) -> Retry {
    if kind != ErrorKind::Unavailable {
        return Retry::Never;
    }
    retry_after(headers, SystemTime::now()).map_or(Retry::Later, Retry::After)
}

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

/// A request that got no answer, or a body that broke.
pub(super) fn transport_error(
    operation: &'static str,
    subject: &str,
    cause: reqwest::Error,
) -> Error {
    // The URL of a reqwest error may hold a signature in its query.
    let cause = cause.without_url();
    let kind = kind_of_transport(&cause);
    let error = Error::new(kind, operation, subject);
    let error = match kind {
        ErrorKind::Tls => {
            let words = innermost(&cause);
            let hint = tls_hint(&words);
            error.with_message(format!("no secure connection: {words}")).with_hint(hint)
        }
        ErrorKind::Unreachable => error
            .with_message(format!("the server cannot be reached: {}", innermost(&cause)))
            .with_hint("check the address, and that the server runs and can be reached from here"),
        ErrorKind::Network if innermost(&cause).starts_with(NO_HTTP) => error
            .with_message("what the server sends is no HTTP")
            .with_hint("the server may speak TLS there: try `https://`"),
        _ => error,
    };
    error.with_source(cause)
}

/// How the HTTP library's words for such an answer begin.
const NO_HTTP: &str = "invalid HTTP version";

fn kind_of_transport(cause: &reqwest::Error) -> ErrorKind {
    if is_tls(cause) {
        ErrorKind::Tls
    } else if cause.is_connect() {
        ErrorKind::Unreachable
    } else if cause.is_timeout() {
        ErrorKind::Timeout
    } else if cause.is_builder() {
        ErrorKind::InvalidInput
    } else {
        ErrorKind::Network
    }
}

/// The TLS library's error is somewhere down the chain, as an `io::Error`'s payload, and its type
/// is not ours to name: its words are what there is.
fn is_tls(cause: &reqwest::Error) -> bool {
    let text = innermost(cause);
    // With TLS 1.3 a server refuses a client's certificate after the handshake is over.
    let refused_later = text.contains("received fatal alert");
    refused_later
        || cause.is_connect()
            && ["certificate", "handshake", "TLS", "tls", "InvalidContentType", "corrupt message"]
                .iter()
                .any(|word| text.contains(word))
}

fn tls_hint(words: &str) -> &'static str {
    if words.contains("alert") {
        "the server may want a client certificate: give it with its key as a PEM file"
    } else if words.contains("corrupt message") || words.contains("InvalidContentType") {
        "the server may speak plain HTTP there: try `http://`"
    } else {
        "give the server's certificate authority as a PEM file, or check its name"
    }
}

fn innermost(cause: &reqwest::Error) -> String {
    let mut text = cause.to_string();
    let mut next = cause.source();
    while let Some(inner) = next {
        text = inner.to_string();
        next = inner.source();
    }
    mlfetch_store::escape(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_kind() {
        let rows = [
            (200, None),
            (206, None),
            (302, Some(ErrorKind::Refused)),
            (400, Some(ErrorKind::InvalidInput)),
            (401, Some(ErrorKind::Unauthenticated)),
            (403, Some(ErrorKind::PermissionDenied)),
            (404, Some(ErrorKind::NotFound)),
            (412, Some(ErrorKind::Changed)),
            (418, Some(ErrorKind::Other)),
            (429, Some(ErrorKind::Unavailable)),
            (500, Some(ErrorKind::Unavailable)),
            (501, Some(ErrorKind::Unsupported)),
            (503, Some(ErrorKind::Unavailable)),
        ];
        for (status, kind) in rows {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(error_kind_of_status(status), kind, "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().expect("a value"))]);
            retry_after(&headers, now)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:47 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(read("soon"), None);
    }
}
