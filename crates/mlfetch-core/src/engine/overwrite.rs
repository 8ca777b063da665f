//! What happens to files that are there already.

use std::time::{Duration, SystemTime};

use mlfetch_store::ObjectInfo;

use crate::destination::Existing;

/// What happens to files that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// Replaced if they may differ: another size, another checksum where the listing has one, else
    /// another time of last change. If the store tells none of these, they are fetched again.
    #[default]
    IfChanged,
    /// Replaced.
    Always,
    /// Left alone.
    Never,
    /// An error.
    Error,
}

/// What is known before a local file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Same,
    Different,
    /// Size and name agree and the store has a checksum: read the local file to be sure.
    NeedsChecksum,
}

/// Compares a local file with what the listing says.
pub(super) fn compare(existing: Existing, listed: &ObjectInfo) -> Compared {
    if !existing.is_file || listed.size != Some(existing.size) {
        return Compared::Different;
    }
    if !listed.checksums.is_empty() {
        return Compared::NeedsChecksum;
    }
    match (existing.modified, listed.modified) {
        (Some(here), Some(there)) if same_second(here, there) => Compared::Same,
        _ => Compared::Different,
    }
}

/// Stores and file systems keep times to different fractions of a second.
fn same_second(one: SystemTime, other: SystemTime) -> bool {
    let apart = one.duration_since(other).or_else(|_| other.duration_since(one));
    apart.is_ok_and(|apart| apart < Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use mlfetch_store::{Algorithm, Checksum, Key};

    use super::*;

    fn existing(size: u64, seconds: u64) -> Existing {
        let modified = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        Existing { is_file: true, size, modified }
    }

    fn listed(size: u64) -> ObjectInfo {
        ObjectInfo::new(Key::from("x")).with_size(size)
    }

    #[test]
    fn size_decides_first_then_checksum_then_time() {
        let at = |seconds| {
            Some(SystemTime::UNIX_EPOCH + Duration::from_millis(seconds * 1000_u64 + 300))
        };
        assert_eq!(compare(existing(1, 5), &listed(2)), Compared::Different);
        assert_eq!(compare(existing(1, 5), &listed(1)), Compared::Different);
        assert_eq!(compare(existing(1, 5), &listed(1).with_modified(at(5))), Compared::Same);
        assert_eq!(compare(existing(1, 5), &listed(1).with_modified(at(7))), Compared::Different);
        let sum = vec![Checksum::new(Algorithm::Md5, vec![0; 16])];
        assert_eq!(
            compare(existing(1, 5), &listed(1).with_checksums(sum)),
            Compared::NeedsChecksum
        );
    }
}
