//! The directory that receives the tree.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::above::{self, Made};
use super::existing::Existing;
use super::handles::Handles;
use super::rename::{self, Name};
use super::staging::{StagedFile, Staging};
use super::{DestinationError, DestinationProblem};
use crate::RelativePath;

/// Another fetch that failed may remove an empty directory between two calls of ours.
const MAX_TRIES: usize = 8;

type Result<T> = std::result::Result<T, DestinationError>;

/// The directory that receives the tree. It is made, and staging in it, when the first thing is to
/// be written: a fetch that has nothing to write changes nothing.
#[derive(Debug)]
pub(crate) struct Destination {
    path: PathBuf,
    handles: Mutex<Option<Arc<Handles>>>,
    staging: Mutex<Option<Arc<Staging>>>,
    above: Mutex<Made>,
    /// Held for reading by whatever writes, so that nothing is half done when the fetch ends.
    ended: RwLock<bool>,
}

/// How a file gets its final name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commit {
    /// Whether a file that is there under this name may go.
    pub(crate) replace: bool,
    /// Whether the bytes, and then the name, are written through to the disk.
    pub(crate) fsync: bool,
    /// When the store's object was last written.
    pub(crate) modified: Option<SystemTime>,
}

impl Destination {
    /// Sees whether `path` can be a destination, and makes nothing.
    ///
    /// # Errors
    /// [`DestinationProblem::NotADirectory`] if it, or what is above it, is a file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        above::check(path)?;
        let path =
            std::path::absolute(path).map_err(|error| DestinationError::from_io(path, &error))?;
        Ok(Self {
            path,
            handles: Mutex::default(),
            staging: Mutex::default(),
            above: Mutex::default(),
            ended: RwLock::new(false),
        })
    }

    /// Its absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The absolute path of something below it.
    pub(crate) fn at(&self, path: &RelativePath) -> PathBuf {
        self.path.join(path.as_path())
    }

    /// Makes the directory, and those above it, where they are missing.
    ///
    /// # Errors
    /// If it cannot be made or opened.
    pub(crate) fn make(&self) -> Result<()> {
        let _writing = self.begin_writing()?;
        self.handles().map(drop)
    }

    /// Makes sure, before any byte is asked for, that files can be written there.
    ///
    /// # Errors
    /// If it cannot be made, or this user may not write there.
    pub(crate) fn prepare(&self) -> Result<()> {
        let _writing = self.begin_writing()?;
        self.staging().map(drop)
    }

    /// Bytes that this user can still write there; `None` where the file system does not say.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        let handles = lock(&self.handles).clone()?;
        let found = rustix::fs::fstatvfs(handles.root()).ok()?;
        (found.f_blocks > 0).then(|| found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Whether a name is that of this fetch's own staging directory.
    pub(crate) fn is_own_staging(&self, segment: &[u8]) -> bool {
        lock(&self.staging).as_ref().is_some_and(|staging| staging.name().as_bytes() == segment)
    }

    /// Makes a directory, and those above it.
    ///
    /// # Errors
    /// If a file or link is in the way, or the file system refuses.
    pub(crate) fn make_directory(&self, path: &RelativePath) -> Result<()> {
        let _writing = self.begin_writing()?;
        self.handles()?.make(path).map(drop)
    }

    /// What is there under this name; `None` if nothing is.
    ///
    /// # Errors
    /// If a file or link is in the way, or the file system refuses.
    pub(crate) fn existing(&self, path: &RelativePath) -> Result<Option<Existing>> {
        let (directory, name) = path.split();
        let Some(handles) = self.handles_if_there()? else { return Ok(None) };
        let Some(parent) = handles.find(directory.as_ref())? else { return Ok(None) };
        match rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(Existing::of(&found, self.began()))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.error(path, errno)),
        }
    }

    /// A handle for reading a file that is there.
    ///
    /// # Errors
    /// If it is no plain file, or the file system refuses.
    pub(crate) fn open_existing(&self, path: &RelativePath) -> Result<File> {
        let (directory, name) = path.split();
        let missing = || self.error(path, Errno::NOENT);
        let handles = self.handles_if_there()?.ok_or_else(missing)?;
        let parent = handles.find(directory.as_ref())?.ok_or_else(missing)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        rustix::fs::openat(&parent, name, flags, Mode::empty())
            .map(File::from)
            .map_err(|errno| self.error(path, errno))
    }

    /// A new empty file under a staging name, for what will become `path`.
    ///
    /// # Errors
    /// If the file system refuses.
    pub(crate) fn stage(&self, path: &RelativePath) -> Result<StagedFile> {
        let _writing = self.begin_writing()?;
        self.staging()?.create().map_err(|errno| self.error(path, errno))
    }

    /// Gives a staged file its final name, in one step.
    ///
    /// # Errors
    /// [`DestinationProblem::Exists`] if one is there that may not go,
    /// [`DestinationProblem::IsADirectory`] if a directory is there, or what the file system says.
    pub(crate) fn commit(
        &self,
        mut staged: StagedFile,
        path: &RelativePath,
        how: Commit,
    ) -> Result<()> {
        if let Some(modified) = how.modified {
            // A file system without times keeps the file all the same.
            let _ = staged.set_modified(modified);
        }
        if how.fsync {
            staged.file().sync_all().map_err(|error| self.io_error(path, &error))?;
        }
        let _writing = self.begin_writing()?;
        let handles = self.handles()?;
        let parent = self.rename(&handles, &staged, path, how.replace)?;
        staged.is_committed();
        handles.holds(path);
        if how.fsync {
            rustix::fs::fsync(&parent).map_err(|errno| self.error(path, errno))?;
        }
        Ok(())
    }

    /// Writes a small file and commits it.
    ///
    /// # Errors
    /// As [`stage`](Self::stage) and [`commit`](Self::commit), and what writing says.
    pub(crate) fn put(&self, path: &RelativePath, bytes: &[u8], how: Commit) -> Result<()> {
        let mut staged = self.stage(path)?;
        std::io::Write::write_all(staged.file(), bytes)
            .map_err(|error| self.io_error(path, &error))?;
        self.commit(staged, path, how)
    }

    /// Ends the work: removes the staging directory and keeps all else.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn finish(&self) -> Result<()> {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        *ended = true;
        lock(&self.above).keep();
        let staging = lock(&self.staging).take();
        staging.map_or(Ok(()), |staging| {
            staging.remove().map_err(|errno| DestinationError::from_errno(&self.path, errno))
        })
    }

    /// Gives the work up, unless it is finished: what is staged goes, and so do directories that
    /// were made and hold no file. Whatever still runs elsewhere can write nothing after this.
    pub(crate) fn abandon(&self) {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *ended, true) {
            return;
        }
        if let Some(staging) = lock(&self.staging).take() {
            // Nobody is left to tell; the next fetch removes what stays.
            let _ = staging.remove();
        }
        if let Some(handles) = lock(&self.handles).take() {
            handles.remove_empty();
        }
        lock(&self.above).remove();
    }

    pub(crate) fn io_error(&self, path: &RelativePath, error: &std::io::Error) -> DestinationError {
        DestinationError::from_io(self.at(path), error)
    }

    pub(crate) fn error(&self, path: &RelativePath, errno: Errno) -> DestinationError {
        DestinationError::from_errno(self.at(path), errno)
    }

    /// Keeps the end of the fetch waiting for as long as the guard lives.
    fn begin_writing(&self) -> Result<RwLockReadGuard<'_, bool>> {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        if *ended {
            return Err(DestinationError::new(&self.path, DestinationProblem::Failed)
                .with_detail("the fetch was stopped"));
        }
        Ok(ended)
    }

    fn handles(&self) -> Result<Arc<Handles>> {
        let mut handles = lock(&self.handles);
        if let Some(handles) = &*handles {
            return Ok(Arc::clone(handles));
        }
        let (made, above) = above::make(&self.path)?;
        *lock(&self.above) = above;
        Ok(Arc::clone(handles.insert(Arc::new(made))))
    }

    fn handles_if_there(&self) -> Result<Option<Arc<Handles>>> {
        let mut handles = lock(&self.handles);
        if handles.is_none() {
            *handles = above::open(&self.path)?.map(Arc::new);
        }
        Ok(handles.clone())
    }

    fn staging(&self) -> Result<Arc<Staging>> {
        let mut staging = lock(&self.staging);
        if let Some(staging) = &*staging {
            return Ok(Arc::clone(staging));
        }
        let opened = self.open_staging()?;
        Ok(Arc::clone(staging.insert(Arc::new(opened))))
    }

    /// Another fetch may have removed the empty destination since it was opened here.
    fn open_staging(&self) -> Result<Staging> {
        for _ in 0..MAX_TRIES {
            match Staging::open(self.handles()?.root()) {
                Err(Errno::NOENT) => *lock(&self.handles) = None,
                opened => {
                    return opened.map_err(|errno| DestinationError::from_errno(&self.path, errno));
                }
            }
        }
        Err(DestinationError::from_errno(&self.path, Errno::NOENT))
    }

    /// When this fetch began to write, by the file system's own clock.
    fn began(&self) -> Option<SystemTime> {
        lock(&self.staging).as_ref().and_then(|staging| staging.made())
    }

    /// Renames, and gives the handle of the directory that has the name now.
    fn rename(
        &self,
        handles: &Handles,
        staged: &StagedFile,
        path: &RelativePath,
        replace: bool,
    ) -> Result<Arc<OwnedFd>> {
        let (directory, name) = path.split();
        let from = Name { directory: staged.directory(), name: OsStr::new(staged.name()) };
        let step = if replace { rename::replace } else { rename::keep };
        for _ in 0..MAX_TRIES {
            let parent = handles.make_or_root(directory.as_ref())?;
            match step(from, Name { directory: &parent, name }) {
                Ok(()) => return Ok(parent),
                // The directory was removed, still empty, by another fetch that failed.
                Err(Errno::NOENT) if directory.is_some() => handles.forget(),
                Err(errno) => return Err(self.commit_error(path, &parent, name, errno)),
            }
        }
        Err(self.error(path, Errno::NOENT))
    }

    /// Linux answers EISDIR or EEXIST depending on the flags: look at what is there.
    fn commit_error(
        &self,
        path: &RelativePath,
        parent: &OwnedFd,
        name: &OsStr,
        errno: Errno,
    ) -> DestinationError {
        let is_directory = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_dir());
        self.error(path, if is_directory { Errno::ISDIR } else { errno })
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// A thread that panicked left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const REPLACE: Commit = Commit { replace: true, fsync: true, modified: None };
    const KEEP: Commit = Commit { replace: false, ..REPLACE };

    fn path(text: &str) -> RelativePath {
        RelativePath::new(text).expect("a relative path")
    }

    fn write(destination: &Destination, name: &str, bytes: &[u8]) -> Result<()> {
        destination.put(&path(name), bytes, REPLACE)
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).expect("listed");
        entries.map(|row| row.expect("a row").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_appears_under_its_final_name_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().join("new/deep");
        let destination = Destination::open(&at).expect("opens");
        write(&destination, "a/b/c", b"x").expect("written");
        destination.finish().expect("finished");
        assert_eq!(std::fs::read(at.join("a/b/c")).expect("there"), b"x");
        assert_eq!(names(&at), ["a"]);
    }

    #[test]
    fn looking_makes_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().join("new");
        let destination = Destination::open(&at).expect("opens");
        assert!(destination.existing(&path("a/b")).expect("looked").is_none());
        destination.finish().expect("finished");
        assert!(!at.exists());
        let there = Destination::open(directory.path()).expect("opens");
        assert!(there.existing(&path("a/b")).expect("looked").is_none());
        assert!(there.open_existing(&path("a/b")).is_err());
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn what_is_given_up_leaves_nothing_but_whole_files() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().join("new/deep");
        let destination = Destination::open(&at).expect("opens");
        let staged = destination.stage(&path("x")).expect("staged");
        destination.make_directory(&path("empty/inner")).expect("made");
        destination.abandon();
        drop(staged);
        assert!(!directory.path().join("new").exists());
        let destination = Destination::open(&at).expect("opens");
        destination.make_directory(&path("empty/inner")).expect("made");
        write(&destination, "full/inner/file", b"x").expect("written");
        drop(destination);
        assert_eq!(names(&at), ["full"]);
        assert_eq!(names(&at.join("full/inner")), ["file"]);
    }

    #[test]
    fn directories_that_were_there_stay_when_the_work_is_given_up() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("theirs")).expect("made");
        let destination = Destination::open(directory.path()).expect("opens");
        destination.make_directory(&path("theirs/ours")).expect("made");
        destination.abandon();
        assert_eq!(names(directory.path()), ["theirs"]);
        assert!(names(&directory.path().join("theirs")).is_empty());
    }

    #[test]
    fn nothing_is_written_after_the_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let destination = Destination::open(directory.path()).expect("opens");
        let staged = destination.stage(&path("a")).expect("staged");
        destination.abandon();
        assert!(destination.commit(staged, &path("d/a"), REPLACE).is_err());
        assert!(write(&destination, "b", b"x").is_err());
        assert!(destination.make_directory(&path("c")).is_err());
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn a_directory_that_somebody_removes_meanwhile_is_made_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().join("d");
        let destination = Destination::open(&at).expect("opens");
        destination.make().expect("made");
        std::fs::remove_dir(&at).expect("removed");
        destination.make_directory(&path("x/y")).expect_err("it is gone and nothing is staged");
        destination.prepare().expect("made again");
        destination.make_directory(&path("x/y")).expect("made");
        std::fs::remove_dir_all(at.join("x")).expect("removed");
        write(&destination, "x/y/z", b"x").expect("written");
        destination.finish().expect("finished");
        assert_eq!(std::fs::read(at.join("x/y/z")).expect("there"), b"x");
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let directory = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        symlink(outside.path(), directory.path().join("link")).expect("linked");
        let destination = Destination::open(directory.path()).expect("opens");
        let error = write(&destination, "link/x", b"x").expect_err("refused");
        assert_eq!(error.problem(), DestinationProblem::Link);
        assert!(names(outside.path()).is_empty());
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
        for below in ["f", "f/x", "f/x/y"] {
            let error = Destination::open(&directory.path().join(below)).expect_err("a file");
            assert_eq!(error.problem(), DestinationProblem::NotADirectory);
            assert_eq!(error.path(), directory.path().join("f"));
        }
        symlink("nowhere", directory.path().join("l")).expect("linked");
        let error = Destination::open(&directory.path().join("l/x")).expect_err("a link");
        assert_eq!(error.problem(), DestinationProblem::Link);
    }

    #[test]
    fn a_file_that_may_not_go_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("f"), "old").expect("written");
        let destination = Destination::open(directory.path()).expect("opens");
        let error = destination.put(&path("f"), b"new", KEEP).expect_err("stays");
        assert_eq!(error.problem(), DestinationProblem::Exists);
        assert_eq!(std::fs::read(directory.path().join("f")).expect("there"), b"old");
    }

    #[test]
    fn a_file_of_this_fetch_is_told_from_one_of_before() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("old"), "x").expect("written");
        // The file system's clock may tick only every few milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(20));
        let destination = Destination::open(directory.path()).expect("opens");
        let long_ago = Some(SystemTime::UNIX_EPOCH);
        let how = Commit { modified: long_ago, ..REPLACE };
        destination.put(&path("new"), b"x", how).expect("written");
        let existing = |name| destination.existing(&path(name)).expect("looked").expect("there");
        assert!(existing("new").is_new && !existing("old").is_new);
        assert_eq!(existing("new").modified, long_ago);
    }
}
