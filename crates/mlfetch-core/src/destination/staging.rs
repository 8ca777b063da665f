//! Where files are written before they are whole: a directory of one fetch, in the destination.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps, fstat};
use rustix::io::{Errno, retry_on_intr};

use super::existing::{changed, modified};
use super::filesystem::FileSystem;
use super::left::{self, LeftBehind};
use super::owner;

/// The staging directory of one fetch.
#[derive(Debug)]
pub(super) struct Staging {
    root: Arc<OwnedFd>,
    name: String,
    directory: OwnedFd,
    /// When it was made, by the file system's own clock.
    made: Option<SystemTime>,
    filesystem: FileSystem,
    next: AtomicU64,
    left: LeftBehind,
}

impl Staging {
    /// Makes a directory of our own, for nobody else to look into; removes those of processes that
    /// are gone, unless they hold what can be continued.
    pub(super) fn open(root: &Arc<OwnedFd>) -> Result<Self, Errno> {
        let name = owner::new_name();
        rustix::fs::mkdirat(root, &name, Mode::from_raw_mode(0o700))?;
        let look = |directory: OwnedFd| fstat(&directory).map(|found| (changed(&found), directory));
        let (made, directory) =
            open_directory(root, name.as_bytes()).and_then(look).inspect_err(|_| {
                // Else it would lie there until this process is gone.
                let _ = rustix::fs::unlinkat(root, &name, AtFlags::REMOVEDIR);
            })?;
        Ok(Self {
            root: Arc::clone(root),
            name,
            made,
            filesystem: FileSystem::of(&directory),
            directory,
            next: AtomicU64::new(0),
            left: LeftBehind::find(root, made),
        })
    }

    /// Its name in the destination.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The destination.
    pub(super) fn root(&self) -> &OwnedFd {
        &self.root
    }

    pub(super) fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    /// When it was made, by the file system's own clock.
    pub(super) fn made(&self) -> Option<SystemTime> {
        self.made
    }

    /// What earlier fetches left here that can be continued.
    pub(super) fn left(&self) -> &LeftBehind {
        &self.left
    }

    /// Shows those who cannot ask for our process that it lives.
    pub(super) fn touch(&self) {
        let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        // A file system without times shows nothing.
        let _ = rustix::fs::futimens(
            &self.directory,
            &Timestamps { last_access: now, last_modification: now },
        );
    }

    /// When that was done last, by the file system's own clock.
    pub(super) fn touched(&self) -> Option<SystemTime> {
        fstat(&self.directory).ok().and_then(|found| modified(&found))
    }

    /// A new empty file.
    pub(super) fn create(self: &Arc<Self>) -> Result<StagedFile, Errno> {
        let stem = format!("{:x}", self.next.fetch_add(1, Ordering::Relaxed));
        let file = self.create_file(&left::part(&stem))?;
        Ok(StagedFile { file, staging: Arc::clone(self), stem: Some(stem), journal: None })
    }

    /// A file with a journal beside it: the one that an earlier fetch left under this stem, or a
    /// new one. A stem names exactly one object, of one version, on its way to one path.
    pub(super) fn create_or_continue(self: &Arc<Self>, stem: &str) -> Result<StagedFile, Errno> {
        let (part, journal) = (left::part(stem), left::journal(stem));
        let open = |(file, journal)| StagedFile {
            file,
            staging: Arc::clone(self),
            stem: Some(stem.to_owned()),
            journal: Some(Arc::new(journal)),
        };
        if let Some(files) = self.open_both(&part, &journal) {
            return Ok(open(files));
        }
        if self.left.claim(stem, &self.directory)
            && let Some(files) = self.open_both(&part, &journal)
        {
            return Ok(open(files));
        }
        self.remove_file(&part);
        self.remove_file(&journal);
        let file = self.create_file(&part)?;
        Ok(open((file, self.create_file(&journal).inspect_err(|_| self.remove_file(&part))?)))
    }

    /// Removes it with all that is in it, and what others left.
    pub(super) fn remove(&self) -> Result<(), Errno> {
        self.left.remove_all();
        left::remove(&self.root, self.name.as_bytes())
    }

    /// Ends its use by us: what can be continued is nobody's now, all else goes.
    pub(super) fn leave(&self) {
        if left::remove_all_but_resumable(&self.directory) {
            let _ = rustix::fs::renameat(&self.root, &self.name, &self.root, owner::nobodys_name());
        } else {
            // Nobody is left to tell; the next fetch removes what stays.
            let _ = left::remove(&self.root, self.name.as_bytes());
        }
    }

    fn create_file(&self, name: &str) -> Result<File, Errno> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (flags, mode) = (flags | append(name), Mode::from_raw_mode(0o666));
        retry_on_intr(|| rustix::fs::openat(&self.directory, name, flags, mode)).map(File::from)
    }

    /// Both files, if they are there and ours alone.
    fn open_both(&self, part: &str, journal: &str) -> Option<(File, File)> {
        let open = |name: &str| {
            let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
            let flags = flags | append(name);
            let file =
                retry_on_intr(|| rustix::fs::openat(&self.directory, name, flags, Mode::empty()));
            file.ok().filter(|file| fstat(file).is_ok_and(|found| is_ours_alone(&found)))
        };
        Some((File::from(open(part)?), File::from(open(journal)?)))
    }

    fn remove_file(&self, name: &str) {
        // It may be gone with its directory already.
        let _ = rustix::fs::unlinkat(&self.directory, name, AtFlags::empty());
    }
}

/// Several threads write to a journal, each a line at a time.
fn append(name: &str) -> OFlags {
    if left::is_journal(name.as_bytes()) { OFlags::APPEND } else { OFlags::empty() }
}

/// A plain file of this user that has no second name anywhere.
fn is_ours_alone(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode).is_file()
        && found.st_nlink == 1
        && found.st_uid == rustix::process::geteuid().as_raw()
}

/// A file that is being written. Dropped without a commit, it is gone, unless a journal beside it
/// says what of it is there.
#[derive(Debug)]
pub(crate) struct StagedFile {
    file: File,
    staging: Arc<Staging>,
    /// Its name without what says that it is a part. `None` once it has its final name.
    stem: Option<String>,
    journal: Option<Arc<File>>,
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

    /// The journal beside it, if it can be continued. What is written to it goes to its end.
    pub(crate) fn journal(&self) -> Option<Arc<File>> {
        self.journal.clone()
    }

    /// Lets go of what was kept: its bytes are not what they should be.
    pub(crate) fn discard(mut self) {
        self.forget_journal();
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

    /// Makes sure that the file system could keep the bytes, where it would not say so by itself.
    pub(super) fn settle(&self) -> std::io::Result<()> {
        if !self.staging.filesystem.tells_late {
            return Ok(());
        }
        let cannot_be_asked = |error: &std::io::Error| {
            let errno = Errno::from_io_error(error);
            matches!(errno, Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP))
        };
        match self.file.sync_data() {
            Err(error) if cannot_be_asked(&error) => Ok(()),
            done => done,
        }
    }

    pub(super) fn directory(&self) -> &OwnedFd {
        &self.staging.directory
    }

    pub(super) fn name(&self) -> String {
        self.stem.as_deref().map(left::part).unwrap_or_default()
    }

    pub(super) fn is_committed(&mut self) {
        self.forget_journal();
        self.stem = None;
    }

    fn forget_journal(&mut self) {
        if let (Some(_), Some(stem)) = (self.journal.take(), &self.stem) {
            self.staging.remove_file(&left::journal(stem));
        }
    }

    fn can_be_continued(&self) -> bool {
        let has_bytes = |file: &File| file.metadata().is_ok_and(|found| found.len() > 0);
        self.journal.as_deref().is_some_and(has_bytes)
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if self.can_be_continued() {
            return;
        }
        self.forget_journal();
        if self.stem.is_some() {
            self.staging.remove_file(&self.name());
        }
    }
}

pub(super) fn open_directory(parent: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(parent, name, flags, Mode::empty()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::FileExt as _;
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::destination::support::names;

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

    /// A file that was not whole when its fetch ended.
    fn leave_half(home: &Path, stem: &str) {
        let staging = open(home);
        let staged = staging.create_or_continue(stem).expect("staged");
        staged.share().expect("a handle").write_all_at(b"half", 0).expect("written");
        staged.journal().expect("a journal").as_ref().write_all(b"0 4\n").expect("written");
        staging.create().expect("a file that cannot be continued");
        drop(staged);
        staging.leave();
    }

    /// What is there under a stem, and what its journal says.
    fn content(staged: &StagedFile) -> (Vec<u8>, Vec<u8>) {
        let read = |file: &File| {
            let mut bytes = vec![0; 9];
            let count = file.read_at(&mut bytes, 0).expect("read");
            bytes.truncate(count);
            bytes
        };
        let journal = staged.journal().expect("a journal");
        (read(&staged.share().expect("a handle")), read(&journal))
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
        for (quiet, stays) in [(Duration::from_mins(1), true), (Duration::from_mins(3), false)] {
            let home = tempfile::tempdir().expect("a directory");
            leave_behind(home.path(), ELSEWHERE, quiet);
            open(home.path()).remove().expect("removed");
            assert_eq!(home.path().join(ELSEWHERE).exists(), stays, "{quiet:?}");
        }
    }

    #[test]
    fn a_fetch_shows_that_it_lives() {
        let home = tempfile::tempdir().expect("a directory");
        let staging = open(home.path());
        let long_ago = SystemTime::now() - Duration::from_hours(1);
        let directory = File::open(home.path().join(staging.name())).expect("open");
        directory.set_modified(long_ago).expect("another time");
        staging.touch();
        let modified = directory.metadata().expect("there").modified().expect("a time");
        assert!(modified.elapsed().is_ok_and(|age| age < Duration::from_mins(1)));
    }

    #[test]
    fn a_link_with_such_a_name_is_not_followed() {
        let home = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        std::fs::write(outside.path().join("x"), "x").expect("written");
        let name = ELSEWHERE.replace("elsewhere-7", "0-0");
        std::os::unix::fs::symlink(outside.path(), home.path().join(name)).expect("a link");
        open(home.path()).remove().expect("removed");
        assert!(outside.path().join("x").exists());
    }

    #[test]
    fn what_can_be_continued_is_left_to_the_next_fetch_of_it() {
        let home = tempfile::tempdir().expect("a directory");
        leave_half(home.path(), "a");
        let staging = open(home.path());
        assert!(staging.left().bytes() > 0);
        let other = staging.create_or_continue("b").expect("staged");
        assert_eq!(content(&other), (vec![], vec![]), "another file begins anew");
        let staged = staging.create_or_continue("a").expect("staged");
        assert_eq!(content(&staged), (b"half".to_vec(), b"0 4\n".to_vec()));
        let second = open(home.path()).create_or_continue("a").expect("staged");
        assert_eq!(content(&second), (vec![], vec![]), "one has it, and it lives");
        drop((other, staged, second));
        staging.remove().expect("removed");
    }

    #[test]
    fn what_can_be_continued_is_found_again_by_the_same_fetch() {
        let home = tempfile::tempdir().expect("a directory");
        let staging = open(home.path());
        for (expected, discards) in [(&b""[..], false), (b"half", true), (b"", false)] {
            let staged = staging.create_or_continue("a").expect("staged");
            assert_eq!(content(&staged).0, expected);
            staged.share().expect("a handle").write_all_at(b"half", 0).expect("written");
            staged.journal().expect("a journal").as_ref().write_all(b"0 4\n").expect("written");
            if discards {
                staged.discard();
            }
        }
    }

    #[test]
    fn what_is_left_goes_with_the_work_that_did_not_need_it() {
        let home = tempfile::tempdir().expect("a directory");
        leave_half(home.path(), "a");
        assert_eq!(names(home.path()).len(), 1);
        open(home.path()).leave();
        assert_eq!(names(home.path()).len(), 1, "it did not come to its end");
        open(home.path()).remove().expect("removed");
        assert!(names(home.path()).is_empty());
    }

    #[test]
    fn a_second_name_of_a_file_that_was_left_is_not_written_to() {
        let home = tempfile::tempdir().expect("a directory");
        leave_half(home.path(), "a");
        let left = home.path().join(&names(home.path())[0]).join("a.part");
        std::fs::hard_link(left, home.path().join("theirs")).expect("a second name");
        let staged = open(home.path()).create_or_continue("a").expect("staged");
        assert_eq!(content(&staged), (vec![], vec![]));
        assert_eq!(std::fs::read(home.path().join("theirs")).expect("there"), b"half");
    }
}
