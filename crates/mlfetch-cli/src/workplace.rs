//! Where things land when no destination is given.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The directory that a fetch writes to.
#[derive(Debug)]
pub(crate) enum Workplace {
    /// It was given.
    Given(PathBuf),
    /// A new one in the temporary directory. It stays, unless nothing was put into it.
    Temporary(tempfile::TempDir),
}

impl Workplace {
    /// The given one, or a new one that only this user can enter (MLflow 3.17 makes one too, and
    /// prints its path).
    pub(crate) fn new(given: Option<&PathBuf>) -> Result<Self, Failure> {
        if let Some(path) = given {
            return Ok(Self::Given(path.clone()));
        }
        let made = tempfile::Builder::new().prefix("mlfetch-").tempdir();
        made.map(Self::Temporary).map_err(|error| {
            let directory = mlfetch::escape(std::env::temp_dir().as_os_str().as_encoded_bytes());
            Failure::said(
                &format!("cannot make a directory in `{directory}`: {error}"),
                Some("give a destination with --dst-path"),
            )
        })
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }

    /// Keeps what was put into it.
    pub(crate) fn keep(self) {
        if let Self::Temporary(directory) = self {
            let _ = directory.keep();
        }
    }
}
