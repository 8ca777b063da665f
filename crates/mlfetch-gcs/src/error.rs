//! Refusals, as kinds, with what helps.

use std::time::{Duration, SystemTime};

use mlfetch_http::header::DATE;
use mlfetch_http::{HttpResponse, StatusCode};
use mlfetch_store::{Error, ErrorKind, Result, Retry, SafeText, Secret};

use crate::credentials::Identity;
use crate::wire::{self, ErrorBody};

/// Clocks that are further apart than this make a token of now one of another time.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(5);

/// On what and as whom something was asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'static str,
    /// The bucket, safe to show.
    pub(crate) root: &'a str,
    /// What may not be in any message.
    pub(crate) secrets: Vec<Secret>,
    pub(crate) identity: &'a Identity,
}

/// What an answer that is no success says.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    body: ErrorBody,
    /// The server's clock.
    server_time: Option<SystemTime>,
}

/// What a reason means: its kind, what happened, what helps.
struct Row(&'static str, ErrorKind, &'static str, &'static str);

const ROWS: &[Row] = &[
    Row("userRateLimitExceeded", ErrorKind::Unavailable, "the server asks for fewer requests", ""),
    Row("rateLimitExceeded", ErrorKind::Unavailable, "the server asks for fewer requests", ""),
    Row("conditionNotMet", ErrorKind::Changed, "it changed since it was listed", ""),
    Row(
        "insufficientPermissions",
        ErrorKind::PermissionDenied,
        "the token is not one for Cloud Storage",
        "sign in again with the scope devstorage.read_only or cloud-platform",
    ),
    Row(
        "accessNotConfigured",
        ErrorKind::PermissionDenied,
        "the project of the credentials does not use Cloud Storage",
        "enable the Cloud Storage API in it",
    ),
    Row(
        "accountDisabled",
        ErrorKind::PermissionDenied,
        "the account of the project is disabled",
        "",
    ),
];

/// The answer itself if it is a success, else its error.
///
/// # Errors
/// The kind of Google's reason, or of the status; the verdict of `Retry-After`.
pub(crate) async fn refused(answer: HttpResponse, asked: &Asked<'_>) -> Result<HttpResponse> {
    let status = answer.status();
    let server_time = answer.header(DATE).and_then(|text| httpdate::parse_http_date(text).ok());
    match answer.failure().await {
        Ok(success) => Ok(success),
        Err((error, body)) => {
            let body = wire::error_body(&body).unwrap_or_else(|| ErrorBody::of_text(&body));
            Err(Refusal { status, body, server_time }.explain(&error, asked))
        }
    }
}

impl ErrorBody {
    /// A body that is no JSON: bytes of objects are refused in a line of text. A page made for
    /// people says nothing.
    fn of_text(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body.trim_ascii());
        let message = if text.starts_with('<') { String::new() } else { text.into_owned() };
        Self { reason: String::new(), message }
    }
}

impl Refusal {
    /// Puts our words for it into an error that has the kind and the verdict of the status.
    fn explain(&self, of_status: &Error, asked: &Asked<'_>) -> Error {
        let (kind, words, hint) = self.meaning(of_status, asked);
        let mut error = Error::new(kind, asked.operation, of_status.subject());
        if kind == ErrorKind::Unavailable && of_status.retry() != Retry::Never {
            error = error.with_retry(of_status.retry());
        }
        error = error.with_message(self.message(&words, asked));
        if hint.is_empty() { error } else { error.with_hint(hint) }
    }

    fn meaning(&self, of_status: &Error, asked: &Asked<'_>) -> (ErrorKind, String, String) {
        if self.body.message.contains("requester pays") {
            return (
                ErrorKind::PermissionDenied,
                format!("the readers of {} pay for their requests", asked.root),
                "name the project that pays with `gcs-user-project`".to_owned(),
            );
        }
        if let Some(Row(_, kind, words, hint)) = ROWS.iter().find(|row| row.0 == self.body.reason) {
            return (*kind, (*words).to_owned(), (*hint).to_owned());
        }
        let (kind, words, hint) = match self.status.as_u16() {
            401 => return self.not_signed_in(asked),
            403 => return denied(asked),
            404 => return self.missing(asked),
            412 | 304 => (ErrorKind::Changed, "it changed since it was listed", ""),
            416 => (ErrorKind::InvalidInput, "the range begins behind its end", ""),
            429 => (ErrorKind::Unavailable, "the server asks for fewer requests", ""),
            _ => match of_status.kind() {
                kind @ ErrorKind::Unavailable => (kind, "the server cannot answer now", ""),
                kind @ ErrorKind::Unsupported => (kind, "the server does not do this", ""),
                kind => (kind, "the server refuses the request", ENDPOINT),
            },
        };
        (kind, words.to_owned(), hint.to_owned())
    }

    fn not_signed_in(&self, asked: &Asked<'_>) -> (ErrorKind, String, String) {
        let (words, hint) = match (asked.identity, self.clock()) {
            (Identity::Nobody { .. }, _) => ("nobody is signed in".to_owned(), nobody(asked)),
            (_, Some(apart)) => (
                format!("the token is not accepted: the clocks are apart, {apart}"),
                "set the clock of this machine".to_owned(),
            ),
            (_, None) => (
                "the token is not accepted".to_owned(),
                "sign in again (`gcloud auth application-default login`), or check that the key of \
                 the service account still exists"
                    .to_owned(),
            ),
        };
        (ErrorKind::Unauthenticated, words, hint)
    }

    fn missing(&self, asked: &Asked<'_>) -> (ErrorKind, String, String) {
        // Without a key it is the bucket that was asked, and that is said in words alone elsewhere.
        if asked.operation == "list" || self.body.message.contains("bucket does not exist") {
            let words = format!("there is no bucket {}", asked.root);
            return (ErrorKind::NotFound, words, "check the name of the bucket".to_owned());
        }
        (ErrorKind::NotFound, "it does not exist".to_owned(), String::new())
    }

    /// How far our clock is from the server's, if that is too far.
    fn clock(&self) -> Option<String> {
        let (theirs, ours) = (self.server_time?, SystemTime::now());
        let apart = ours.duration_since(theirs).or_else(|_| theirs.duration_since(ours));
        let apart = apart.ok().filter(|apart| *apart > CLOCK_TOLERANCE)?;
        let direction = if ours > theirs { "ahead" } else { "behind" };
        Some(format!("ours is {} min {direction}", apart.as_secs() / 60))
    }

    /// Our words, and the server's in brackets.
    fn message(&self, words: &str, asked: &Asked<'_>) -> String {
        let safe =
            |text: &str| SafeText::new(text.as_bytes(), asked.secrets.iter().map(Secret::expose));
        let theirs = safe(&self.body.message).to_string();
        let theirs = theirs.trim_end_matches('.');
        match theirs {
            "" => format!("{words} ({})", self.status),
            theirs => format!("{words} ({}: {theirs})", self.status.as_u16()),
        }
    }
}

/// What is said where something else than Cloud Storage seems to answer.
pub(crate) const ENDPOINT: &str =
    "check `gcs-endpoint` and `gcs-emulator-host`: this may be a console, a login or a proxy";

/// What may not be done, and by which right it could be.
fn denied(asked: &Asked<'_>) -> (ErrorKind, String, String) {
    let (words, right) = match asked.operation {
        "list" => (
            "listing the bucket is not allowed",
            "the right to list is storage.objects.list on the bucket (Storage Object Viewer has it); \
             what is asked for by its full name may be readable without it",
        ),
        _ => (
            "reading it is not allowed",
            "the right to read is storage.objects.get on the bucket; without storage.objects.list the \
             answer is the same for what does not exist",
        ),
    };
    let hint = match asked.identity {
        Identity::Somebody(_) => right.to_owned(),
        Identity::Nobody { .. } => format!("{}; {right}", nobody(asked)),
    };
    (ErrorKind::PermissionDenied, format!("{words} in {}", asked.root), hint)
}

/// Why nobody is signed in, and what to do about it.
fn nobody(asked: &Asked<'_>) -> String {
    match asked.identity {
        Identity::Nobody { looked: Some(looked) } => format!(
            "no credentials were found ({looked}): sign in with `gcloud auth application-default \
             login`, or name a file with `gcs-credentials`"
        ),
        _ => {
            "nobody is signed in because `gcs-anonymous` or `gcs-emulator-host` says so".to_owned()
        }
    }
}

#[cfg(test)]
mod tests;
