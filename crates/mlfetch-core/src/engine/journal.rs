//! What of a big file is on the disk, beside the file: a line after each step of a range that arrived,
//! which says how far the range has come. If the fetch ends before the file is whole, the next one
//! reads the lines, looks whether the bytes are still what they say, and fetches the rest. A journal
//! is never more than a hint.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::ops::Range;
use std::sync::Arc;

use mlfetch_store::{Checksum, Coverage, ObjectInfo};
use sha2::{Digest as _, Sha256};

use super::joined::Pieces;
use crate::RelativePath;
use crate::manifest::{hex, unhex};

/// Lines of a file of many TiB; what is longer was not written here.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Changes when lines, or what their values are, change.
const FORM: &[u8] = b"1";

/// A stretch of a file that is on the disk, and the values of its pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) range: Range<u64>,
    pub(super) values: Vec<u8>,
}

/// The journal of one file.
#[derive(Debug, Clone)]
pub(super) struct Journal(Arc<File>);

impl Journal {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self(file)
    }

    /// Notes a step whose bytes were written. One that cannot be noted is fetched again, no more.
    pub(super) fn note(&self, step: &Step) {
        let Range { start, end } = step.range;
        let line = format!("{start:x} {end:x} {}\n", hex(&step.values));
        let _ = self.0.as_ref().write_all(line.as_bytes());
    }

    /// The steps of a file of `size` bytes in order, none of which lies over another. Lines that
    /// were cut off or say something else are passed over.
    pub(super) fn steps(&self, size: u64, pieces: &Pieces) -> Vec<Step> {
        let mut bytes = Vec::new();
        let read = self.0.as_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes);
        if read.is_err() || bytes.len() as u64 > MAX_BYTES {
            return Vec::new();
        }
        // Of two lines for one place the later one counts: it was fetched again.
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').rev().filter_map(step);
        let fits = |step: &Step| {
            let Range { start, end } = step.range;
            start < end && end <= size && step.values.len() == pieces.values_bytes(&step.range)
        };
        let mut steps: Vec<Step> = lines.filter(fits).collect();
        steps.sort_by_key(|step| step.range.start);
        let mut position = 0;
        steps.retain(|step| {
            let is_next = step.range.start >= position;
            if is_next {
                position = step.range.end;
            }
            is_next
        });
        steps
    }
}

fn step(line: &[u8]) -> Option<Step> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let [start, end, values] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    Some(Step { range: number(start)?..number(end)?, values: unhex(values)? })
}

/// What names one version of one object on its way to one path, and the checksum its steps are
/// digested for: whatever of these is another, nothing of the file is taken over.
pub(super) fn stem(
    root: &str,
    info: &ObjectInfo,
    sum: Option<&Checksum>,
    path: &RelativePath,
) -> String {
    let modified = info.modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let facts = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        info.etag,
        info.version,
        info.size,
        modified,
        sum.map(|sum| (sum.algorithm.name(), &sum.value, parts(sum))),
    );
    let mut digest = Sha256::new();
    for field in [FORM, root.as_bytes(), info.key.as_bytes(), path.as_bytes(), facts.as_bytes()] {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field);
    }
    hex(&digest.finalize()[..16])
}

fn parts(sum: &Checksum) -> &[u64] {
    match &sum.coverage {
        Coverage::Parts(sizes) => sizes,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use mlfetch_store::{Algorithm, Key};
    use std::io::Seek as _;

    use super::*;

    fn pieces() -> Pieces {
        Pieces::of(&Checksum::new(Algorithm::Crc32, vec![])).expect("a CRC")
    }

    fn read(text: &[u8]) -> Vec<(u64, u64)> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text).expect("written");
        file.rewind().expect("at its start");
        let steps = Journal::new(Arc::new(file)).steps(100, &pieces());
        steps.into_iter().map(|step| (step.range.start, step.range.end)).collect()
    }

    #[test]
    fn what_is_noted_is_read_in_order() {
        let file = tempfile::tempfile().expect("a file");
        let mut copy = file.try_clone().expect("a handle");
        let journal = Journal::new(Arc::new(file));
        let step = |range: Range<u64>, byte| Step { range, values: vec![byte; 4] };
        let steps = [step(0..16, 0), step(16..90, 0xff), step(95..100, 9)];
        for at in [1, 0, 2] {
            journal.note(&steps[at]);
        }
        copy.rewind().expect("at its start");
        assert_eq!(journal.steps(100, &pieces()), steps);
    }

    #[test]
    fn of_two_lines_for_one_place_the_later_one_counts() {
        assert_eq!(read(b"0 a 01020304\n0 14 01020304\n5 1e 01020304\n"), [(0, 20)]);
    }

    #[test]
    fn lines_that_say_something_else_are_passed_over() {
        let right = "0 a 01020304\n";
        assert_eq!(read(right.as_bytes()), [(0, 10)]);
        for wrong in [
            "a 14 010203\n",
            "a 14 0102030g\n",
            "a 14 é10203\n",
            "a a 01020304\n",
            "a 5 01020304\n",
            "a 65 01020304\n",
            "5 14 01020304\n",
            "a 14 01020304 \n",
            "\0\0\0\n",
            "a 14 01020304",
        ] {
            assert_eq!(read(format!("{right}{wrong}").as_bytes()), [(0, 10)], "{wrong:?}");
        }
        assert_eq!(read(b"\xff\n0 a 01020304\n"), [(0, 10)]);
    }

    #[test]
    fn whatever_is_another_has_another_name() {
        let path = |text: &str| RelativePath::new(text).expect("a path");
        let info = || ObjectInfo::new(Key::from("k")).with_size(9).with_etag("\"e\"".to_owned());
        let sum = |byte| Checksum::new(Algorithm::Md5, vec![byte; 16]);
        let over = |sizes: &[u64]| sum(1).with_coverage(Coverage::Parts(sizes.to_vec()));
        let later = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(5);
        let first = stem("s3://b", &info(), Some(&sum(1)), &path("p"));
        assert_eq!(first, stem("s3://b", &info(), Some(&sum(1)), &path("p")));
        let others = [
            stem("s3://c", &info(), Some(&sum(1)), &path("p")),
            stem("s3://b", &info(), Some(&sum(2)), &path("p")),
            stem("s3://b", &info(), Some(&over(&[4, 5])), &path("p")),
            stem("s3://b", &info(), Some(&over(&[5, 4])), &path("p")),
            stem("s3://b", &info(), None, &path("p")),
            stem("s3://b", &info(), Some(&sum(1)), &path("q")),
            stem("s3://b", &info().with_size(8), Some(&sum(1)), &path("p")),
            stem("s3://b", &info().with_etag("\"f\"".to_owned()), Some(&sum(1)), &path("p")),
            stem("s3://b", &info().with_version("1".to_owned()), Some(&sum(1)), &path("p")),
            stem("s3://b", &info().with_modified(later), Some(&sum(1)), &path("p")),
            stem("s3://bk", &ObjectInfo::new(Key::from("")).with_size(9), None, &path("p")),
        ];
        let mut all: Vec<&String> = others.iter().chain([&first]).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), others.len() + 1);
    }
}
