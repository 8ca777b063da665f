//! Text for records: without secrets, and not too long.

use mlfetch_store::{Location, SafeText};

/// A URI or path as it was given, without user, password, and a query that may be a credential.
pub(super) fn uri(given: &str) -> String {
    match Location::parse(given) {
        Ok(location) => text(&location.to_string()),
        Err(error) => text(error.subject()),
    }
}

/// Words that are safe already, cut where nobody reads on.
pub(super) fn text(words: &str) -> String {
    SafeText::new(words.as_bytes(), []).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_in_a_uri_is_left_out() {
        for (given, shown) in [
            ("https://u:hunter2@h/x?y=1", "https://h/x"),
            ("mlflow-artifacts://u:hunter2@h/x", "mlflow-artifacts://h/x"),
            ("webhdfs://h/x?delegation=hunter2", "webhdfs://h/x?[left out]"),
            ("s3://b/x?X-Amz-Signature=hunter2", "s3://b/x?[left out]"),
            ("s3://b/what?", "s3://b/what?"),
            ("models:/fraud@champion", "models:/fraud@champion"),
            ("a\nb", "a\\nb"),
        ] {
            assert_eq!(uri(given), shown);
        }
        assert!(uri(&"x".repeat(5000)).len() < 1100);
    }
}
