//! What the destination's tests share.

use std::path::Path;

use super::DestinationError;
use super::commit::{Commit, Replace};
use super::directory::Destination;
use crate::RelativePath;

pub(super) const REPLACE: Commit = Commit { replace: Replace::Freely, fsync: true, modified: None };

pub(super) fn path(text: &str) -> RelativePath {
    RelativePath::new(text).expect("a relative path")
}

pub(super) fn write(
    destination: &Destination,
    name: &str,
    bytes: &[u8],
) -> Result<(), DestinationError> {
    destination.put(&path(name), bytes, &REPLACE)
}

/// The names in a directory.
pub(super) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("listed");
    entries.map(|row| row.expect("a row").file_name().to_string_lossy().into_owned()).collect()
}
