//! A log file that many processes append to at once.

use std::fs::File;
use std::io::{ErrorKind as IoKind, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use serde_json::{Map, Value, json};

use super::chain::{self, Link};
use super::{MAX_RECORD_BYTES, who};
use crate::destination::{DestinationError, DestinationProblem};

/// How long a record waits for the processes before it.
const LOCK_WITHIN: Duration = Duration::from_secs(10);

/// What is read of the end of a log at first; a record is shorter as a rule.
const LOOK_BYTES: u64 = 16 * 1024;

/// Looks after a log that somebody moves away again and again.
const MAX_TRIES: usize = 8;

type Result<T> = std::result::Result<T, DestinationError>;

/// A log file. Each append is one write under a lock, so that records are there whole or not at all
/// and the chain has one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLog {
    path: PathBuf,
    strict: bool,
}

impl AuditLog {
    /// The log at this path; made with the first record, for nobody else to read.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), strict: false }
    }

    /// Whether nothing may be done that is not on record: a record that cannot be written is a
    /// failure then, each one is on the disk before the work goes on, and there is one for the
    /// beginning and one for each file.
    #[must_use]
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Whether nothing may be done that is not on record.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends records, all of them or none.
    ///
    /// # Errors
    /// What the file system says; if the log ends in what is no record, or is held for too long.
    pub(super) fn append(&self, records: &[Map<String, Value>]) -> Result<()> {
        let (mut file, is_new) = self.locked()?;
        let size = file.metadata().map_err(|error| self.failed(&error))?.len();
        let End { link, whole } = self.end(&file, size)?;
        let (mut lines, mut link) = (Vec::new(), link);
        if whole < size {
            // Its writer was stopped on its way: a record is there whole or not at all.
            file.set_len(whole).map_err(|error| self.failed(&error))?;
            link = chain::push(&mut lines, &repaired(size - whole), link);
        }
        for record in records {
            link = chain::push(&mut lines, record, link);
        }
        let written = file.write(&lines);
        match written {
            Ok(count) if count == lines.len() => {}
            other => {
                // What came of it goes again while nobody else writes.
                let _ = file.set_len(whole);
                let full = std::io::Error::from(IoKind::StorageFull);
                return Err(self.failed(&other.err().unwrap_or(full)));
            }
        }
        if self.strict {
            file.sync_data().map_err(|error| self.failed(&error))?;
            if is_new {
                self.sync_directory();
            }
        }
        Ok(())
    }

    /// Opens the file and waits for its lock. One that was moved away meanwhile is opened anew.
    fn locked(&self) -> Result<(File, bool)> {
        let until = Instant::now() + LOCK_WITHIN;
        for _ in 0..MAX_TRIES {
            let (file, is_new) = self.open()?;
            self.lock(&file, until)?;
            let is_there = std::fs::symlink_metadata(&self.path).ok();
            let here = file.metadata().map_err(|error| self.failed(&error))?;
            if is_there.is_some_and(|there| (there.dev(), there.ino()) == (here.dev(), here.ino()))
            {
                return Ok((file, is_new));
            }
        }
        Err(self.refused("it is moved away again and again", "rotate it less often"))
    }

    fn open(&self) -> Result<(File, bool)> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // A pipe without a reader must not hold anybody up.
        let flags = flags | OFlags::NONBLOCK;
        let (file, is_new) = match rustix::fs::open(&self.path, flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                let mode = Mode::from_raw_mode(0o600);
                (rustix::fs::open(&self.path, flags | OFlags::CREATE, mode), true)
            }
            opened => (opened, false),
        };
        let file = File::from(file.map_err(|errno| self.not_opened(errno))?);
        let is_file = file.metadata().map_err(|error| self.failed(&error))?.is_file();
        if !is_file {
            return Err(self.refused("it is no plain file", "name a file for the audit log"));
        }
        Ok((file, is_new))
    }

    fn lock(&self, file: &File, until: Instant) -> Result<()> {
        let mut pause = Duration::from_micros(200);
        loop {
            match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(()),
                Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < until => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(20));
                }
                Err(Errno::WOULDBLOCK) => {
                    let hint = "see which process has it open";
                    return Err(self.refused("another process holds it", hint));
                }
                Err(errno) => return Err(DestinationError::from_errno(&self.path, errno)),
            }
        }
    }

    /// Where the chain stands, and how far the file holds whole records. Looks at its last record:
    /// at few bytes first, at more where that is a long one.
    fn end(&self, file: &File, size: u64) -> Result<End> {
        let newline = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte == b'\n');
        let mut window = size.min(LOOK_BYTES);
        loop {
            let mut tail = vec![0; usize::try_from(window).unwrap_or_default()];
            file.read_exact_at(&mut tail, size - window).map_err(|error| self.failed(&error))?;
            let end = newline(&tail);
            let start = end.and_then(|end| newline(&tail[..end])).map(|before| before + 1);
            match (start, end) {
                (None, _) if window < size && window <= MAX_RECORD_BYTES as u64 => {
                    window = size.min(window * 8);
                }
                (None, None) if window == size => return self.no_record_yet(&tail),
                (start, Some(end)) => {
                    let record = &tail[start.unwrap_or_default()..end];
                    let read = chain::read(record).map_err(|_| self.no_log())?;
                    let link = Link { seq: read.seq, hash: Some(read.hash) };
                    return Ok(End { link, whole: size - window + end as u64 + 1 });
                }
                (_, None) => return Err(self.no_log()),
            }
        }
    }

    /// Half of a record may go; another file may not.
    fn no_record_yet(&self, tail: &[u8]) -> Result<End> {
        let head = br#"{"audit":"#;
        let is_ours = tail.starts_with(head) || head.starts_with(tail);
        let is_ours = is_ours && tail.len() <= MAX_RECORD_BYTES;
        if is_ours { Ok(End { link: Link::NONE, whole: 0 }) } else { Err(self.no_log()) }
    }

    fn sync_directory(&self) {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or_else(|| Path::new("."));
        // Some file systems cannot do this for a directory.
        let _ = File::open(parent).and_then(|directory| directory.sync_all());
    }

    fn failed(&self, error: &std::io::Error) -> DestinationError {
        DestinationError::from_io(&self.path, error)
    }

    fn not_opened(&self, errno: Errno) -> DestinationError {
        let error = DestinationError::from_errno(&self.path, errno);
        match errno {
            Errno::NOENT => self.refused("its directory is not there", "make the directory"),
            Errno::ACCESS | Errno::PERM => {
                error.with_hint("this user must be able to read and append to the audit log")
            }
            Errno::LOOP => error.with_hint("name the file itself: no link is followed"),
            _ => error,
        }
    }

    /// The work was stopped before the record was written.
    pub(super) fn stopped(&self) -> DestinationError {
        DestinationError::new(&self.path, DestinationProblem::Failed)
            .with_detail("the work was stopped")
    }

    fn no_log(&self) -> DestinationError {
        self.refused(
            "it does not end in a record of an audit log",
            "look at it with `mlfetch audit verify`, and move it away",
        )
    }

    fn refused(&self, why: &str, hint: &'static str) -> DestinationError {
        DestinationError::new(&self.path, DestinationProblem::Failed)
            .with_detail(why)
            .with_hint(hint)
    }
}

struct End {
    link: Link,
    whole: u64,
}

/// What is said of half a record that was taken away.
fn repaired(bytes: u64) -> Map<String, Value> {
    let record = json!({ "event": "repair", "time": who::now(), "dropped_bytes": bytes });
    record.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::check_log;
    use super::*;

    fn record(text: &str) -> Map<String, Value> {
        json!({ "event": "end", "uri": text }).as_object().cloned().expect("an object")
    }

    fn log() -> (tempfile::TempDir, AuditLog) {
        let home = tempfile::tempdir().expect("a directory");
        let log = AuditLog::at(home.path().join("log"));
        (home, log)
    }

    #[test]
    fn many_at_once_make_one_chain() {
        let (_home, log) = log();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let log = log.clone().with_strict(thread == 0);
                scope.spawn(move || {
                    for at in 0..25 {
                        log.append(&[record(&format!("{thread}/{at}"))]).expect("appended");
                    }
                });
            }
        });
        assert_eq!(check_log(log.path(), None).expect("whole").records, 200);
    }

    #[test]
    fn half_a_record_goes_and_that_is_on_record() {
        let (_home, log) = log();
        log.append(&[record("one")]).expect("appended");
        let whole = std::fs::read(log.path()).expect("there");
        for kept in [1, whole.len() / 2, whole.len() - 1] {
            let half = [&whole[..], &whole[..kept]].concat();
            std::fs::write(log.path(), half).expect("written");
            log.append(&[record("two")]).expect("appended");
            assert_eq!(check_log(log.path(), None).expect("whole").records, 3);
            let text = std::fs::read_to_string(log.path()).expect("there");
            assert!(text.contains(&format!("\"dropped_bytes\":{kept}")), "{text}");
            std::fs::write(log.path(), &whole).expect("written");
        }
        std::fs::write(log.path(), &whole[..20]).expect("written");
        log.append(&[record("first")]).expect("half of the first goes too");
        assert_eq!(check_log(log.path(), None).expect("whole").records, 2);
    }

    #[test]
    fn a_long_record_is_found_too() {
        let (_home, log) = log();
        for size in [10, 20_000, 200_000, 900_000, 10] {
            log.append(&[record(&"x".repeat(size))]).expect("appended");
            log.append(&[record("short")]).expect("appended behind it");
        }
        assert_eq!(check_log(log.path(), None).expect("whole").records, 10);
    }

    #[test]
    fn another_file_is_never_written_to() {
        let (home, log) = log();
        for text in ["notes", "notes\n", "{\"a\":1}\n", &"x".repeat(3 * MAX_RECORD_BYTES)] {
            std::fs::write(log.path(), text).expect("written");
            log.append(&[record("x")]).expect_err("refused");
            assert_eq!(std::fs::read_to_string(log.path()).expect("there"), text);
        }
        let link = home.path().join("link");
        std::fs::write(log.path(), "").expect("written");
        std::os::unix::fs::symlink(log.path(), &link).expect("linked");
        AuditLog::at(link).append(&[record("x")]).expect_err("no link is followed");
        AuditLog::at(home.path()).append(&[record("x")]).expect_err("a directory");
        log.append(&[record("x")]).expect("an empty file is one");
    }

    #[test]
    fn a_log_is_for_its_owner_and_follows_its_name() {
        use std::os::unix::fs::PermissionsExt as _;
        let (home, log) = log();
        log.append(&[record("one")]).expect("appended");
        let mode = std::fs::metadata(log.path()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::rename(log.path(), home.path().join("log.1")).expect("rotated");
        log.append(&[record("two")]).expect("appended");
        assert_eq!(check_log(log.path(), None).expect("a new one").records, 1);
    }

    #[test]
    fn a_log_that_is_held_is_not_waited_for_for_ever() {
        let (_home, log) = log();
        log.append(&[record("one")]).expect("appended");
        let held = File::open(log.path()).expect("open");
        rustix::fs::flock(&held, FlockOperation::LockExclusive).expect("locked");
        let file = File::open(log.path()).expect("open");
        let error = log.lock(&file, Instant::now()).expect_err("held");
        assert!(error.to_string().contains("another process"), "{error}");
    }
}
