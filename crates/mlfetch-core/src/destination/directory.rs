//! The directory that receives the tree.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::above::{self, Made};
use super::existing::Existing;
use super::handles::Handles;
use super::left::LeftBehind;
use super::looked::Looked;
use super::staging::Staging;
use super::{DestinationError, DestinationProblem};
use crate::RelativePath;

/// Another fetch that failed may remove an empty directory between two calls of ours.
pub(super) const MAX_TRIES: usize = 8;

pub(super) type Result<T> = std::result::Result<T, DestinationError>;

/// The directory that receives the tree. It is made, and staging in it, when the first thing is to
/// be written: a fetch that has nothing to write changes nothing.
#[derive(Debug)]
pub(crate) struct Destination {
    path: PathBuf,
    handles: Mutex<Option<Arc<Handles>>>,
    staging: Mutex<Option<Arc<Staging>>>,
    above: Mutex<Made>,
    looked: Looked,
    /// Held for reading by whatever writes, so that nothing is half done when the fetch ends.
    ended: RwLock<bool>,
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
            looked: Looked::default(),
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

    /// Writes the names of the directory and of those above it through to the disk, if they were made
    /// here.
    pub(super) fn sync_above(&self) -> Result<()> {
        lock(&self.above).sync()
    }

    /// Makes sure, before any byte is asked for, that files can be written there.
    ///
    /// # Errors
    /// If it cannot be made, or this user may not write there.
    pub(crate) fn prepare(&self) -> Result<()> {
        let _writing = self.begin_writing()?;
        self.staging().map(drop)
    }

    /// Whether that was made sure, as far as can be said without waiting.
    pub(crate) fn is_prepared(&self) -> bool {
        self.staging.try_lock().is_ok_and(|staging| staging.is_some())
    }

    /// What this user can still write there; `None` where the file system does not say.
    pub(crate) fn free(&self) -> Option<Free> {
        let handles = lock(&self.handles).clone()?;
        let found = rustix::fs::fstatvfs(handles.root()).ok()?;
        (found.f_blocks > 0).then(|| Free {
            bytes: found.f_bavail.saturating_mul(found.f_frsize),
            // File systems that make them as they go say that they have none at all.
            has_names: found.f_files == 0 || found.f_favail > 0,
        })
    }

    /// Bytes that are free once [`give_way`](Self::give_way) was called.
    pub(crate) fn left_bytes(&self) -> u64 {
        self.staging_if_there().map_or(0, |staging| staging.left().bytes())
    }

    /// Removes what earlier fetches left to be continued: the room is needed.
    pub(crate) fn give_way(&self) {
        if let Some(staging) = self.staging_if_there() {
            staging.left().remove_all();
        }
    }

    /// Shows those who cannot ask for our process that it lives.
    pub(crate) fn touch(&self) {
        if let Some(staging) = self.staging_if_there() {
            staging.touch();
        }
    }

    /// Whether a name is that of this fetch's own staging directory.
    pub(crate) fn is_own_staging(&self, segment: &[u8]) -> bool {
        self.staging_if_there().is_some_and(|staging| staging.name().as_bytes() == segment)
    }

    /// Makes a directory, and those above it.
    ///
    /// # Errors
    /// If a file or link is in the way, or the file system refuses.
    pub(crate) fn make_directory(&self, path: &RelativePath) -> Result<()> {
        let _writing = self.begin_writing()?;
        self.looked.note_made(path);
        self.handles()?.make(path).map(drop)
    }

    /// What is there under this name; `None` if nothing is.
    ///
    /// # Errors
    /// If a file or link is in the way, or the file system refuses.
    pub(crate) fn existing(&self, path: &RelativePath) -> Result<Option<Existing>> {
        let Some(handles) = self.handles_if_there()? else { return Ok(None) };
        let parent = handles.find(path.split().0.as_ref())?;
        parent.map_or(Ok(None), |parent| self.existing_in(&parent, path))
    }

    /// The same before a file is written there. What is not there is remembered, and not looked for
    /// again.
    ///
    /// # Errors
    /// As [`existing`](Self::existing).
    pub(crate) fn look_for(&self, path: &RelativePath) -> Result<Option<Existing>> {
        if self.lacks(path) {
            return Ok(None);
        }
        let handles = self.handles_if_there()?;
        let directory = path.split().0;
        let find = |handles: &Handles| handles.find(directory.as_ref());
        let Some(parent) = handles.as_deref().map_or(Ok(None), find)? else {
            return self.note_missing(handles.as_deref(), path).map(|()| None);
        };
        let existing = self.existing_in(&parent, path)?;
        if existing.is_none() {
            self.looked.note_names(directory.as_ref(), &parent);
        }
        Ok(existing)
    }

    /// Whether it is remembered that nothing was there under this name. Never waits for the disk.
    pub(crate) fn lacks(&self, path: &RelativePath) -> bool {
        self.looked.lacks(path)
    }

    /// The same for a fetch that writes nothing: where a directory is not there, nothing below it is.
    pub(crate) fn lacks_at_all(&self, path: &RelativePath) -> bool {
        self.looked.lacks_at_all(path)
    }

    /// Forgets what was remembered: somebody else may have brought something since.
    pub(crate) fn forget_looks(&self) {
        self.looked.forget();
    }

    /// Looks for what somebody else left to be continued since.
    pub(crate) fn look_for_left(&self) {
        if let Some(staging) = self.staging_if_there() {
            staging.left().look_again(staging.touched());
        }
    }

    fn existing_in(&self, parent: &OwnedFd, path: &RelativePath) -> Result<Option<Existing>> {
        match rustix::fs::statat(parent, path.split().1, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(Existing::of(&found, self.began()))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.error(path, errno)),
        }
    }

    /// Remembers which directories above a path are missing, its own at least.
    fn note_missing(&self, handles: Option<&Handles>, path: &RelativePath) -> Result<()> {
        let mut missing = Vec::new();
        for directory in path.directories().map(Some).chain([None]) {
            // That its own is missing was seen.
            let is_own = missing.is_empty() && directory.is_some();
            let find = |handles: &Handles| handles.find(directory.as_ref());
            let found = handles.filter(|_| !is_own).map_or(Ok(None), find)?;
            if let Some(handle) = found {
                self.looked.note_names(directory.as_ref(), &handle);
                break;
            }
            missing.push(directory);
        }
        for missing in missing.iter().rev() {
            self.looked.note_missing(missing.as_ref());
        }
        Ok(())
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
        retry_on_intr(|| rustix::fs::openat(&parent, name, flags, Mode::empty()))
            .map(File::from)
            .map_err(|errno| self.error(path, errno))
    }

    /// Removes a file, a link or a device; one that is gone is no error.
    ///
    /// # Errors
    /// If it is a directory, or the file system refuses.
    pub(crate) fn delete(&self, path: &RelativePath) -> Result<()> {
        let _writing = self.begin_writing()?;
        let (directory, name) = path.split();
        let Some(parent) = self.handles()?.find(directory.as_ref())? else { return Ok(()) };
        match rustix::fs::unlinkat(&parent, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.error(path, errno)),
        }
    }

    /// Removes a directory if it is empty; says whether it did.
    pub(crate) fn delete_empty(&self, path: &RelativePath) -> bool {
        let remove = || {
            let _writing = self.begin_writing().ok()?;
            let (directory, name) = path.split();
            let handles = self.handles().ok()?;
            let parent = handles.find(directory.as_ref()).ok()??;
            handles.forget();
            rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR).ok()
        };
        remove().is_some()
    }

    /// Ends the work: removes the staging directory, and what earlier fetches left to be continued,
    /// and keeps all else.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn finish(&self) -> Result<()> {
        let staging = self.end();
        staging.map_or(Ok(()), |staging| {
            staging.remove().map_err(|errno| DestinationError::from_errno(&self.path, errno))
        })
    }

    /// Removes what earlier fetches left, where this one wrote nothing and so has not looked for it.
    pub(crate) fn remove_left(&self) {
        let is_looked_for = self.staging_if_there().is_some();
        if let Some(handles) = lock(&self.handles).clone().filter(|_| !is_looked_for) {
            // Of what nobody here can tell whose it is, nothing goes.
            LeftBehind::find(handles.root(), None).remove_all();
        }
    }

    /// Ends work of which a part failed: what can be continued stays for the next fetch.
    pub(crate) fn leave(&self) {
        if let Some(staging) = self.end() {
            staging.leave();
        }
    }

    fn end(&self) -> Option<Arc<Staging>> {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        *ended = true;
        lock(&self.above).keep();
        lock(&self.staging).take()
    }

    /// Gives the work up, unless it is finished: what is staged and cannot be continued goes, and so
    /// do directories that were made and hold no file. Whatever still runs elsewhere can give no
    /// file its name after this.
    pub(crate) fn abandon(&self) {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *ended, true) {
            return;
        }
        if let Some(staging) = lock(&self.staging).take() {
            staging.leave();
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
    pub(super) fn begin_writing(&self) -> Result<RwLockReadGuard<'_, bool>> {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        if *ended {
            return Err(DestinationError::new(&self.path, DestinationProblem::Failed)
                .with_detail("the fetch was stopped"));
        }
        Ok(ended)
    }

    pub(super) fn handles(&self) -> Result<Arc<Handles>> {
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

    pub(super) fn staging_if_there(&self) -> Option<Arc<Staging>> {
        lock(&self.staging).clone()
    }

    pub(super) fn staging(&self) -> Result<Arc<Staging>> {
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
            let handles = self.handles()?;
            match handles.sparing_handles(|| Staging::open(handles.root())) {
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
        self.staging_if_there().and_then(|staging| staging.made())
    }
}

/// What can still be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Free {
    pub(crate) bytes: u64,
    /// Whether one more file can be made at all.
    pub(crate) has_names: bool,
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

    use super::super::support::{REPLACE, names, path, write};
    use super::*;

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
    fn what_earlier_fetches_left_goes_also_where_nothing_is_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let left = directory.path().join(".mlfetch-x-0-0-0123456789abcdef");
        let alive = directory.path().join(super::super::new_staging_name());
        for at in [&left, &alive] {
            std::fs::create_dir(at).expect("made");
            std::fs::write(at.join("a.part"), "half").expect("written");
            std::fs::write(at.join("a.journal"), "0 4\n").expect("written");
        }
        let destination = Destination::open(directory.path()).expect("opens");
        destination.existing(&path("a")).expect("looked");
        destination.remove_left();
        destination.finish().expect("finished");
        assert!(!left.exists() && alive.exists());
    }

    #[test]
    fn what_is_given_up_leaves_nothing_but_whole_files() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().join("new/deep");
        let destination = Destination::open(&at).expect("opens");
        let staged = destination.stage(&path("x"), None).expect("staged");
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
        let staged = destination.stage(&path("a"), None).expect("staged");
        destination.abandon();
        assert!(destination.commit(staged, &path("d/a"), &REPLACE).is_err());
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
}
