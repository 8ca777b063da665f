//! The one error type of the seam.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any cause.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// What went wrong, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The object, bucket, run or model is not there.
    NotFound,
    /// The name is a directory and an object was asked for.
    IsDirectory,
    /// Nobody is signed in, or what was presented is not accepted (HTTP 401).
    Unauthenticated,
    /// Somebody is signed in and may not do this (HTTP 403).
    PermissionDenied,
    /// The object changed since it was listed (HTTP 412, another entity tag).
    Changed,
    /// The location or an option is malformed; asking any server would be pointless.
    InvalidInput,
    /// The key cannot exist in, or be asked of, this storage.
    InvalidKey,
    /// The operation is understood and this storage does not do it.
    Unsupported,
    /// What was asked is refused by a rule of safety (a foreign host, a path outside the root).
    Refused,
    /// The server is there and cannot answer now (429, 5xx).
    Unavailable,
    /// The server could not be reached at all.
    Unreachable,
    /// No answer, or no progress, in time.
    Timeout,
    /// The connection broke on the way.
    Network,
    /// TLS could not be set up: certificate, protocol.
    Tls,
    /// The answer does not follow its protocol: HTML for JSON, a wrong range, a repeated token.
    Protocol,
    /// Bytes and checksum, or bytes and size, do not agree.
    Integrity,
    /// The local disk or file system failed.
    Io,
    /// Anything else.
    Other,
}

/// Whether asking again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same answer would come back.
    Never,
    /// Ask again, with the policy's own waiting time.
    Later,
    /// Ask again, not before this time: the server's `Retry-After`.
    After(Duration),
}

/// What failed, on what, and why: one pointer wide, safe to display.
///
/// The display is lower case, without a full stop, the subject in backticks. Causes are in
/// [`source`](StdError::source).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    retry: Retry,
    operation: &'static str,
    subject: String,
    message: Option<Cow<'static, str>>,
    hint: Option<Cow<'static, str>>,
    source: Option<BoxError>,
}

impl Error {
    /// An error of `kind` while doing `operation` (a verb: `list`, `read`) on `subject`. The
    /// subject must be safe to show: [`Key`](crate::Key) and [`Location`](crate::Location) are.
    pub fn new(kind: ErrorKind, operation: &'static str, subject: impl Into<String>) -> Self {
        let retry = match kind {
            ErrorKind::Unavailable
            | ErrorKind::Unreachable
            | ErrorKind::Timeout
            | ErrorKind::Network => Retry::Later,
            _ => Retry::Never,
        };
        Self(Box::new(Inner {
            kind,
            retry,
            operation,
            subject: subject.into(),
            message: None,
            hint: None,
            source: None,
        }))
    }

    /// Why, in words. Text from a server must have gone through [`SafeText`](crate::SafeText).
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// What the user can do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Another verdict than the one its kind has by itself.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// What happened.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether asking again can help.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The verb: what was being done.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// What it was done on, safe to show.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Why, in words, if that is known.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// What the user can do next, if something is known to help.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl ErrorKind {
    /// What happened, as a clause that fits after "cannot read `x`:".
    fn describe(self) -> &'static str {
        match self {
            Self::NotFound => "it does not exist",
            Self::IsDirectory => "it is a directory",
            Self::Unauthenticated => "not signed in",
            Self::PermissionDenied => "permission denied",
            Self::Changed => "it changed since it was listed",
            Self::InvalidInput => "invalid input",
            Self::InvalidKey => "this name is not possible here",
            Self::Unsupported => "not supported here",
            Self::Refused => "refused",
            Self::Unavailable => "the server cannot answer now",
            Self::Unreachable => "the server cannot be reached",
            Self::Timeout => "no answer in time",
            Self::Network => "the connection broke",
            Self::Tls => "no secure connection",
            Self::Protocol => "the answer makes no sense",
            Self::Integrity => "the bytes are not what they should be",
            Self::Io => "the file system failed",
            Self::Other => "it failed",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        write!(formatter, "cannot {} `{}`: ", inner.operation, inner.subject)?;
        formatter.write_str(inner.message.as_deref().unwrap_or_else(|| inner.kind.describe()))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("retry", &self.0.retry)
            .field("text", &self.to_string())
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn only_what_may_pass_is_retried_by_default() {
        let retried = |kind| Error::new(kind, "read", "x").retry() == Retry::Later;
        assert!(retried(ErrorKind::Unavailable) && retried(ErrorKind::Network));
        assert!(!retried(ErrorKind::NotFound) && !retried(ErrorKind::Integrity));
    }

    #[test]
    fn display_says_what_failed_on_what_and_why() {
        let error = Error::new(ErrorKind::NotFound, "read", "a/b");
        assert_eq!(error.to_string(), "cannot read `a/b`: it does not exist");
        let error = error.with_message("no such object");
        assert_eq!(error.to_string(), "cannot read `a/b`: no such object");
    }
}
