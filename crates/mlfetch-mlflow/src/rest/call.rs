//! One call of the interface, as data.

use mlfetch_http::Method;
use mlfetch_store::escape;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// One call: what is asked, and what to call it when it fails.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Below the server's URL, `/api/…`.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<serde_json::Value>,
    pub(super) operation: &'static str,
    pub(super) subject: String,
}

impl Call {
    /// A `GET` below `/api/2.0/mlflow/`.
    pub(super) fn get(endpoint: &str) -> Self {
        Self {
            method: Method::GET,
            path: format!("/api/2.0/mlflow/{endpoint}"),
            query: Vec::new(),
            body: None,
            operation: "ask",
            subject: endpoint.to_owned(),
        }
    }

    /// A `POST` of JSON below `/api/2.0/mlflow/`.
    pub(super) fn post(endpoint: &str, body: serde_json::Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(endpoint) }
    }

    /// With one more pair in the query.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.query.push((name, value.to_owned()));
        self
    }

    /// With what to call it when it fails.
    pub(super) fn named(mut self, operation: &'static str, subject: &str) -> Self {
        self.operation = operation;
        self.subject = escape(subject.as_bytes());
        self
    }
}

/// A value as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A value in quotes for a filter of MLflow's: it has no escapes, so the other quotes are taken
/// for a text that holds one kind. A text with both cannot be asked for.
pub(super) fn quoted(text: &str) -> Option<String> {
    let quote = ['\'', '"'].into_iter().find(|quote| !text.contains(*quote))?;
    Some(format!("{quote}{text}{quote}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_the_quotes_that_the_text_does_not_hold() {
        assert_eq!(quoted("a b").as_deref(), Some("'a b'"));
        assert_eq!(quoted("a'b").as_deref(), Some("\"a'b\""));
        assert_eq!(quoted("'\""), None);
    }

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(segment("../x?y#z%"), "%2E%2E%2Fx%3Fy%23z%25");
    }
}
