//! Whether a log is as it was written.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use mlfetch_store::{Error, ErrorKind, Result, escape};

use super::MAX_RECORD_BYTES;
use super::chain::{Link, Read, read};
use crate::manifest::Sha256Sum;

/// What a log that is whole holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// Its records.
    pub records: u64,
    /// The hash of the last one; `None` of an empty log. Kept elsewhere, it shows later whether the
    /// end was cut off.
    pub hash: Option<Sha256Sum>,
    /// Attempts that began, in strict logs, and of which no end is on record: killed, or on their
    /// way.
    pub unfinished: u64,
}

/// Reads a log and finds a record that was changed, removed, added or moved. Whether records are
/// missing at its end shows only with `noted`, a hash that was kept from an earlier check: it must
/// be in the log.
///
/// # Errors
/// `Integrity`, naming the line and what is wrong with it; `NotFound`, `PermissionDenied`, `Io` if
/// the log cannot be read.
pub fn check_log(path: &Path, noted: Option<Sha256Sum>) -> Result<Checked> {
    let shown = escape(path.as_os_str().as_encoded_bytes());
    let file = File::open(path).map_err(|cause| failed(&shown, cause))?;
    check(BufReader::new(file), &shown, noted)
}

/// The same for lines from anywhere; `shown` is what messages call them.
pub(super) fn check(
    mut lines: impl BufRead,
    shown: &str,
    noted: Option<Sha256Sum>,
) -> Result<Checked> {
    let broken = |why: String| {
        Error::new(ErrorKind::Integrity, "trust the audit log", shown)
            .with_message(why)
            .with_hint("compare it with a copy that was kept elsewhere")
    };
    let mut checking = Checking { noted, ..Checking::default() };
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let limit = MAX_RECORD_BYTES as u64 + 1;
        let read = lines.by_ref().take(limit).read_until(b'\n', &mut line);
        read.map_err(|cause| failed(shown, cause))?;
        if line.is_empty() {
            break;
        }
        let why = match line.strip_suffix(b"\n") {
            Some(line) => checking.take(line).err(),
            None => Some("it ends in the middle".to_owned()),
        };
        if let Some(why) = why {
            return Err(broken(format!("line {number}: {why}")));
        }
    }
    checking.end().map_err(broken)
}

fn failed(shown: &str, cause: std::io::Error) -> Error {
    let kind = match cause.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        _ => ErrorKind::Io,
    };
    let error = Error::new(kind, "read the audit log", shown).with_source(cause);
    error.with_hint("check the path, and that this user may read the file")
}

struct Checking {
    link: Link,
    noted: Option<Sha256Sum>,
    begun: HashSet<String>,
}

impl Default for Checking {
    fn default() -> Self {
        Self { link: Link::NONE, noted: None, begun: HashSet::new() }
    }
}

impl Checking {
    fn take(&mut self, line: &[u8]) -> std::result::Result<(), String> {
        let record = read(line)?;
        self.follows(&record)?;
        self.link = Link { seq: record.seq, hash: Some(record.hash) };
        self.noted = self.noted.filter(|noted| *noted != record.hash);
        let attempt = record.value["attempt"].as_str().unwrap_or_default();
        match record.value["event"].as_str() {
            Some("begin") => drop(self.begun.insert(attempt.to_owned())),
            Some("end") => drop(self.begun.remove(attempt)),
            _ => {}
        }
        Ok(())
    }

    fn follows(&self, record: &Read) -> std::result::Result<(), String> {
        let Read { seq, prev, .. } = record;
        let expected = self.link.seq + 1;
        if *seq > expected {
            let (from, to) = (expected, seq - 1);
            return Err(format!(
                "it is record {seq}: records {from} to {to} are missing before it"
            ));
        }
        if *seq < expected {
            return Err(format!("it is record {seq} in the place of {expected}: it was moved"));
        }
        if *prev != self.link.prev() {
            return Err("it does not follow the record before it: that one is another".into());
        }
        Ok(())
    }

    fn end(self) -> std::result::Result<Checked, String> {
        if let Some(noted) = self.noted {
            return Err(format!("no record has the hash {noted}: its end was cut off"));
        }
        let unfinished = self.begun.len() as u64;
        Ok(Checked { records: self.link.seq, hash: self.link.hash, unfinished })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{AuditLog, chain};
    use super::*;

    /// A log of five records, as lines.
    fn log() -> (tempfile::TempDir, std::path::PathBuf, Vec<String>) {
        let home = tempfile::tempdir().expect("a directory");
        let log = AuditLog::at(home.path().join("log"));
        for event in ["begin", "end", "begin", "end", "begin"] {
            let record = json!({ "event": event, "attempt": "a" });
            log.append(&[record.as_object().cloned().expect("an object")]).expect("appended");
        }
        let text = std::fs::read_to_string(log.path()).expect("there");
        let path = log.path().to_owned();
        (home, path, text.lines().map(str::to_owned).collect())
    }

    fn checked(path: &Path, lines: &[&str]) -> Result<Checked> {
        std::fs::write(path, lines.join("\n") + "\n").expect("written");
        check_log(path, None)
    }

    #[test]
    fn a_record_that_was_changed_removed_added_or_moved_is_named() {
        let (_home, path, lines) = log();
        let line = |at: usize| lines[at - 1].as_str();
        let of = |order: &[usize]| order.iter().map(|at| line(*at)).collect::<Vec<_>>();
        let whole = checked(&path, &of(&[1, 2, 3, 4, 5])).expect("whole");
        assert_eq!((whole.records, whole.unfinished), (5, 1));
        let changed = line(3).replace("begin", "start");
        let forged = line(5).replace("begin", "done ");
        for (lines, why) in [
            (vec![line(1), line(2), &changed, line(4), line(5)], "line 3: it was changed"),
            (vec![line(1), line(2), line(3), line(4), &forged], "line 5: it was changed"),
            (of(&[1, 2, 4, 5]), "line 3: it is record 4: records 3 to 3 are missing"),
            (of(&[2, 3, 4, 5]), "line 1: it is record 2: records 1 to 1 are missing"),
            (of(&[1, 3, 2, 4, 5]), "line 2: it is record 3"),
            (of(&[1, 2, 2, 3, 4, 5]), "line 3: it is record 2 in the place of 3"),
            (vec![line(1), line(2), "", line(3)], "line 3: it is no JSON"),
            (vec![line(1), line(2), line(3), "{}", line(5)], "line 4: it is no record"),
        ] {
            let error = checked(&path, &lines).expect_err("broken");
            assert_eq!(error.kind(), ErrorKind::Integrity);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn a_record_that_was_written_anew_breaks_the_next() {
        let (_home, path, lines) = log();
        let record = json!({ "event": "forged" });
        let mut forged = Vec::new();
        let before = read(lines[1].as_bytes()).expect("a record");
        let link = Link { seq: before.seq, hash: Some(before.hash) };
        chain::push(&mut forged, record.as_object().expect("an object"), link);
        let forged = String::from_utf8(forged).expect("text");
        let lines = [&lines[0], &lines[1], forged.trim_end(), &lines[3]];
        let error = checked(&path, &lines).expect_err("broken");
        assert!(error.to_string().contains("line 4: it does not follow"), "{error}");
    }

    #[test]
    fn an_end_that_was_cut_off_shows_by_a_hash_that_was_kept() {
        let (_home, path, lines) = log();
        let hash = check_log(&path, None).expect("whole").hash;
        check_log(&path, hash).expect("it is there");
        let shorter: Vec<&str> = lines[..4].iter().map(String::as_str).collect();
        checked(&path, &shorter).expect("nobody can tell");
        let error = check_log(&path, hash).expect_err("cut off");
        assert!(error.to_string().contains("cut off"), "{error}");
        std::fs::write(&path, &lines[0][..20]).expect("written");
        let error = check_log(&path, None).expect_err("half a record");
        assert!(error.to_string().contains("line 1: it ends in the middle"), "{error}");
    }
}
