//! Text for records: without secrets, and not too long.

use mlfetch_store::{Location, SafeText, escape};

/// Words in a query that make it a credential.
const SECRETS: [&str; 8] =
    ["sig", "token", "delegation", "password", "secret", "credential", "accesskey", "x-amz-"];

/// A URI or path as it was given, without user, password, and a query that may be a credential.
pub(super) fn uri(given: &str) -> String {
    let shown = Location::parse(given)
        .map_or_else(|_| escape(given.as_bytes()), |location| location.to_string());
    let shown = match shown.split_once('?') {
        Some((before, query)) if is_secret(query) => format!("{before}?[left out]"),
        _ => shown,
    };
    text(&shown)
}

/// Words that are safe already, cut where nobody reads on.
pub(super) fn text(words: &str) -> String {
    SafeText::new(words.as_bytes(), []).as_str().to_owned()
}

fn is_secret(query: &str) -> bool {
    let query = query.to_ascii_lowercase();
    SECRETS.iter().any(|word| query.contains(word))
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
