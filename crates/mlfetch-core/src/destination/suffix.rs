//! What is put behind the name of a file to keep it.

use std::ffi::{OsStr, OsString};

use mlfetch_store::{Error, ErrorKind};

/// What is put behind the name of a file that would be replaced, to keep it.
///
/// ```
/// use mlfetch_core::destination::BackupSuffix;
/// assert!(BackupSuffix::new(".bak").is_ok());
/// assert!(BackupSuffix::new("/bak").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSuffix(OsString);

impl BackupSuffix {
    /// A suffix: some characters, none of which is `/` or NUL.
    ///
    /// # Errors
    /// `InvalidInput` for any other.
    pub fn new(text: &str) -> Result<Self, Error> {
        if text.is_empty() || text.contains(['/', '\0']) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "keep backups under",
                mlfetch_store::escape(text.as_bytes()),
            )
            .with_message("a suffix has characters, and no `/` among them")
            .with_hint("for example `.bak` or `~`"));
        }
        Ok(Self(text.into()))
    }

    /// The name of a file's backup.
    pub(super) fn behind(&self, name: &OsStr) -> OsString {
        let mut backup = name.to_owned();
        backup.push(&self.0);
        backup
    }
}
