//! What a tree is made of: a row for each file, one digest for all of them, and the lists that
//! `sha256sum` writes.
//!
//! A manifest says nothing of when or how long: the same files from the same places give the same
//! bytes.

mod document;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod line;
mod lock;
mod row;
mod save;
mod sha256;
mod sums;
mod tree;

pub use document::Manifest;
pub use lock::Lock;
pub use row::ManifestRow;
pub(crate) use row::{hex, unhex};
pub use save::check_place;
pub use sha256::Sha256Sum;
pub use sums::Sums;
pub use tree::TreeDigest;

use mlfetch_store::{Error, ErrorKind};

/// The largest list or manifest that is read, in bytes.
const MAX_LIST_BYTES: u64 = 1024 * 1024 * 1024;

/// Reads a whole file that somebody named.
fn read_file(path: &std::path::Path, operation: &'static str) -> Result<Vec<u8>, Error> {
    use std::io::Read as _;
    let shown = || mlfetch_store::escape(path.as_os_str().as_encoded_bytes());
    let failed = |cause: std::io::Error| {
        let kind = match cause.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            _ => ErrorKind::Io,
        };
        let error = Error::new(kind, operation, shown()).with_source(cause);
        error.with_hint("check the path, and that this user may read the file")
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    let read = file.take(MAX_LIST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if read as u64 > MAX_LIST_BYTES {
        return Err(Error::new(ErrorKind::InvalidInput, operation, shown())
            .with_message(format!("it is larger than {MAX_LIST_BYTES} bytes")));
    }
    Ok(bytes)
}
