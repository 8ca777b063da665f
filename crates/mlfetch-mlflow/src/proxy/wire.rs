//! What the server answers, as JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};

/// `GET …/mlflow-artifacts/artifacts?path=`: `{}` for what is empty, missing or a file alike.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Files {
    #[serde(default)]
    pub(super) files: Vec<FileRow>,
}

/// One row of a listing.
#[derive(Debug, Deserialize)]
pub(super) struct FileRow {
    /// A basename; what else it may hold is not trusted.
    pub(super) path: String,
    #[serde(default)]
    pub(super) is_dir: bool,
    /// MLflow 3.17 leaves it out for a directory, for an empty file, and where it does not know.
    #[serde(default, deserialize_with = "size")]
    pub(super) file_size: Option<u64>,
}

/// `GET /api/3.0/mlflow/server-info`, as far as downloads go.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Capabilities {
    #[serde(default)]
    pub(super) multipart_downloads_enabled: bool,
}

/// `GET …/mlflow-artifacts/presigned/<key>`. The URL is a secret.
#[derive(Deserialize)]
pub(super) struct Presigned {
    pub(super) url: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "size")]
    pub(super) file_size: Option<u64>,
}

impl fmt::Debug for Presigned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Presigned")
            .field("file_size", &self.file_size)
            .finish_non_exhaustive()
    }
}

/// The error code of MLflow's own errors; empty for other text.
pub(super) fn error_code(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Failure {
        error_code: String,
    }
    serde_json::from_slice::<Failure>(body).map(|failure| failure.error_code).unwrap_or_default()
}

/// A size as a number, or as the text that protobuf's JSON makes of 64-bit numbers.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Size {
        Number(u64),
        Text(String),
    }
    Ok(match Option::<Size>::deserialize(deserializer)? {
        Some(Size::Number(size)) => Some(size),
        Some(Size::Text(text)) => Some(text.parse().map_err(serde::de::Error::custom)?),
        None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_a_text_or_missing() {
        let text = r#"{"files":[{"path":"a","file_size":3},{"path":"b","file_size":"4"},
            {"path":"c","is_dir":true},{"path":"d","file_size":null}]}"#;
        let files: Files = serde_json::from_str(text).expect("files");
        let sizes: Vec<_> = files.files.iter().map(|row| row.file_size).collect();
        assert_eq!(sizes, [Some(3), Some(4), None, None]);
        assert!(serde_json::from_str::<Files>("{}").expect("none").files.is_empty());
    }

    #[test]
    fn a_signed_url_is_not_printed() {
        let text = r#"{"url":"http://b/k?X-Amz-Signature=abc","headers":{},"file_size":1}"#;
        let presigned: Presigned = serde_json::from_str(text).expect("an answer");
        assert!(!format!("{presigned:?}").contains("abc"));
    }

    #[test]
    fn only_mlflows_own_errors_have_a_code() {
        assert_eq!(error_code(br#"{"error_code":"NOT_IMPLEMENTED"}"#), "NOT_IMPLEMENTED");
        assert_eq!(error_code(b"<html>"), "");
    }
}
