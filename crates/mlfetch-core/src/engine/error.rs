//! What can end a fetch.

use std::fmt;

use mlfetch_store::{Error as StoreError, ErrorKind};

use super::Report;
use crate::destination::{DestinationError, DestinationProblem};
use crate::{NameRefusal, RelativePath};

/// Why one file did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The store did not give it, or not the right bytes.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The destination did not take it.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// Its name cannot be a path on disk.
    #[error("cannot give `{name}` a path on disk: {refusal}")]
    Name {
        /// The name, safe to show.
        name: String,
        /// The rule it breaks.
        refusal: NameRefusal,
    },
}

impl FileError {
    /// Whether it concerns this one name only, so that going on to the next file is right even
    /// when a failure is to stop the rest.
    pub(super) fn is_about_the_name(&self) -> bool {
        match self {
            Self::Name { .. } => true,
            Self::Store(error) => {
                matches!(error.kind(), ErrorKind::InvalidKey | ErrorKind::Refused)
            }
            Self::Destination(error) => error.problem() == DestinationProblem::Name,
        }
    }

    /// What to do next, if something is known to help.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Destination(error) => error.hint(),
            Self::Name { .. } => Some("leave it out with --exclude, or rename it in the store"),
        }
    }
}

/// One file that did not arrive.
#[derive(Debug)]
#[non_exhaustive]
pub struct FileFailure {
    /// Its path below the destination, or its key if it has no path; safe to show.
    pub path: String,
    /// Why.
    pub error: FileError,
}

impl FileFailure {
    pub(super) fn new(path: impl fmt::Display, error: impl Into<FileError>) -> Self {
        Self { path: path.to_string(), error: error.into() }
    }

    pub(super) fn name(path: &mlfetch_store::Key, refusal: NameRefusal) -> Self {
        Self::new(path, FileError::Name { name: path.to_string(), refusal })
    }

    /// The task that fetched it panicked.
    pub(super) fn panicked(path: &RelativePath, cause: tokio::task::JoinError) -> Self {
        let error = StoreError::new(ErrorKind::Other, "fetch", path.to_string());
        Self::new(path, error.with_source(cause))
    }
}

impl fmt::Display for FileFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.error)
    }
}

/// What ended a fetch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// What was asked for could not be found, opened or listed.
    #[error(transparent)]
    Source(#[from] StoreError),
    /// The destination cannot be used.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// A file failed, and with it the rest was stopped.
    #[error("{}", .0.error)]
    File(Box<FileFailure>),
    /// Some files failed; all others arrived.
    #[error("{} of {} files failed", .0.failures.len(), .0.failures.len() as u64 + .0.files + .0.unchanged)]
    Some(Box<Report>),
    /// All files arrived, each as its store has it, and the tree is not the one that was expected.
    #[error("{error}")]
    Expected {
        /// In what it differs.
        error: StoreError,
        /// What did arrive.
        report: Box<Report>,
    },
}
