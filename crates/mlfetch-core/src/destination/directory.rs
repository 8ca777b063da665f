//! Directories below the destination, by handle.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::staging::{StagedFile, Staging};
use super::{DestinationError, DestinationProblem};
use crate::RelativePath;

/// Handles of directories that are kept open; a few hundred serve trees of any size.
const MAX_OPEN_DIRECTORIES: usize = 256;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

type Result<T> = std::result::Result<T, DestinationError>;

/// What is there under a name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Existing {
    /// Whether it is a plain file; links, directories and devices are not.
    pub is_file: bool,
    /// Size in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
}

/// The directory that receives the tree.
#[derive(Debug)]
pub struct Destination {
    path: PathBuf,
    root: Arc<OwnedFd>,
    open: Mutex<HashMap<RelativePath, Arc<OwnedFd>>>,
    staging: Staging,
    /// Directories that were made for it, the deepest first.
    made: Vec<PathBuf>,
    finished: AtomicBool,
}

impl Destination {
    /// Sees whether `path` can be a destination, without making anything: it is a directory, or
    /// is not there and what is above it is a directory.
    ///
    /// # Errors
    /// [`DestinationProblem::NotADirectory`] if it, or what is above it, is a file.
    pub fn check(path: &Path) -> Result<()> {
        for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
            match std::fs::metadata(part) {
                Ok(found) if found.is_dir() => return Ok(()),
                Ok(_) => {
                    return Err(DestinationError::new(part, DestinationProblem::NotADirectory));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    // A link that leads nowhere is not a place to make a directory.
                    if std::fs::symlink_metadata(part).is_ok() {
                        return Err(DestinationError::new(part, DestinationProblem::Link)
                            .with_detail("it is a link that leads nowhere"));
                    }
                }
                Err(error) => return Err(DestinationError::from_io(part, &error)),
            }
        }
        Ok(())
    }

    /// Opens the directory, making it and those above it where they are missing. The destination
    /// itself may be a link to a directory; nothing below it may.
    ///
    /// # Errors
    /// If it is a file, cannot be made, or cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        Self::check(path)?;
        let path =
            std::path::absolute(path).map_err(|error| DestinationError::from_io(path, &error))?;
        let made = path.ancestors().take_while(|part| !part.exists()).map(Path::to_owned).collect();
        std::fs::create_dir_all(&path).map_err(|error| DestinationError::from_io(&path, &error))?;
        let root = rustix::fs::open(&path, DIRECTORY, Mode::empty())
            .map_err(|errno| DestinationError::from_errno(&path, errno))?;
        let root = Arc::new(root);
        let staging = Staging::open(&path, &root)?;
        Ok(Self {
            path,
            root,
            open: Mutex::default(),
            staging,
            made,
            finished: AtomicBool::new(false),
        })
    }

    /// Its absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that this user can still write there.
    pub fn free_bytes(&self) -> Option<u64> {
        let found = rustix::fs::fstatvfs(&self.root).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Makes a directory, and those above it.
    ///
    /// # Errors
    /// If a file or link is in the way, or the file system refuses.
    pub fn make_directory(&self, path: &RelativePath) -> Result<()> {
        self.directory(path).map(drop)
    }

    /// What is there under this name; `None` if nothing is.
    ///
    /// # Errors
    /// If a file or link is in the way, or the file system refuses.
    pub fn existing(&self, path: &RelativePath) -> Result<Option<Existing>> {
        let (directory, name) = path.split();
        let parent = match directory {
            None => Some(Arc::clone(&self.root)),
            Some(directory) => self.find_directory(&directory)?,
        };
        let Some(parent) = parent else { return Ok(None) };
        match rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(existing_of(&found))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.error(path, errno)),
        }
    }

    /// A handle for reading a file that is there.
    ///
    /// # Errors
    /// If it is no plain file, or the file system refuses.
    pub fn open_existing(&self, path: &RelativePath) -> Result<std::fs::File> {
        let (directory, name) = path.split();
        let parent = match directory {
            None => Arc::clone(&self.root),
            Some(directory) => self.directory(&directory)?,
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        rustix::fs::openat(&parent, name, flags, Mode::empty())
            .map(std::fs::File::from)
            .map_err(|errno| self.error(path, errno))
    }

    /// A new empty file under a staging name, for what will become `path`.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn stage(&self, path: &RelativePath) -> Result<StagedFile> {
        self.staging.create().map_err(|errno| self.error(path, errno))
    }

    /// Gives a staged file its final name, in one step. `replace` says whether a file that is there
    /// under this name may go.
    ///
    /// # Errors
    /// [`DestinationProblem::Exists`] if it may not, [`DestinationProblem::IsADirectory`] if a
    /// directory is there, or what the file system says.
    pub fn commit(&self, mut staged: StagedFile, path: &RelativePath, replace: bool) -> Result<()> {
        let (directory, name) = path.split();
        let parent = match directory {
            None => Arc::clone(&self.root),
            Some(directory) => self.directory(&directory)?,
        };
        let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        rustix::fs::renameat_with(staged.directory(), staged.name(), &parent, name, flags)
            .map_err(|errno| self.commit_error(path, &parent, name, errno))?;
        staged.is_committed();
        Ok(())
    }

    /// Ends the work: removes the staging directory. A destination that is dropped without this is
    /// one of a failure: directories that were made for it and are still empty go as well.
    ///
    /// # Errors
    /// What the file system says.
    pub fn finish(&self) -> Result<()> {
        self.finished.store(true, Ordering::Relaxed);
        self.staging.remove().map_err(|errno| DestinationError::from_errno(&self.path, errno))
    }

    /// The handle of a directory, made where it is missing.
    fn directory(&self, path: &RelativePath) -> Result<Arc<OwnedFd>> {
        if let Some(open) = self.opened(path) {
            return Ok(open);
        }
        let mut handle = Arc::clone(&self.root);
        for segment in path.segments() {
            let next =
                open_or_make(&handle, segment).map_err(|errno| self.way_error(path, errno))?;
            handle = Arc::new(next);
        }
        self.keep(path, &handle);
        Ok(handle)
    }

    /// The handle of a directory, if it is there.
    fn find_directory(&self, path: &RelativePath) -> Result<Option<Arc<OwnedFd>>> {
        if let Some(open) = self.opened(path) {
            return Ok(Some(open));
        }
        let mut handle = Arc::clone(&self.root);
        for segment in path.segments() {
            match open_directory(&handle, segment) {
                Ok(next) => handle = Arc::new(next),
                Err(Errno::NOENT) => return Ok(None),
                Err(errno) => return Err(self.way_error(path, errno)),
            }
        }
        self.keep(path, &handle);
        Ok(Some(handle))
    }

    fn opened(&self, path: &RelativePath) -> Option<Arc<OwnedFd>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn keep(&self, path: &RelativePath, handle: &Arc<OwnedFd>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MAX_OPEN_DIRECTORIES {
            open.clear();
        }
        open.insert(path.clone(), Arc::clone(handle));
    }

    fn error(&self, path: &RelativePath, errno: Errno) -> DestinationError {
        DestinationError::from_errno(self.path.join(path.as_path()), errno)
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

    fn commit_error(
        &self,
        path: &RelativePath,
        parent: &OwnedFd,
        name: &OsStr,
        errno: Errno,
    ) -> DestinationError {
        // Linux answers EISDIR or EEXIST depending on the flags: look at what is there.
        let is_directory = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_dir());
        self.error(path, if is_directory { Errno::ISDIR } else { errno })
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if self.finished.load(Ordering::Relaxed) {
            return;
        }
        // Best effort: whatever is in use or not empty stays.
        let _ = self.staging.remove();
        for made in &self.made {
            if std::fs::remove_dir(made).is_err() {
                return;
            }
        }
    }
}

fn open_directory(parent: &OwnedFd, segment: &OsStr) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(parent.as_fd(), segment, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

fn open_or_make(parent: &OwnedFd, segment: &OsStr) -> rustix::io::Result<OwnedFd> {
    match open_directory(parent, segment) {
        Err(Errno::NOENT) => {}
        opened => return opened,
    }
    match rustix::fs::mkdirat(parent.as_fd(), segment, Mode::from_raw_mode(0o777)) {
        // Another task of ours, or another process, may have been faster.
        Ok(()) | Err(Errno::EXIST) => open_directory(parent, segment),
        Err(errno) => Err(errno),
    }
}

fn existing_of(found: &rustix::fs::Stat) -> Existing {
    let seconds = u64::try_from(found.st_mtime).unwrap_or_default();
    let nanoseconds = u32::try_from(found.st_mtime_nsec).unwrap_or_default();
    Existing {
        is_file: FileType::from_raw_mode(found.st_mode).is_file(),
        size: u64::try_from(found.st_size).unwrap_or_default(),
        modified: SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn path(text: &str) -> RelativePath {
        RelativePath::new(text).expect("a relative path")
    }

    fn write(destination: &Destination, name: &str, bytes: &[u8]) -> Result<()> {
        let mut staged = destination.stage(&path(name))?;
        std::io::Write::write_all(staged.file(), bytes).expect("written");
        destination.commit(staged, &path(name), true)
    }

    #[test]
    fn a_file_appears_under_its_final_name_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().join("new/deep");
        let destination = Destination::open(&at).expect("opens");
        write(&destination, "a/b/c", b"x").expect("written");
        destination.finish().expect("finished");
        assert_eq!(std::fs::read(at.join("a/b/c")).expect("there"), b"x");
        assert_eq!(std::fs::read_dir(&at).expect("listed").count(), 1);
    }

    #[test]
    fn a_dropped_file_leaves_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let destination = Destination::open(directory.path()).expect("opens");
        drop(destination.stage(&path("a")).expect("staged"));
        drop(destination);
        assert_eq!(std::fs::read_dir(directory.path()).expect("listed").count(), 0);
    }

    #[test]
    fn a_destination_that_was_made_for_nothing_goes_again() {
        let directory = tempfile::tempdir().expect("a directory");
        drop(Destination::open(&directory.path().join("a/b")).expect("opens"));
        assert!(!directory.path().join("a").exists());
        let kept = Destination::open(&directory.path().join("a/b")).expect("opens");
        kept.finish().expect("finished");
        assert!(directory.path().join("a/b").is_dir());
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let directory = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        symlink(outside.path(), directory.path().join("link")).expect("linked");
        let destination = Destination::open(directory.path()).expect("opens");
        let error = write(&destination, "link/x", b"x").expect_err("refused");
        assert_eq!(error.problem(), DestinationProblem::Link);
        assert_eq!(std::fs::read_dir(outside.path()).expect("listed").count(), 0);
    }

    #[test]
    fn a_link_under_the_final_name_is_replaced_and_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let outside = directory.path().join("outside");
        std::fs::write(&outside, "old").expect("written");
        let at = directory.path().join("d");
        std::fs::create_dir(&at).expect("made");
        symlink(&outside, at.join("x")).expect("linked");
        let destination = Destination::open(&at).expect("opens");
        write(&destination, "x", b"new").expect("written");
        assert_eq!(std::fs::read(&outside).expect("there"), b"old");
        assert_eq!(std::fs::read(at.join("x")).expect("there"), b"new");
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("d")).expect("made");
        std::fs::write(directory.path().join("f"), "x").expect("written");
        let destination = Destination::open(directory.path()).expect("opens");
        let problem = |name| write(&destination, name, b"x").expect_err("refused").problem();
        assert_eq!(problem("d"), DestinationProblem::IsADirectory);
        assert_eq!(problem("f/x"), DestinationProblem::NotADirectory);
        let error = Destination::open(&directory.path().join("f/x")).expect_err("a file");
        assert_eq!(error.problem(), DestinationProblem::NotADirectory);
    }

    #[test]
    fn a_file_that_may_not_go_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("f"), "old").expect("written");
        let destination = Destination::open(directory.path()).expect("opens");
        let staged = destination.stage(&path("f")).expect("staged");
        let error = destination.commit(staged, &path("f"), false).expect_err("stays");
        assert_eq!(error.problem(), DestinationProblem::Exists);
        assert_eq!(std::fs::read(directory.path().join("f")).expect("there"), b"old");
    }
}
