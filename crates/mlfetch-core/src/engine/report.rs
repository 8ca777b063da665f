//! What is told while a tree arrives, and after.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{FileFailure, Proof};
use crate::RelativePath;
use crate::manifest::{Manifest, ManifestRow};

/// Why a file was not fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// It is there already and did not change.
    Unchanged,
    /// It is there already and may not be replaced.
    Exists,
}

/// What happened, mostly to one file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// It would be fetched (dry run).
    Planned {
        /// Where it would land.
        path: &'a RelativePath,
        /// Its size in bytes, if the store says.
        size: Option<u64>,
    },
    /// It was left alone.
    Skipped {
        /// Where it is.
        path: &'a RelativePath,
        /// Why.
        reason: SkipReason,
    },
    /// It has its final name.
    Committed {
        /// Where it landed.
        path: &'a RelativePath,
        /// Its size in bytes.
        size: u64,
        /// What was proven of it.
        proof: &'a Proof,
    },
    /// Another process brings the same to the same destination. It is waited for; what it leaves undone
    /// is brought then.
    Waits {
        /// Its number, if it is a process of this machine.
        process: Option<u32>,
    },
    /// It did not belong to the tree, and is gone, or would go (dry run).
    Deleted {
        /// Where it was.
        path: &'a RelativePath,
    },
    /// It did not arrive.
    Failed(&'a FileFailure),
}

/// Is told what happens. Best effort: it returns nothing and must not block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn event(&self, _event: &Event<'_>) {}
}

/// Counters that a renderer reads whenever it draws.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files found so far.
    pub found_files: AtomicU64,
    /// Bytes of the files found so far that are to be fetched, where the store says; those of
    /// files that were skipped or failed are taken out again.
    pub found_bytes: AtomicU64,
    /// Files that are finished: arrived, skipped or failed.
    pub done_files: AtomicU64,
    /// Bytes that arrived, of finished and unfinished files. Those of a file that begins again are
    /// taken out.
    pub done_bytes: AtomicU64,
    /// 1 once everything was found.
    pub all_found: AtomicU64,
}

impl Progress {
    pub(super) fn found(&self, size: Option<u64>) {
        self.found_files.fetch_add(1, Ordering::Relaxed);
        self.found_bytes.fetch_add(size.unwrap_or_default(), Ordering::Relaxed);
    }

    pub(super) fn done(&self) {
        self.done_files.fetch_add(1, Ordering::Relaxed);
    }

    /// A file was found, and it will not come.
    pub(super) fn lost(&self, size: Option<u64>) {
        self.found_bytes.fetch_sub(size.unwrap_or_default(), Ordering::Relaxed);
        self.done();
    }

    pub(super) fn found_all(&self) {
        self.all_found.store(1, Ordering::Relaxed);
    }
}

/// Counts the bytes of one file, so that they can be taken back.
#[derive(Debug)]
pub(super) struct Meter {
    progress: Arc<Progress>,
    has_size: bool,
    counted: AtomicU64,
    /// Those of them that an earlier fetch had brought.
    kept: AtomicU64,
}

impl Meter {
    pub(super) fn new(progress: &Arc<Progress>, size: Option<u64>) -> Self {
        let progress = Arc::clone(progress);
        Self {
            progress,
            has_size: size.is_some(),
            counted: AtomicU64::new(0),
            kept: AtomicU64::new(0),
        }
    }

    /// Some more bytes arrived. Those of a file without a known size are found as they arrive.
    pub(super) fn add(&self, count: usize) {
        self.count(count as u64);
    }

    /// Some bytes need not come: an earlier fetch brought them.
    pub(super) fn keep(&self, count: u64) {
        self.kept.fetch_add(count, Ordering::Relaxed);
        self.count(count);
    }

    pub(super) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    fn count(&self, count: u64) {
        self.counted.fetch_add(count, Ordering::Relaxed);
        if !self.has_size {
            self.progress.found_bytes.fetch_add(count, Ordering::Relaxed);
        }
        self.progress.done_bytes.fetch_add(count, Ordering::Relaxed);
    }

    /// What was counted does not count: the file begins again, or will not come.
    pub(super) fn take_back(&self) {
        self.kept.store(0, Ordering::Relaxed);
        let count = self.counted.swap(0, Ordering::Relaxed);
        self.progress.done_bytes.fetch_sub(count, Ordering::Relaxed);
        if !self.has_size {
            self.progress.found_bytes.fetch_sub(count, Ordering::Relaxed);
        }
    }
}

/// What a fetch did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Where what was asked for lies now: the path MLflow prints.
    pub path: PathBuf,
    /// Files that arrived.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// Bytes of those files that did not come again: an earlier fetch, which ended before they were
    /// whole, had brought them.
    pub resumed_bytes: u64,
    /// Files that were there and unchanged, or not to be replaced.
    pub unchanged: u64,
    /// Files that did not belong to the tree and are gone, or would go (dry run).
    pub deleted: u64,
    /// Files that would be fetched (dry run).
    pub planned: u64,
    /// Bytes that would be fetched, where the store says (dry run).
    pub planned_bytes: u64,
    /// What was proven, and of how many files.
    pub proofs: BTreeMap<Proof, u64>,
    /// The ways the bytes came: a backend's name, with the way it took where it has several; and
    /// why, where there was a choice.
    pub ways: BTreeMap<String, Option<String>>,
    /// Files that failed.
    pub failures: Vec<FileFailure>,
    /// What the tree is made of, where [`FetchSettings`](super::FetchSettings) ask for digests and
    /// nothing failed.
    pub manifest: Option<Manifest>,
}

impl Report {
    /// Whether nothing was found at all.
    pub fn is_empty(&self) -> bool {
        self.files + self.unchanged + self.planned == 0 && self.failures.is_empty()
    }

    /// Takes what is known of a file into the manifest, if there is one.
    pub(super) fn note_row(&mut self, path: &RelativePath, row: Option<ManifestRow>) {
        if let (Some(manifest), Some(row)) = (&mut self.manifest, row) {
            manifest.insert(path.clone(), row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(progress: &Progress) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&progress.found_bytes), read(&progress.done_bytes))
    }

    #[test]
    fn bytes_that_come_twice_count_once() {
        let progress = Arc::new(Progress::default());
        progress.found(Some(10));
        let meter = Meter::new(&progress, Some(10));
        meter.add(7);
        meter.take_back();
        assert_eq!(counts(&progress), (10, 0));
        meter.add(10);
        assert_eq!(counts(&progress), (10, 10));
    }

    #[test]
    fn bytes_of_a_file_without_a_size_are_found_as_they_arrive() {
        let progress = Arc::new(Progress::default());
        progress.found(None);
        let meter = Meter::new(&progress, None);
        meter.add(7);
        assert_eq!(counts(&progress), (7, 7));
        meter.take_back();
        assert_eq!(counts(&progress), (0, 0));
    }
}
