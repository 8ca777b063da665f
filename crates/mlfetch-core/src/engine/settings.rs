//! How to fetch.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::SystemTime;

use super::overwrite::Replacing;
use super::{Overwrite, Verify};
use crate::destination::{BackupSuffix, Commit, Replace};
use crate::manifest::{Sha256Sum, Sums};
use crate::{Filter, Layout, RelativePath};

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
    /// What is put behind the name of a file that would be replaced, to keep it under that name; an
    /// earlier backup goes.
    pub backup: Option<Arc<BackupSuffix>>,
    /// Files, or parts of big files, on their way at the same time; `None` for as many as it turns
    /// out to be worth: 32 at first, more while more of them end in the same time, and no more than
    /// their buffers fit into memory.
    pub jobs: Option<NonZeroUsize>,
    /// Memory for bytes on their way, all files together; one file is on its way however little it
    /// is. `None` for 64 MiB or, if [`jobs`](Self::jobs) are said, for as much as they need. What a
    /// program itself takes comes on top.
    pub max_memory_bytes: Option<NonZeroU64>,
    /// Bytes that may come in a second, all files together.
    pub bytes_per_second: Option<NonZeroU64>,
    /// Go on after a file failed. A name that cannot be a path never stops the others.
    pub keep_going: bool,
    /// Say what would be done and do nothing.
    pub dry_run: bool,
    /// Keep what arrived of big files when the fetch ends before they are whole, and continue what
    /// an earlier one kept.
    pub resume: bool,
    /// Remove what lies in the directories that were asked for and is not in the store, once all else
    /// went well. What the patterns leave out stays.
    pub delete_extraneous: bool,
    /// Files below the destination that do not belong to the tree and stay, such as its own manifest.
    pub ignored: Vec<RelativePath>,
    /// Make the tree in a directory beside the destination, and give it its name by one rename when
    /// everything is there. Nothing, or an empty directory, may be there before, unless
    /// [`backup`](Self::backup) says what to call it then.
    pub atomic: bool,
    /// Write each file through to the disk before it gets its name, and then the name.
    pub fsync: bool,
    /// Note the registered model beside its files, as MLflow does.
    pub model_meta: bool,
    /// Take the SHA-256 of each file, also of those that stay, and give the manifest of the tree in
    /// the report.
    pub manifest: bool,
    /// What the files must be. A file that is another, or that the list does not name, does not get
    /// its name; one that the list names and that does not come is a failure at the end, unless
    /// patterns leave files out.
    pub sums: Option<Arc<Sums>>,
    /// What the tree must come to.
    pub tree: Option<Sha256Sum>,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            layout: Layout::default(),
            overwrite: Overwrite::default(),
            filter: Filter::all(),
            verify: Verify::default(),
            backup: None,
            jobs: None,
            max_memory_bytes: None,
            bytes_per_second: None,
            keep_going: false,
            dry_run: false,
            resume: true,
            delete_extraneous: false,
            ignored: Vec::new(),
            atomic: false,
            fsync: false,
            model_meta: true,
            manifest: false,
            sums: None,
            tree: None,
        }
    }
}

impl FetchSettings {
    /// All files, as MLflow lays them out, as many at a time as it is worth, unchanged files left alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// How a file gets its name.
    pub(super) fn commit(&self, replacing: Replacing, modified: Option<SystemTime>) -> Commit {
        let replace = match (replacing, &self.backup) {
            (Replacing::Nothing, _) => Replace::Nothing,
            (Replacing::Theirs, Some(suffix)) => Replace::WithBackup(Arc::clone(suffix)),
            _ => Replace::Freely,
        };
        Commit { replace, fsync: self.fsync, modified }
    }

    /// Whether the SHA-256 of each file is wanted.
    pub(super) fn takes_sha256(&self) -> bool {
        !self.dry_run && (self.manifest || self.sums.is_some() || self.tree.is_some())
    }
}
