//! Who takes part in what the engine does, where an observer only listens.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_store::Store;

use super::{FileError, Proof};
use crate::RelativePath;
use crate::manifest::Sha256Sum;
use crate::resolve::Target;

/// Takes part in what an engine does: it sees each store, and can keep a file from its name.
#[async_trait]
pub trait Witness: fmt::Debug + Send + Sync {
    /// A store was opened for a place. Nothing was asked of it yet; who it saw
    /// ([`Store::identity`]) is known later.
    fn opened(&self, place: &Target, store: &Arc<dyn Store>);

    /// A file is whole and proven, and gets its name when this returns.
    ///
    /// # Errors
    /// Whatever keeps the file from its name.
    async fn committing(&self, file: &Sealed<'_>) -> Result<(), FileError>;
}

/// A file that is whole and proven, and has no name yet.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Sealed<'a> {
    /// The path that it will have, below the destination.
    pub path: &'a RelativePath,
    /// Where it came from, safe to show.
    pub source: &'a str,
    /// Size in bytes.
    pub size: u64,
    /// The version or generation that it is.
    pub version: Option<&'a str>,
    /// Its entity tag.
    pub etag: Option<&'a str>,
    /// What was proven of it.
    pub proof: &'a Proof,
    /// Where somebody asked for it.
    pub sha256: Option<&'a Sha256Sum>,
}
