//! How to fetch.

use std::num::NonZeroUsize;

use super::{Overwrite, Verify};
use crate::{Filter, Layout};

/// How to fetch: what, where to, and how carefully.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, and a flag")]
pub struct FetchSettings {
    /// Which part of the path is kept.
    pub layout: Layout,
    /// What happens to files that are there already.
    pub overwrite: Overwrite,
    /// Which files.
    pub filter: Filter,
    /// What must be proven of the bytes.
    pub verify: Verify,
    /// Files, or parts of big files, on their way at the same time.
    pub jobs: NonZeroUsize,
    /// Go on after a file failed. A name that cannot be a path never stops the others.
    pub keep_going: bool,
    /// Say what would be done and do nothing.
    pub dry_run: bool,
    /// Write each file through to the disk before it gets its name, and then the name.
    pub fsync: bool,
    /// Note the registered model beside its files, as MLflow does.
    pub model_meta: bool,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            layout: Layout::default(),
            overwrite: Overwrite::default(),
            filter: Filter::all(),
            verify: Verify::default(),
            jobs: NonZeroUsize::new(32).unwrap_or(NonZeroUsize::MIN),
            keep_going: false,
            dry_run: false,
            fsync: false,
            model_meta: true,
        }
    }
}

impl FetchSettings {
    /// All files, as MLflow lays them out, 32 at a time, unchanged files left alone.
    pub fn new() -> Self {
        Self::default()
    }
}
