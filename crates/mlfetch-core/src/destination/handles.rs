//! The directories below the destination, by handle.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::{DestinationError, DestinationProblem};
use crate::RelativePath;

/// Handles that are kept open: a tree is fetched almost in order, so that few serve one of any size.
const MAX_OPEN: usize = 64;

/// Of the handles of the process no larger part is kept.
const MAX_SHARE: u64 = 8;

/// When it is given up to wait for a handle that comes free: after a second in all.
const MAX_PAUSE: Duration = Duration::from_millis(512);

/// Another process may remove an empty directory between two calls of ours.
const MAX_TRIES: usize = 8;

pub(super) const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

type Result<T> = std::result::Result<T, DestinationError>;

/// The destination's own handle, and those of directories below it.
#[derive(Debug)]
pub(super) struct Handles {
    path: PathBuf,
    root: Arc<OwnedFd>,
    max_open: usize,
    open: Mutex<HashMap<RelativePath, Arc<OwnedFd>>>,
    /// Directories that this fetch made and that hold no file of it yet.
    made: Mutex<HashSet<RelativePath>>,
}

impl Handles {
    pub(super) fn new(path: PathBuf, root: OwnedFd) -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let share = limit.map_or(u64::MAX, |limit| limit / MAX_SHARE);
        let max_open = usize::try_from(share).map_or(MAX_OPEN, |share| share.min(MAX_OPEN));
        let root = Arc::new(root);
        Self { path, root, max_open, open: Mutex::default(), made: Mutex::default() }
    }

    pub(super) fn root(&self) -> &Arc<OwnedFd> {
        &self.root
    }

    /// The handle of a directory, made where it is missing, and those above it too.
    pub(super) fn make(&self, path: &RelativePath) -> Result<Arc<OwnedFd>> {
        if let Some(open) = self.opened(path) {
            return Ok(open);
        }
        let (parent, name) = path.split();
        let parent = self.make_or_root(parent.as_ref())?;
        let (handle, is_new) = self
            .sparing_handles(|| open_or_make(&parent, name))
            .map_err(|errno| self.way_error(path, errno))?;
        if is_new {
            lock(&self.made).insert(path.clone());
        }
        Ok(self.keep(path, handle))
    }

    /// The handle of a directory, made where it is missing; the destination's own for none.
    pub(super) fn make_or_root(&self, path: Option<&RelativePath>) -> Result<Arc<OwnedFd>> {
        path.map_or_else(|| Ok(Arc::clone(&self.root)), |path| self.make(path))
    }

    /// The handle of a directory if it is there; the destination's own for none.
    pub(super) fn find(&self, path: Option<&RelativePath>) -> Result<Option<Arc<OwnedFd>>> {
        let Some(path) = path else { return Ok(Some(Arc::clone(&self.root))) };
        if let Some(open) = self.opened(path) {
            return Ok(Some(open));
        }
        let (parent, name) = path.split();
        let Some(parent) = self.find(parent.as_ref())? else { return Ok(None) };
        match self.sparing_handles(|| open_directory(&parent, name)) {
            Ok(handle) => Ok(Some(self.keep(path, handle))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.way_error(path, errno)),
        }
    }

    /// Forgets the handles: one of them is of a directory that somebody removed.
    pub(super) fn forget(&self) {
        lock(&self.open).clear();
    }

    /// Notes that a file has its final name: the directories it lies in are not empty any more. Gives
    /// those of them that this fetch made and that held none before.
    pub(super) fn holds(&self, file: &RelativePath) -> Vec<RelativePath> {
        let mut made = lock(&self.made);
        if made.is_empty() {
            return Vec::new();
        }
        file.directories().filter(|directory| made.remove(directory)).collect()
    }

    /// Writes the name of a directory through to the disk.
    pub(super) fn sync_name(&self, directory: &RelativePath) -> Result<()> {
        let Some(parent) = self.find(directory.split().0.as_ref())? else { return Ok(()) };
        let synced = retry_on_intr(|| rustix::fs::fsync(&parent));
        synced.map_err(|errno| {
            DestinationError::from_errno(self.path.join(directory.as_path()), errno)
        })
    }

    /// Removes the directories that were made for files that did not come.
    pub(super) fn remove_empty(&self) {
        let mut made: Vec<RelativePath> = lock(&self.made).drain().collect();
        self.forget();
        // What lies in another has the longer name.
        made.sort_by_key(|path| std::cmp::Reverse(path.as_bytes().len()));
        for path in made {
            let (parent, name) = path.split();
            if let Ok(Some(parent)) = self.find(parent.as_ref()) {
                // What is in use or not empty stays.
                let _ = rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR);
            }
        }
    }

    fn opened(&self, path: &RelativePath) -> Option<Arc<OwnedFd>> {
        lock(&self.open).get(path).cloned()
    }

    fn keep(&self, path: &RelativePath, handle: OwnedFd) -> Arc<OwnedFd> {
        let handle = Arc::new(handle);
        let mut open = lock(&self.open);
        if open.len() >= self.max_open {
            open.clear();
        }
        open.insert(path.clone(), Arc::clone(&handle));
        handle
    }

    /// Tries again without the handles that are kept, if the process has none left; and once more
    /// and again, as those that others use at this moment come free.
    pub(super) fn sparing_handles<T>(
        &self,
        open: impl Fn() -> rustix::io::Result<T>,
    ) -> rustix::io::Result<T> {
        let mut pause = Duration::from_millis(1);
        loop {
            match open() {
                Err(Errno::MFILE | Errno::NFILE) if pause < MAX_PAUSE => {
                    self.forget();
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                done => return done,
            }
        }
    }

    /// `O_NOFOLLOW | O_DIRECTORY` answers `ENOTDIR` for a link too: look which it is.
    fn way_error(&self, path: &RelativePath, errno: Errno) -> DestinationError {
        let mut part = self.path.clone();
        for segment in path.segments() {
            part.push(segment);
            match std::fs::symlink_metadata(&part) {
                Ok(found) if found.is_symlink() => {
                    return DestinationError::new(part, DestinationProblem::Link);
                }
                Ok(found) if !found.is_dir() => {
                    return DestinationError::new(part, DestinationProblem::NotADirectory);
                }
                _ => {}
            }
        }
        DestinationError::from_errno(part, errno)
    }
}

/// A thread that panicked left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_directory(parent: &OwnedFd, segment: &OsStr) -> rustix::io::Result<OwnedFd> {
    let flags = DIRECTORY | OFlags::NOFOLLOW;
    retry_on_intr(|| rustix::fs::openat(parent.as_fd(), segment, flags, Mode::empty()))
}

/// The handle, and whether the directory was made by this call.
fn open_or_make(parent: &OwnedFd, segment: &OsStr) -> rustix::io::Result<(OwnedFd, bool)> {
    for _ in 0..MAX_TRIES {
        match open_directory(parent, segment) {
            Err(Errno::NOENT) => {}
            opened => return opened.map(|handle| (handle, false)),
        }
        let made = match rustix::fs::mkdirat(parent.as_fd(), segment, Mode::from_raw_mode(0o777)) {
            Ok(()) => true,
            // Another task of ours, or another process, was faster.
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(errno),
        };
        match open_directory(parent, segment) {
            Err(Errno::NOENT) => {}
            opened => return opened.map(|handle| (handle, made)),
        }
    }
    Err(Errno::NOENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_without_a_file_are_remembered() {
        let home = tempfile::tempdir().expect("a directory");
        let root = rustix::fs::open(home.path(), DIRECTORY, Mode::empty()).expect("a handle");
        let handles = Handles::new(home.path().to_owned(), root);
        let path = |text: &str| RelativePath::new(text).expect("a path");
        for directory in ["a/b/c", "a/d", "e"] {
            handles.make(&path(directory)).expect("made");
        }
        assert_eq!(lock(&handles.made).len(), 5);
        let held = handles.holds(&path("a/b/file"));
        assert_eq!(held, [path("a/b"), path("a")]);
        assert_eq!(handles.holds(&path("a/b/another")), []);
        held.iter().try_for_each(|held| handles.sync_name(held)).expect("synced");
        let mut left: Vec<String> = lock(&handles.made).iter().map(ToString::to_string).collect();
        left.sort();
        assert_eq!(left, ["a/b/c", "a/d", "e"]);
    }
}
