//! Refusals and broken connections, as kinds, with what helps.

use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use hyper_util::client::legacy;
use mlfetch_store::{Error, ErrorKind, Retry, SafeText};

use crate::wire::{self, ErrorBody};

/// What an answer that is no success says.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The region of the bucket, where the server tells it.
    pub(crate) region: Option<String>,
    body: Option<ErrorBody>,
    html: bool,
    retry_after: Option<Duration>,
    delete_marker: bool,
}

/// On what and with what rights something was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'static str,
    /// The key, or the root for what is asked of the bucket itself.
    pub(crate) subject: &'a str,
    /// The bucket, safe to show.
    pub(crate) root: &'a str,
    /// What may not be in any message.
    pub(crate) secrets: &'a [&'a str],
    pub(crate) signed: bool,
}

/// What a code means: its kind, what happened, what helps.
struct Row(&'static str, ErrorKind, &'static str, &'static str);

const PROVE: &str = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or the profile, and that \
                     the endpoint is the one the key is for";
const SIGN_IN: &str = "sign in again (`aws sso login`, or new keys in the environment)";
const REGION: &str = "give the bucket's region as `region`, or its endpoint as `endpoint-url`";
const NOTHING: &str = "";

const ROWS: &[Row] = &[
    Row(
        "NoSuchBucket",
        ErrorKind::NotFound,
        "there is no such bucket",
        "check the name, and that the endpoint is the one the bucket is at",
    ),
    Row("NoSuchKey", ErrorKind::NotFound, "it does not exist", NOTHING),
    Row("NoSuchVersion", ErrorKind::NotFound, "it has no such version", NOTHING),
    Row(
        "InvalidAccessKeyId",
        ErrorKind::Unauthenticated,
        "the access key is not known there",
        PROVE,
    ),
    Row(
        "SignatureDoesNotMatch",
        ErrorKind::Unauthenticated,
        "the secret key is not the one of the access key",
        "check AWS_SECRET_ACCESS_KEY or the profile; a proxy that changes requests has the same \
         effect",
    ),
    Row("ExpiredToken", ErrorKind::Unauthenticated, "the credentials have expired", SIGN_IN),
    Row(
        "ExpiredTokenException",
        ErrorKind::Unauthenticated,
        "the credentials have expired",
        SIGN_IN,
    ),
    Row(
        "TokenRefreshRequired",
        ErrorKind::Unauthenticated,
        "the credentials have expired",
        SIGN_IN,
    ),
    Row("InvalidToken", ErrorKind::Unauthenticated, "the session token is not accepted", SIGN_IN),
    Row("InvalidTokenId", ErrorKind::Unauthenticated, "the session token is not accepted", SIGN_IN),
    Row(
        "RequestTimeTooSkewed",
        ErrorKind::Unauthenticated,
        "the clock here and the server's are too far apart",
        "set the clock of this machine",
    ),
    Row(
        "InvalidObjectState",
        ErrorKind::Unsupported,
        "it is archived and has to be restored first",
        "ask for it with `aws s3api restore-object`, and fetch it when it is restored",
    ),
    Row("PermanentRedirect", ErrorKind::InvalidInput, "the bucket is at another endpoint", REGION),
    Row("TemporaryRedirect", ErrorKind::InvalidInput, "the bucket is at another endpoint", REGION),
    Row(
        "AuthorizationHeaderMalformed",
        ErrorKind::InvalidInput,
        "the bucket is in another region",
        REGION,
    ),
    Row(
        "IllegalLocationConstraintException",
        ErrorKind::InvalidInput,
        "the bucket is in another region",
        REGION,
    ),
    Row("InvalidBucketName", ErrorKind::InvalidInput, "a bucket cannot have this name", NOTHING),
    Row(
        "KeyTooLongError",
        ErrorKind::InvalidKey,
        "S3 has no keys of more than 1024 bytes",
        NOTHING,
    ),
    // MinIO keeps objects as files, and says so to names that a file cannot have.
    Row("XMinioInvalidObjectName", ErrorKind::InvalidKey, "this server has no such names", NOTHING),
    Row(
        "XMinioInvalidResourceName",
        ErrorKind::InvalidKey,
        "this server has no such names",
        NOTHING,
    ),
    Row("PreconditionFailed", ErrorKind::Changed, "it changed since it was listed", NOTHING),
    Row("InvalidRange", ErrorKind::InvalidInput, "the range begins behind its end", NOTHING),
    Row("SlowDown", ErrorKind::Unavailable, "the server asks for fewer requests", NOTHING),
    Row("SlowDownRead", ErrorKind::Unavailable, "the server asks for fewer requests", NOTHING),
    Row("ServiceUnavailable", ErrorKind::Unavailable, "the server cannot answer now", NOTHING),
    Row("InternalError", ErrorKind::Unavailable, "the server failed", NOTHING),
    Row("OperationAborted", ErrorKind::Unavailable, "the server aborted it", NOTHING),
    Row("RequestTimeout", ErrorKind::Unavailable, "the server gave up waiting", NOTHING),
    Row("NotImplemented", ErrorKind::Unsupported, "the server does not do this", NOTHING),
    Row("MethodNotAllowed", ErrorKind::Unsupported, "the server does not allow this", NOTHING),
];

impl Refusal {
    /// Reads the head of an answer and what arrived of its body.
    pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let body_of_error = wire::error_body(body);
        let told = body_of_error.as_ref().and_then(|body| body.region.as_deref());
        let region = text("x-amz-bucket-region").or(told).filter(|name| is_region(name));
        let html = text("content-type").is_some_and(is_html)
            || body_of_error.is_none() && looks_html(body);
        Self {
            status,
            region: region.map(str::to_owned),
            html,
            retry_after: retry_after(headers, SystemTime::now()),
            delete_marker: text("x-amz-delete-marker") == Some("true"),
            body: body_of_error,
        }
    }

    /// S3's own word for what happened.
    pub(crate) fn code(&self) -> &str {
        self.body.as_ref().map_or("", |body| &body.code)
    }

    /// Whether the keys that were presented are no longer good, and newer ones might be.
    pub(crate) fn is_expired(&self) -> bool {
        matches!(self.code(), "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired")
    }

    /// The error that a caller gets.
    pub(crate) fn into_error(self, asked: &Asked<'_>) -> Error {
        let (kind, words, hint) = self.meaning(asked);
        let mut error = Error::new(kind, asked.operation, asked.subject);
        if let (ErrorKind::Unavailable, Some(wait)) = (kind, self.retry_after) {
            error = error.with_retry(Retry::After(wait));
        }
        error = error.with_message(self.message(&words, asked));
        if hint.is_empty() { error } else { error.with_hint(hint) }
    }

    fn meaning(&self, asked: &Asked<'_>) -> (ErrorKind, String, String) {
        if self.html {
            return self.no_xml();
        }
        if self.delete_marker {
            return (ErrorKind::NotFound, "it was deleted".to_owned(), String::new());
        }
        if let Some(Row(_, kind, words, hint)) = ROWS.iter().find(|row| row.0 == self.code()) {
            return (*kind, self.detailed(words), self.hint(hint));
        }
        self.meaning_of_status(asked)
    }

    /// Of answers without a body, or with a code that is not in the table (RFC 9110, 15).
    fn meaning_of_status(&self, asked: &Asked<'_>) -> (ErrorKind, String, String) {
        let (kind, words, hint) = match self.status.as_u16() {
            401 => (ErrorKind::Unauthenticated, "the server wants to know who asks", PROVE),
            403 => return denied(asked),
            404 => (ErrorKind::NotFound, "it does not exist", ""),
            412 => (ErrorKind::Changed, "it changed since it was listed", ""),
            416 => (ErrorKind::InvalidInput, "the range begins behind its end", ""),
            300..=399 => (ErrorKind::Refused, "the server sends us on to another place", REGION),
            408 | 425 | 429 | 500 | 502 | 503 | 504 => {
                (ErrorKind::Unavailable, "the server cannot answer now", "")
            }
            405 | 501 => (ErrorKind::Unsupported, "the server does not do this", ""),
            400 | 414 | 422 | 431 => {
                (ErrorKind::InvalidInput, "the server refuses the request", "")
            }
            200..=299 => (ErrorKind::Protocol, "the server answered with an error", ""),
            _ => (ErrorKind::Other, "the server refuses the request", ""),
        };
        (kind, words.to_owned(), self.hint(hint))
    }

    /// A page made for people, where S3 would have sent XML.
    fn no_xml(&self) -> (ErrorKind, String, String) {
        let kind = match self.status.as_u16() {
            408 | 425 | 429 | 500 | 502 | 503 | 504 => ErrorKind::Unavailable,
            _ => ErrorKind::Protocol,
        };
        let words = "an HTML page came where S3 sends XML".to_owned();
        let hint = "check `endpoint-url`: this may be a console, a login or a proxy".to_owned();
        (kind, words, hint)
    }

    fn detailed(&self, words: &str) -> String {
        let Some(body) = &self.body else { return words.to_owned() };
        match (&body.storage_class, body.server_time) {
            (Some(class), _) if body.code == "InvalidObjectState" => {
                format!("{words}, its storage class is {}", SafeText::new(class.as_bytes(), []))
            }
            (_, Some(theirs)) => format!("{words}: {}", apart(theirs, SystemTime::now())),
            _ => words.to_owned(),
        }
    }

    fn hint(&self, hint: &'static str) -> String {
        match &self.region {
            Some(region) if hint == REGION => {
                format!("the server names the region {region}: give it as `region`")
            }
            _ => hint.to_owned(),
        }
    }

    /// Our words, and the server's in brackets.
    fn message(&self, words: &str, asked: &Asked<'_>) -> String {
        let Some(body) = &self.body else { return format!("{words} ({})", self.status) };
        let safe = |text: &str| SafeText::new(text.as_bytes(), asked.secrets.iter().copied());
        if body.message.is_empty() {
            return format!("{words} ({})", safe(&body.code));
        }
        let theirs = safe(&body.message).to_string();
        format!("{words} ({}: {})", safe(&body.code), theirs.trim_end_matches('.'))
    }
}

/// What may not be done, and by which right it could be.
fn denied(asked: &Asked<'_>) -> (ErrorKind, String, String) {
    let (words, right) = match asked.operation {
        "list" => (
            "listing the bucket is not allowed",
            "the right to list is `s3:ListBucket` on the bucket; what is asked for by its full name \
             may be readable without it",
        ),
        _ => (
            "reading it is not allowed",
            "the right to read is `s3:GetObject` on it, and `kms:Decrypt` on its key if it is \
             encrypted with one; without `s3:ListBucket` the answer is the same for what does not \
             exist",
        ),
    };
    let hint = if asked.signed {
        right.to_owned()
    } else {
        format!("nobody is signed in (`no-sign-request`); {right}")
    };
    (ErrorKind::PermissionDenied, format!("{words} in {}", asked.root), hint)
}

fn apart(theirs: SystemTime, ours: SystemTime) -> String {
    let difference = ours.duration_since(theirs).or_else(|_| theirs.duration_since(ours));
    let seconds = difference.unwrap_or_default().as_secs();
    let direction = if ours > theirs { "ahead" } else { "behind" };
    format!("ours is {} min {} s {direction}", seconds / 60, seconds % 60)
}

/// Whether a text can be a region: it becomes part of a host's name.
fn is_region(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_html(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/html")
}

fn looks_html(body: &[u8]) -> bool {
    let beginning = body.trim_ascii_start();
    [&b"<!doctype html"[..], b"<html"]
        .iter()
        .any(|tag| beginning.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
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

/// A request that got no answer.
pub(crate) fn unanswered(asked: &Asked<'_>, endpoint: &str, cause: legacy::Error) -> Error {
    let words = innermost(&cause);
    if let Some(tls) = find::<rustls::Error>(&cause) {
        return Error::new(ErrorKind::Tls, asked.operation, asked.subject)
            .with_message(format!("no secure connection to {endpoint}: {words}"))
            .with_hint(tls_hint(tls))
            .with_source(cause);
    }
    if cause.is_connect() {
        return Error::new(ErrorKind::Unreachable, asked.operation, asked.subject)
            .with_message(format!("{endpoint} cannot be reached: {words}"))
            .with_hint("check `endpoint-url`, `region`, and that the server can be reached")
            .with_source(cause);
    }
    Error::new(ErrorKind::Network, asked.operation, asked.subject)
        .with_message(format!("the connection to {endpoint} broke: {words}"))
        .with_source(cause)
}

/// A body that broke.
pub(crate) fn broken_body(subject: &str, cause: hyper::Error) -> Error {
    Error::new(ErrorKind::Network, "read", subject)
        .with_message(format!("the connection broke: {}", innermost(&cause)))
        .with_source(cause)
}

fn tls_hint(cause: &rustls::Error) -> &'static str {
    match cause {
        rustls::Error::InvalidCertificate(_) => {
            "give the server's certificate authority as a PEM file with `s3-ca-bundle` or \
             AWS_CA_BUNDLE, or check the server's name"
        }
        rustls::Error::InvalidMessage(_) => {
            "the server may speak plain HTTP there: try `http://` in `endpoint-url`"
        }
        _ => "check that the server speaks TLS there",
    }
}

/// The first cause of a type, also where it is an `io::Error`'s payload.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        let payload = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match payload {
            Some(payload) => Some(payload),
            None => cause.source(),
        };
    }
    None
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    mlfetch_store::escape(cause.to_string().as_bytes())
}

#[cfg(test)]
mod tests;
