//! What fetches that ended left in the destination: staging directories of processes that are gone.
//! Most is removed; big files that can be continued are kept for whoever fetches them again.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, DirEntry, Stat, fstat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::existing::modified;
use super::owner::Owner;
use super::staging::open_directory;

/// A staging directory of a machine or boot that cannot be asked is given up when nothing was
/// written to it for so long. A fetch that lives shows it more often ([`ALIVE_EVERY`]).
const GIVEN_UP_AFTER: Duration = Duration::from_mins(2);

/// How often a fetch shows that it lives.
pub(crate) const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Removals that another thread's new file, or a disk that fails once, may spoil.
const MAX_REMOVALS: usize = 8;

/// What `stat` counts blocks in.
const BLOCK_BYTES: u64 = 512;

const PART: &str = ".part";
const JOURNAL: &str = ".journal";

/// The name of a file on its way.
pub(super) fn part(stem: &str) -> String {
    format!("{stem}{PART}")
}

/// The name of what says which bytes of it are there.
pub(super) fn journal(stem: &str) -> String {
    format!("{stem}{JOURNAL}")
}

pub(super) fn is_journal(name: &[u8]) -> bool {
    name.ends_with(JOURNAL.as_bytes())
}

/// The staging directories of fetches that ended, with something in them that can be continued.
#[derive(Debug)]
pub(super) struct LeftBehind {
    root: Arc<OwnedFd>,
    names: Mutex<Vec<Vec<u8>>>,
}

impl LeftBehind {
    /// Looks for them, and removes those in which nothing can be continued. `now` is the time of
    /// the file system's own clock.
    pub(super) fn find(root: &Arc<OwnedFd>, now: Option<SystemTime>) -> Self {
        let left = Self { root: Arc::clone(root), names: Mutex::default() };
        left.look_again(now);
        left
    }

    /// Looks for those of fetches that ended since.
    pub(super) fn look_again(&self, now: Option<SystemTime>) {
        let mut names = Vec::new();
        for entry in entries(&self.root) {
            let name = entry.file_name().to_bytes();
            if !is_abandoned(&self.root, name, name, now) {
                continue;
            }
            if is_resumable(&self.root, name) {
                names.push(name.to_vec());
            } else {
                // Somebody else may be removing it too.
                let _ = remove(&self.root, name);
            }
        }
        *self.lock() = names;
    }

    /// Moves what was left under a stem to `directory`; says whether there was something. Of all
    /// who try at once, the one who moves the journal has it.
    pub(super) fn claim(&self, stem: &str, directory: &OwnedFd) -> bool {
        let (part, journal) = (part(stem), journal(stem));
        self.lock().iter().any(|name| {
            let Ok(from) = open_directory(&self.root, name) else { return false };
            renameat(&from, &journal, directory, &journal).is_ok()
                && renameat(&from, &part, directory, &part).is_ok()
        })
    }

    /// Bytes on the disk that are free again once this goes.
    pub(super) fn bytes(&self) -> u64 {
        let names = self.lock();
        names.iter().filter_map(|name| allocated(&self.root, name)).sum()
    }

    /// Removes all of it.
    pub(super) fn remove_all(&self) {
        for name in self.lock().drain(..) {
            let _ = remove(&self.root, &name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a name is that of a directory whose process is gone; `own` is the part of it that says
/// whose it is.
pub(super) fn is_abandoned(
    root: &OwnedFd,
    name: &[u8],
    own: &[u8],
    now: Option<SystemTime>,
) -> bool {
    let Some(owner) = Owner::of(own) else { return false };
    match owner.is_running() {
        Some(is_running) => !is_running,
        None => is_given_up(root, name, now),
    }
}

/// Whether nothing was written there for a long time.
pub(super) fn is_given_up(root: &OwnedFd, name: &[u8], now: Option<SystemTime>) -> bool {
    let Ok(directory) = open_directory(root, name) else { return false };
    // The directory's own time is that of its newest file.
    let found = fstat(&directory).into_iter().chain(facts(&directory));
    let last = found.filter_map(|found| modified(&found)).max();
    let (Some(now), Some(last)) = (now, last) else { return false };
    now.duration_since(last).is_ok_and(|quiet| quiet > GIVEN_UP_AFTER)
}

/// Whether something in it can be continued: it is this user's, and a journal in it has bytes.
fn is_resumable(root: &OwnedFd, name: &[u8]) -> bool {
    let Ok(directory) = open_directory(root, name) else { return false };
    let me = rustix::process::geteuid().as_raw();
    fstat(&directory).is_ok_and(|found| found.st_uid == me) && !journals(&directory).is_empty()
}

/// The stems of what can be continued in a directory.
fn journals(directory: &OwnedFd) -> Vec<Vec<u8>> {
    let written = entries(directory).filter_map(|entry| {
        let name = entry.file_name();
        let stem = name.to_bytes().strip_suffix(JOURNAL.as_bytes())?;
        let found = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        (found.st_size > 0).then(|| stem.to_vec())
    });
    written.collect()
}

/// What the files of a directory take of the disk.
fn allocated(root: &OwnedFd, name: &[u8]) -> Option<u64> {
    let directory = open_directory(root, name).ok()?;
    let blocks = facts(&directory).filter_map(|found| u64::try_from(found.st_blocks).ok());
    Some(blocks.sum::<u64>() * BLOCK_BYTES)
}

/// Removes the files of a directory that cannot be continued; says whether others are left.
pub(super) fn remove_all_but_resumable(directory: &OwnedFd) -> bool {
    let stems = journals(directory);
    let is_kept = |name: &[u8]| {
        let suffixes = [PART.as_bytes(), JOURNAL.as_bytes()];
        let mut of = suffixes.iter().filter_map(|suffix| name.strip_suffix(*suffix));
        of.any(|stem| stems.iter().any(|kept| kept == stem))
    };
    for entry in entries(directory).filter(|entry| !is_kept(entry.file_name().to_bytes())) {
        let _ = unlinkat(directory, entry.file_name(), AtFlags::empty());
    }
    !stems.is_empty()
}

/// Removes a staging directory with all that is in it.
pub(super) fn remove(root: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    let mut last = Errno::NOTEMPTY;
    for _ in 0..MAX_REMOVALS {
        match remove_once(root, name) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(errno) => last = errno,
        }
    }
    Err(last)
}

fn remove_once(root: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    let directory = match open_directory(root, name) {
        // A file that was to be written whole, or a link, which is not followed.
        Err(Errno::NOTDIR | Errno::LOOP) => {
            return unlinkat(root, name, AtFlags::empty());
        }
        opened => opened?,
    };
    for entry in entries(&directory) {
        let _ = unlinkat(&directory, entry.file_name(), AtFlags::empty());
    }
    unlinkat(root, name, AtFlags::REMOVEDIR)
}

/// What is in a directory; nothing if that cannot be told.
pub(super) fn entries(directory: &OwnedFd) -> impl Iterator<Item = DirEntry> {
    let entries = Dir::read_from(directory).into_iter().flatten().flatten();
    entries.filter(|entry| !is_dot(entry))
}

/// The directory itself, or the one above.
pub(super) fn is_dot(entry: &DirEntry) -> bool {
    matches!(entry.file_name().to_bytes(), b"." | b"..")
}

/// What the file system says of each of them.
fn facts(directory: &OwnedFd) -> impl Iterator<Item = Stat> {
    entries(directory).filter_map(move |entry| {
        statat(directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW).ok()
    })
}
