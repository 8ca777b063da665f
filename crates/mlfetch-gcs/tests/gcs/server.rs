//! What Google Cloud Storage says, for a server that answers as a test tells it to.

pub(crate) use mlfetch_scripted::{Answer, Request, Server};

/// Answers as Cloud Storage writes them.
pub(crate) trait GcsAnswer {
    /// JSON.
    fn json(status: &str, json: &serde_json::Value) -> Self;

    /// The bytes of an object, with the headers that Cloud Storage sends.
    fn object(body: impl AsRef<[u8]>, headers: &[&str]) -> Self;

    /// A refusal as the JSON API writes it.
    fn error(status: &str, reason: &str, message: &str) -> Self;
}

impl GcsAnswer for Answer {
    fn json(status: &str, json: &serde_json::Value) -> Self {
        Self::new(status, &["Content-Type: application/json; charset=UTF-8"], json.to_string())
    }

    fn object(body: impl AsRef<[u8]>, headers: &[&str]) -> Self {
        let generation = ["x-goog-generation: 1764000000000001"];
        Self::new("200 OK", &[&generation, headers].concat(), body)
    }

    fn error(status: &str, reason: &str, message: &str) -> Self {
        let errors = [serde_json::json!({ "reason": reason, "message": message })];
        let error = serde_json::json!({ "message": message, "errors": errors });
        Self::json(status, &serde_json::json!({ "error": error }))
    }
}
