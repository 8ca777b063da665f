//! Where files are written before they are whole: `.mlfetch/<owner>/` in the destination.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::DestinationError;

/// The one name that is ours in a destination while a download runs.
const PARENT: &str = ".mlfetch";

/// This process's own staging directory.
#[derive(Debug)]
pub(super) struct Staging {
    root: Arc<OwnedFd>,
    owner: String,
    directory: Arc<OwnedFd>,
    next: AtomicU64,
}

impl Staging {
    /// Makes a directory of our own, after removing those of processes that are gone.
    pub(super) fn open(path: &Path, root: &Arc<OwnedFd>) -> Result<Self, DestinationError> {
        let owner = format!("{}-{:016x}", process_name(), random());
        let make = || {
            let parent = make_directory(root, PARENT)?;
            remove_abandoned(&parent);
            let directory = make_directory(&parent, &owner)?;
            Ok(Arc::new(directory))
        };
        let directory = make().map_err(|errno| DestinationError::from_errno(path, errno))?;
        Ok(Self { root: Arc::clone(root), owner, directory, next: AtomicU64::new(0) })
    }

    /// A new empty file.
    pub(super) fn create(&self) -> Result<StagedFile, Errno> {
        let name = format!("{:x}.part", self.next.fetch_add(1, Ordering::Relaxed));
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.directory, &name, flags, Mode::from_raw_mode(0o666))?;
        Ok(StagedFile {
            file: File::from(file),
            directory: Arc::clone(&self.directory),
            name: Some(name),
        })
    }

    /// Removes our directory, and the parent if no other process uses it.
    pub(super) fn remove(&self) -> Result<(), Errno> {
        let parent = match open_directory(&self.root, PARENT) {
            Ok(parent) => parent,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        };
        remove_owner(&parent, &self.owner)?;
        match rustix::fs::unlinkat(&self.root, PARENT, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOTEMPTY | Errno::NOENT | Errno::EXIST) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nobody is left to tell; the next download removes what stays.
        let _ = self.remove();
    }
}

/// A file that is being written. Dropped without a commit, it is gone.
#[derive(Debug)]
pub struct StagedFile {
    file: File,
    directory: Arc<OwnedFd>,
    name: Option<String>,
}

impl StagedFile {
    /// The open file.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// A second handle of the open file, for writing at offsets from several places.
    ///
    /// # Errors
    /// If the process has no handle left.
    pub fn share(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }

    /// Sets the time of its last change.
    ///
    /// # Errors
    /// What the file system says.
    pub fn set_modified(&self, modified: SystemTime) -> Result<(), Errno> {
        let Ok(since) = modified.duration_since(SystemTime::UNIX_EPOCH) else { return Ok(()) };
        let time = Timespec {
            tv_sec: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(since.subsec_nanos()),
        };
        rustix::fs::futimens(&self.file, &Timestamps { last_access: time, last_modification: time })
    }

    pub(super) fn directory(&self) -> &OwnedFd {
        &self.directory
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
            let _ = rustix::fs::unlinkat(&self.directory, name, AtFlags::empty());
        }
    }
}

fn open_directory(parent: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

fn make_directory(parent: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    // Another process may remove the empty parent between our two calls; a second try settles it.
    for _ in 0..8 {
        match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        match open_directory(parent, name) {
            Err(Errno::NOENT) => {}
            opened => return opened,
        }
    }
    Err(Errno::NOENT)
}

/// Removes the staging directories of processes of this machine that are gone.
fn remove_abandoned(parent: &OwnedFd) {
    let Ok(entries) = Dir::read_from(parent) else { return };
    let names =
        entries.flatten().filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
    for name in names.filter(|name| is_abandoned(name)) {
        // Somebody else may be removing it too.
        let _ = remove_owner(parent, &name);
    }
}

fn remove_owner(parent: &OwnedFd, owner: &str) -> Result<(), Errno> {
    let directory = match open_directory(parent, owner) {
        Ok(directory) => directory,
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(errno),
    };
    for entry in Dir::read_from(&directory)?.flatten() {
        let name = entry.file_name();
        if name.to_bytes() != b"." && name.to_bytes() != b".." {
            let _ = rustix::fs::unlinkat(&directory, name, AtFlags::empty());
        }
    }
    match rustix::fs::unlinkat(parent, owner, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Names this process on this boot of this machine: `<boot>-<pid>`.
fn process_name() -> String {
    format!("{}-{}", boot(), rustix::process::getpid().as_raw_nonzero())
}

fn is_abandoned(name: &str) -> bool {
    let mut parts = name.split('-');
    let (Some(name_boot), Some(pid)) = (parts.next(), parts.next()) else { return false };
    let Ok(pid) = pid.parse() else { return false };
    let Some(pid) = rustix::process::Pid::from_raw(pid) else { return false };
    // A name of another boot or machine is left alone: its process cannot be looked up here.
    name_boot == boot() && rustix::process::test_kill_process(pid) == Err(Errno::SRCH)
}

/// A short name for this boot of this machine and this process namespace, so that process IDs of
/// another machine or container are never confused with ours on a shared disk.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap_or_else(|_| rustix::system::uname().nodename().to_string_lossy().into_owned());
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let mut name = letters(&id);
    name.truncate(12);
    name + letters(&namespace.to_string_lossy()).trim_start_matches("pid")
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
