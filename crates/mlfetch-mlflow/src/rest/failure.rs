//! What a server's refusal means.

use mlfetch_http::StatusCode;
use mlfetch_store::{Error, ErrorKind, Retry, SafeText, Secret};
use serde::Deserialize;

const WRONG_SERVER: &str = "check MLFLOW_TRACKING_URI, also its path: what answers there is not an MLflow server, or a \
     sign-in page in front of it";

/// An answer that is not a success.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    status: StatusCode,
    /// MLflow's own code, if the answer is MLflow's.
    code: Option<String>,
}

/// MLflow's errors (`error_code` and `message`).
#[derive(Debug, Deserialize)]
struct Body {
    error_code: String,
    #[serde(default)]
    message: String,
}

impl Failure {
    /// Reads an answer: `error` is what its status says, `body` its body.
    pub(super) fn read(error: &Error, status: StatusCode, body: &[u8], secrets: &[Secret]) -> Self {
        let told: Option<Body> = serde_json::from_slice(body).ok();
        let error = match &told {
            Some(told) => from_mlflow(error, told, secrets),
            None => from_elsewhere(error, status, body, secrets),
        };
        Self { error: with_hint(error), status, code: told.map(|told| told.error_code) }
    }

    /// Whether the server knows the endpoint and says that the thing is not there. An alias that is
    /// not there is a bad parameter to MLflow 3.17.
    pub(super) fn is_missing(&self) -> bool {
        match self.code.as_deref() {
            Some("RESOURCE_DOES_NOT_EXIST" | "NOT_FOUND") => true,
            Some("INVALID_PARAMETER_VALUE") => {
                self.error.message().is_some_and(|message| message.contains("not found"))
            }
            _ => false,
        }
    }

    /// Whether the server does not have the endpoint at all: it is older, or not MLflow.
    pub(super) fn is_endpoint_missing(&self) -> bool {
        let absent = matches!(self.status.as_u16(), 404 | 405 | 501);
        absent && matches!(self.code.as_deref(), None | Some("ENDPOINT_NOT_FOUND"))
    }
}

/// An answer that should have been JSON and is not.
pub(super) fn not_json(error: Error, html: bool) -> Error {
    let what = if html { "the answer is a web page" } else { "the answer is not MLflow's JSON" };
    error.with_message(what).with_hint(WRONG_SERVER)
}

fn from_mlflow(error: &Error, told: &Body, secrets: &[Secret]) -> Error {
    let kind = kind_of_code(&told.error_code).unwrap_or(error.kind());
    let words = format!("{}: {}", told.error_code, told.message);
    let words = SafeText::new(words.as_bytes(), secrets.iter().map(Secret::expose));
    let told = Error::new(kind, error.operation(), error.subject())
        .with_message(format!("the server answered {words}"));
    match error.retry() {
        verdict @ Retry::After(_) if kind == ErrorKind::Unavailable => told.with_retry(verdict),
        _ => told,
    }
}

/// The error as its status has it, except where MLflow or what stands in its place is known better.
fn from_elsewhere(error: &Error, status: StatusCode, body: &[u8], secrets: &[Secret]) -> Error {
    let message = error.message().unwrap_or_default().to_owned();
    let again =
        |kind| Error::new(kind, error.operation(), error.subject()).with_message(message.clone());
    // MLflow 3.17 says 503 for a part of it that is switched off; waiting will not switch it on.
    if status == StatusCode::SERVICE_UNAVAILABLE
        && String::from_utf8_lossy(body).contains("disabled due to the mlflow server")
    {
        let words = SafeText::new(body, secrets.iter().map(Secret::expose));
        return again(ErrorKind::Unsupported).with_message(format!("the server answered: {words}"));
    }
    // MLflow itself says 404 in JSON: a page that is not there is another server's.
    if matches!(status.as_u16(), 404 | 405 | 410) {
        return again(ErrorKind::Protocol).with_hint(WRONG_SERVER);
    }
    again(error.kind()).with_retry(error.retry())
}

fn kind_of_code(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "RESOURCE_DOES_NOT_EXIST" | "NOT_FOUND" => ErrorKind::NotFound,
        "INVALID_PARAMETER_VALUE" | "BAD_REQUEST" | "MALFORMED_REQUEST" => ErrorKind::InvalidInput,
        "PERMISSION_DENIED" => ErrorKind::PermissionDenied,
        "UNAUTHENTICATED" | "CUSTOMER_UNAUTHORIZED" => ErrorKind::Unauthenticated,
        "TEMPORARILY_UNAVAILABLE"
        | "REQUEST_LIMIT_EXCEEDED"
        | "RESOURCE_EXHAUSTED"
        | "RESOURCE_LIMIT_EXCEEDED"
        | "INTERNAL_ERROR" => ErrorKind::Unavailable,
        "ENDPOINT_NOT_FOUND" | "NOT_IMPLEMENTED" | "FEATURE_DISABLED" => ErrorKind::Unsupported,
        _ => return None,
    })
}

fn with_hint(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Unauthenticated => error.with_hint(
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        ),
        ErrorKind::PermissionDenied => {
            error.with_hint("ask for the permission to read it, or sign in as somebody else")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Failure {
        let status = StatusCode::from_u16(status).expect("a status");
        let kind = mlfetch_http::error_kind_of_status(status).expect("not a success");
        let error = Error::new(kind, "find", "x").with_message("the server answered");
        Failure::read(&error, status, body.as_bytes(), &[Secret::new("hunter2")])
    }

    #[test]
    fn mlflows_own_code_wins_over_the_status() {
        let rows = [
            (404, "RESOURCE_DOES_NOT_EXIST", ErrorKind::NotFound),
            (500, "RESOURCE_DOES_NOT_EXIST", ErrorKind::NotFound),
            (400, "INVALID_PARAMETER_VALUE", ErrorKind::InvalidInput),
            (403, "PERMISSION_DENIED", ErrorKind::PermissionDenied),
            (400, "TEMPORARILY_UNAVAILABLE", ErrorKind::Unavailable),
            (500, "INTERNAL_ERROR", ErrorKind::Unavailable),
            (401, "SOMETHING_NEW", ErrorKind::Unauthenticated),
        ];
        for (status, code, kind) in rows {
            let failure = read(status, &format!(r#"{{"error_code":"{code}","message":"m"}}"#));
            assert_eq!(failure.error.kind(), kind, "{status} {code}");
        }
    }

    #[test]
    fn a_page_that_is_not_there_is_another_server() {
        let failure = read(404, "<html>Not Found</html>");
        assert_eq!(failure.error.kind(), ErrorKind::Protocol);
        assert!(failure.is_endpoint_missing() && !failure.is_missing());
        assert!(failure.error.hint().is_some_and(|hint| hint.contains("MLFLOW_TRACKING_URI")));
    }

    #[test]
    fn a_part_that_is_switched_off_is_not_asked_again() {
        let body = "Endpoint: /x disabled due to the mlflow server running in `--artifacts-only`";
        let failure = read(503, body);
        assert_eq!(failure.error.kind(), ErrorKind::Unsupported);
        assert_eq!(failure.error.retry(), Retry::Never);
        assert_eq!(read(503, "busy").error.retry(), Retry::Later);
    }

    #[test]
    fn our_own_secrets_are_taken_out_of_the_servers_words() {
        let failure = read(400, r#"{"error_code":"BAD_REQUEST","message":"token hunter2"}"#);
        assert!(!failure.error.to_string().contains("hunter2"), "{}", failure.error);
    }

    #[test]
    fn an_alias_that_is_not_there_counts_as_missing() {
        let body = r#"{"error_code":"INVALID_PARAMETER_VALUE",
            "message":"Registered model alias nope not found."}"#;
        assert!(read(400, body).is_missing());
    }
}
