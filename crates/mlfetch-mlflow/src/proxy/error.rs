//! What the server's refusals mean.

use mlfetch_http::header::CONTENT_DISPOSITION;
use mlfetch_http::{HttpResponse, StatusCode};
use mlfetch_store::{Error, ErrorKind, Key, Result};

use super::wire::error_code;

/// The answer itself if it is a success, else its error in the words of this store.
///
/// | MLflow 3.17 answers | kind |
/// |---|---|
/// | 400 `…refers to a directory…` | `IsDirectory` |
/// | 400 `…outside the artifact directory` | `Refused`: a link that leads out |
/// | 400 `Invalid path` | `InvalidKey` |
/// | 404 with an error code | `NotFound` |
/// | 404 without one | `NotFound`, with a hint that this may be no MLflow server |
/// | 412 | `Changed` |
/// | 503 `--no-serve-artifacts`, `--artifacts-only` | `Unsupported`: asking again does not help |
/// | anything else | that of the status |
pub(super) async fn success(response: HttpResponse) -> Result<HttpResponse> {
    let status = response.status();
    match response.failure().await {
        Ok(response) => Ok(response),
        Err((error, body)) => Err(explain(error, status, &body)),
    }
}

fn explain(error: Error, status: StatusCode, body: &[u8]) -> Error {
    let text = String::from_utf8_lossy(body);
    let code = error_code(body);
    match status.as_u16() {
        400 if text.contains("refers to a directory") => another(&error, ErrorKind::IsDirectory),
        400 if text.contains("outside the artifact directory") => {
            another(&error, ErrorKind::Refused)
                .with_message("it is a link that leads out of the server's artifacts")
        }
        400 if code == "INVALID_PARAMETER_VALUE" => keep_words(&error, ErrorKind::InvalidKey),
        401 => keep_words(&error, ErrorKind::Unauthenticated)
            .with_hint("set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or _TOKEN"),
        404 if code == "RESOURCE_DOES_NOT_EXIST" => another(&error, ErrorKind::NotFound),
        404 => keep_words(&error, ErrorKind::NotFound)
            .with_hint("if nothing is found there, check that the URL is that of an MLflow server"),
        // Flask answers 412 with the whole file as its body.
        412 => another(&error, ErrorKind::Changed),
        503 if text.contains("--artifacts-only") => another(&error, ErrorKind::Unsupported)
            .with_message("the server runs with `--artifacts-only`")
            .with_hint("name the tracking server, and keep this one for the artifacts"),
        503 if text.contains("-serve-artifacts`") => another(&error, ErrorKind::Unsupported)
            .with_message("the server does not serve artifacts (`--no-serve-artifacts`)")
            .with_hint("fetch from where the files lie: `--via direct`, or a rewrite rule"),
        _ => error,
    }
}

/// The same operation and subject with another kind.
pub(super) fn another(error: &Error, kind: ErrorKind) -> Error {
    Error::new(kind, error.operation(), error.subject())
}

fn keep_words(error: &Error, kind: ErrorKind) -> Error {
    another(error, kind).with_message(error.message().unwrap_or_default().to_owned())
}

/// A page where JSON or bytes were asked for: a proxy's login form with status 200.
///
/// MLflow sends every artifact, also one that is HTML, as an attachment (3.17 and 2.x).
pub(super) fn refuse_page(response: &HttpResponse) -> Result<()> {
    if !response.is_html() || response.headers().contains_key(CONTENT_DISPOSITION) {
        return Ok(());
    }
    Err(response
        .error(ErrorKind::Protocol)
        .with_message("a web page came instead of an answer of MLflow")
        .with_hint("a login page may stand before the server: check the URL and the credential"))
}

/// There is no such object.
pub(super) fn missing(operation: &'static str, key: &Key) -> Error {
    Error::new(ErrorKind::NotFound, operation, key.to_string())
}

/// The name is a directory's.
pub(super) fn is_directory(operation: &'static str, key: &Key) -> Error {
    Error::new(ErrorKind::IsDirectory, operation, key.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_kind() {
        let no_code = r#"{"detail":"Not Found"}"#;
        let code = |code: &str| format!(r#"{{"error_code":"{code}","message":"x"}}"#);
        let outside = r#"{"error_code":"INVALID_PARAMETER_VALUE","message":"Invalid path: resolved
            path is outside the artifact directory"}"#;
        let rows = [
            (400, "…refers to a directory, not a file".to_owned(), ErrorKind::IsDirectory),
            (400, outside.to_owned(), ErrorKind::Refused),
            (400, code("INVALID_PARAMETER_VALUE"), ErrorKind::InvalidKey),
            (401, "You are not authenticated.".to_owned(), ErrorKind::Unauthenticated),
            (404, code("RESOURCE_DOES_NOT_EXIST"), ErrorKind::NotFound),
            (404, no_code.to_owned(), ErrorKind::NotFound),
            (412, "the file's own bytes".to_owned(), ErrorKind::Changed),
            (503, "run with `--no-serve-artifacts`".to_owned(), ErrorKind::Unsupported),
            (503, "Run with `--serve-artifacts`".to_owned(), ErrorKind::Unsupported),
            (503, "in `--artifacts-only` mode".to_owned(), ErrorKind::Unsupported),
            (503, "busy".to_owned(), ErrorKind::Unavailable),
        ];
        for (status, body, kind) in rows {
            let status = StatusCode::from_u16(status).expect("a status");
            let plain = mlfetch_http::error_kind_of_status(status).expect("a failure");
            let error = explain(Error::new(plain, "read", "x"), status, body.as_bytes());
            assert_eq!(error.kind(), kind, "{status} {body}");
            assert!(!error.to_string().contains("own bytes"), "{error}");
        }
    }
}
