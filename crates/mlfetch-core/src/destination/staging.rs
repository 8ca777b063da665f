//! Where files are written before they are whole: a directory of one fetch, in the destination.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Timespec, Timestamps, fstat, statat};
use rustix::io::Errno;

use super::existing::{changed, modified};
use super::owner::{self, Owner};

/// A staging directory of a machine or boot that cannot be asked is given up when nothing was
/// written to it for so long. A transfer without progress ends within minutes.
const GIVEN_UP_AFTER: Duration = Duration::from_hours(1);

/// Removals that another thread's new file may spoil.
const MAX_REMOVALS: usize = 8;

/// The staging directory of one fetch.
#[derive(Debug)]
pub(super) struct Staging {
    root: Arc<OwnedFd>,
    name: String,
    directory: OwnedFd,
    /// When it was made, by the file system's own clock.
    made: Option<SystemTime>,
    next: AtomicU64,
}

impl Staging {
    /// Makes a directory of our own, for nobody else to look into, and removes those of processes
    /// that are gone.
    pub(super) fn open(root: &Arc<OwnedFd>) -> Result<Self, Errno> {
        let name = owner::new_name();
        rustix::fs::mkdirat(root, &name, Mode::from_raw_mode(0o700))?;
        let directory = open_directory(root, name.as_bytes())?;
        let made = changed(&fstat(&directory)?);
        remove_abandoned(root, made);
        Ok(Self { root: Arc::clone(root), name, directory, made, next: AtomicU64::new(0) })
    }

    /// Its name in the destination.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// When it was made, by the file system's own clock.
    pub(super) fn made(&self) -> Option<SystemTime> {
        self.made
    }

    /// A new empty file.
    pub(super) fn create(self: &Arc<Self>) -> Result<StagedFile, Errno> {
        let name = format!("{:x}.part", self.next.fetch_add(1, Ordering::Relaxed));
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.directory, &name, flags, Mode::from_raw_mode(0o666))?;
        Ok(StagedFile { file: File::from(file), staging: Arc::clone(self), name: Some(name) })
    }

    /// Removes it with all that is in it.
    pub(super) fn remove(&self) -> Result<(), Errno> {
        remove(&self.root, self.name.as_bytes())
    }
}

/// A file that is being written. Dropped without a commit, it is gone.
#[derive(Debug)]
pub(crate) struct StagedFile {
    file: File,
    staging: Arc<Staging>,
    name: Option<String>,
}

impl StagedFile {
    /// The open file.
    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// A second handle of the open file, for writing at offsets from several places.
    ///
    /// # Errors
    /// If the process has no handle left.
    pub(crate) fn share(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }

    /// Sets the time of its last change.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn set_modified(&self, modified: SystemTime) -> Result<(), Errno> {
        let Ok(since) = modified.duration_since(SystemTime::UNIX_EPOCH) else { return Ok(()) };
        let time = Timespec {
            tv_sec: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(since.subsec_nanos()),
        };
        rustix::fs::futimens(&self.file, &Timestamps { last_access: time, last_modification: time })
    }

    pub(super) fn directory(&self) -> &OwnedFd {
        &self.staging.directory
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    pub(super) fn is_committed(&mut self) {
        self.name = None;
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // It may be gone with its directory already.
            let _ = rustix::fs::unlinkat(&self.staging.directory, name, AtFlags::empty());
        }
    }
}

fn open_directory(parent: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Removes the staging directories of processes that are gone.
fn remove_abandoned(root: &OwnedFd, now: Option<SystemTime>) {
    let Ok(entries) = Dir::read_from(root) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_bytes();
        let Some(owner) = Owner::of(name) else { continue };
        let is_abandoned = match owner.is_running() {
            Some(is_running) => !is_running,
            None => is_given_up(root, name, now),
        };
        if is_abandoned {
            // Somebody else may be removing it too.
            let _ = remove(root, name);
        }
    }
}

/// Whether nothing was written there for a long time.
fn is_given_up(root: &OwnedFd, name: &[u8], now: Option<SystemTime>) -> bool {
    let Ok(directory) = open_directory(root, name) else { return false };
    let Ok(entries) = Dir::read_from(&directory) else { return false };
    // `.` counts too: the directory's own time is that of its newest file.
    let names = entries.flatten().filter(|entry| entry.file_name() != c"..");
    let files = names
        .filter_map(|entry| statat(&directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW).ok());
    let last = files.filter_map(|found| modified(&found)).max();
    let (Some(now), Some(last)) = (now, last) else { return false };
    now.duration_since(last).is_ok_and(|quiet| quiet > GIVEN_UP_AFTER)
}

fn remove(root: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    let mut last = Errno::NOTEMPTY;
    for _ in 0..MAX_REMOVALS {
        match remove_once(root, name) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(errno) => last = errno,
        }
        if !matches!(last, Errno::NOTEMPTY | Errno::EXIST) {
            break;
        }
    }
    Err(last)
}

fn remove_once(root: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    let directory = match open_directory(root, name) {
        // A file that was to be written whole, or a link, which is not followed.
        Err(Errno::NOTDIR | Errno::LOOP) => {
            return rustix::fs::unlinkat(root, name, AtFlags::empty());
        }
        opened => opened?,
    };
    for entry in Dir::read_from(&directory)?.flatten() {
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            let _ = rustix::fs::unlinkat(&directory, name, AtFlags::empty());
        }
    }
    rustix::fs::unlinkat(root, name, AtFlags::REMOVEDIR)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const ELSEWHERE: &str = ".mlfetch-elsewhere-7-9-0123456789abcdef";

    fn open(path: &Path) -> Arc<Staging> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let root = rustix::fs::open(path, flags, Mode::empty()).expect("a handle");
        Arc::new(Staging::open(&Arc::new(root)).expect("a staging directory"))
    }

    fn leave_behind(path: &Path, name: &str, quiet: Duration) {
        let directory = path.join(name);
        std::fs::create_dir(&directory).expect("made");
        std::fs::write(directory.join("0.part"), "half").expect("written");
        let last = SystemTime::now() - quiet;
        for path in [directory.join("0.part"), directory] {
            let file = File::open(path).expect("open");
            file.set_modified(last).expect("another time");
        }
    }

    #[test]
    fn it_is_for_nobody_else_to_look_into() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().expect("a directory");
        let staging = open(home.path());
        let found = std::fs::metadata(home.path().join(staging.name())).expect("there");
        assert_eq!(found.permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn what_a_process_that_is_gone_left_is_removed() {
        let home = tempfile::tempdir().expect("a directory");
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        child.wait().expect("it ended");
        let ours = owner::new_name();
        let mut parts: Vec<&str> = ours.split('-').collect();
        let gone = child.id().to_string();
        parts[2] = &gone;
        leave_behind(home.path(), &parts.join("-"), Duration::ZERO);
        leave_behind(home.path(), &owner::new_name(), Duration::ZERO);
        open(home.path()).remove().expect("removed");
        let left = std::fs::read_dir(home.path()).expect("listed").count();
        assert_eq!(left, 1, "that of this process, which runs, stays");
    }

    #[test]
    fn what_another_machine_left_is_removed_once_it_is_quiet() {
        for (quiet, stays) in [(Duration::from_mins(5), true), (Duration::from_hours(2), false)] {
            let home = tempfile::tempdir().expect("a directory");
            leave_behind(home.path(), ELSEWHERE, quiet);
            open(home.path()).remove().expect("removed");
            assert_eq!(home.path().join(ELSEWHERE).exists(), stays, "{quiet:?}");
        }
    }

    #[test]
    fn a_link_with_such_a_name_is_not_followed() {
        let home = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        std::fs::write(outside.path().join("x"), "x").expect("written");
        let name = ELSEWHERE.replace("elsewhere", "0");
        std::os::unix::fs::symlink(outside.path(), home.path().join(name)).expect("a link");
        open(home.path()).remove().expect("removed");
        assert!(outside.path().join("x").exists());
    }
}
