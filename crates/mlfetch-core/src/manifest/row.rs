//! What a manifest says of one file.

use serde::{Deserialize, Serialize};

use super::Sha256Sum;
use crate::RelativePath;

/// What a manifest says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManifestRow {
    /// Size in bytes.
    pub size: u64,
    /// Of its bytes.
    pub sha256: Sha256Sum,
    /// Where it came from, safe to show; `None` for a file that mlfetch wrote itself.
    pub source: Option<Box<str>>,
    /// The version or generation that it is.
    pub version: Option<Box<str>>,
    /// The entity tag that it had.
    pub etag: Option<Box<str>>,
    /// What was proven of the bytes, in the words of reports.
    pub proven: Box<str>,
}

/// A row as it is written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WrittenRow {
    path: String,
    /// The exact bytes of a path that is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    size_bytes: u64,
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<Box<str>>,
    proven: Box<str>,
}

impl WrittenRow {
    pub(super) fn of(path: &RelativePath, row: &ManifestRow) -> Self {
        let bytes = path.as_bytes();
        let is_text = std::str::from_utf8(bytes).is_ok();
        Self {
            path: String::from_utf8_lossy(bytes).into_owned(),
            path_hex: (!is_text).then(|| hex(bytes)),
            size_bytes: row.size,
            sha256: row.sha256.to_string(),
            source: row.source.clone(),
            version: row.version.clone(),
            etag: row.etag.clone(),
            proven: row.proven.clone(),
        }
    }

    /// The path and the row; else what is wrong with it.
    pub(super) fn checked(self) -> Result<(RelativePath, ManifestRow), String> {
        let bytes = match &self.path_hex {
            Some(text) => unhex(text).ok_or("`path_hex` is not hexadecimal")?,
            None => self.path.clone().into_bytes(),
        };
        let path = RelativePath::new(bytes)
            .map_err(|refusal| format!("its path cannot be one: {refusal}"))?;
        let row = ManifestRow {
            size: self.size_bytes,
            sha256: self.sha256.parse().map_err(|_| "`sha256` is no digest")?,
            source: self.source,
            version: self.version,
            etag: self.etag,
            proven: self.proven,
        };
        Ok((path, row))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if !text.bytes().all(|digit| digit.is_ascii_hexdigit()) || text.len() % 2 == 1 {
        return None;
    }
    pairs.map(byte).collect()
}
