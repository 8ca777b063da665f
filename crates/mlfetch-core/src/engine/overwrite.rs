//! What happens to files that are there already.

use std::time::{Duration, SystemTime};

use mlfetch_store::ObjectInfo;

use super::SkipReason;
use super::verify::strongest;
use crate::destination::{DestinationProblem, Existing};

/// Times that are closer than this are the same: file systems cut them, most to 100 ns.
const SAME_MOMENT: Duration = Duration::from_millis(1);

/// A store that tells whole seconds may have changed the object again within the second in which it
/// was fetched. One second is that, one is for clocks that do not tick together.
const TOO_FRESH: Duration = Duration::from_secs(2);

/// What happens to files that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// Replaced if they may differ: another size, another checksum where the listing has one, else
    /// another time of last change. If the store tells neither, they are fetched again. Where the
    /// listing tells no size, the store is asked for each file that is there.
    ///
    /// Times must agree to the millisecond. Where the store tells whole seconds, a file that was
    /// fetched within two seconds of its last change is fetched again: it may have changed once
    /// more in the same second.
    #[default]
    IfChanged,
    /// Replaced.
    Always,
    /// Left alone.
    Never,
    /// An error.
    Error,
}

/// What is to be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Fetch it; says what may happen to a file of that name.
    Fetch(Replacing),
    /// Leave it alone.
    Skip(SkipReason),
    /// Size and name agree and the store has a checksum: read the local file to be sure.
    Compare,
    /// A file is there, and the listing tells no size: ask the store, and decide again.
    Ask,
    /// It cannot or may not be written.
    Refuse(DestinationProblem),
}

/// What may happen to a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replacing {
    /// Nothing.
    Nothing,
    /// It may go: this fetch brought it.
    Ours,
    /// It may go; if somebody wants backups, there is one.
    Theirs,
}

/// How a part of a fetch lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Laid {
    /// It is the first.
    First,
    /// Over another of the same fetch, whose files it may replace.
    Over,
    /// The same, after another process was waited for that brought this part too.
    OverShared,
}

/// Decides by what is there under the name of a file.
pub(super) fn decide(
    mode: Overwrite,
    existing: Option<Existing>,
    listed: &ObjectInfo,
    laid: Laid,
) -> Decision {
    let Some(existing) = existing else {
        return Decision::Fetch(match mode {
            Overwrite::Always | Overwrite::IfChanged => Replacing::Theirs,
            Overwrite::Never | Overwrite::Error => Replacing::Nothing,
        });
    };
    if existing.is_directory {
        return Decision::Refuse(DestinationProblem::IsADirectory);
    }
    if laid != Laid::First && existing.is_new {
        let shared = (laid == Laid::OverShared).then(|| compare(existing, listed));
        return match shared {
            Some(stays @ (Decision::Skip(_) | Decision::Compare)) => stays,
            _ => Decision::Fetch(Replacing::Ours),
        };
    }
    match mode {
        Overwrite::Always => Decision::Fetch(Replacing::Theirs),
        Overwrite::Never => Decision::Skip(SkipReason::Exists),
        Overwrite::Error => Decision::Refuse(DestinationProblem::Exists),
        Overwrite::IfChanged => compare(existing, listed),
    }
}

/// Compares a local file with what the listing says.
fn compare(existing: Existing, listed: &ObjectInfo) -> Decision {
    if existing.is_file && listed.size.is_none() {
        return Decision::Ask;
    }
    if !existing.is_file || listed.size != Some(existing.size) {
        return Decision::Fetch(Replacing::Theirs);
    }
    if strongest(&listed.checksums).is_some() {
        return Decision::Compare;
    }
    match (existing.modified, listed.modified) {
        (Some(here), Some(there))
            if distance(here, there) < SAME_MOMENT && !is_too_fresh(existing, there) =>
        {
            Decision::Skip(SkipReason::Unchanged)
        }
        _ => Decision::Fetch(Replacing::Theirs),
    }
}

fn is_too_fresh(existing: Existing, there: SystemTime) -> bool {
    let since = there.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // When it arrived: the file system's own time of its last change, which nobody can set.
    let arrived = existing.changed.unwrap_or(SystemTime::UNIX_EPOCH);
    since.subsec_nanos() == 0 && arrived < there + TOO_FRESH
}

fn distance(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|error| error.duration())
}

#[cfg(test)]
mod tests {
    use mlfetch_store::{Algorithm, Checksum, Coverage, Key};

    use super::*;

    const FETCH: Decision = Decision::Fetch(Replacing::Theirs);
    const OURS: Decision = Decision::Fetch(Replacing::Ours);
    const UNCHANGED: Decision = Decision::Skip(SkipReason::Unchanged);

    fn at(milliseconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    /// A file that was last written at this time and arrived a minute later.
    fn existing(size: u64, milliseconds: u64) -> Existing {
        Existing {
            is_file: true,
            is_directory: false,
            size,
            modified: Some(at(milliseconds)),
            changed: Some(at(milliseconds + 60_000)),
            is_new: false,
        }
    }

    fn listed(size: u64) -> ObjectInfo {
        ObjectInfo::new(Key::from("x")).with_size(size)
    }

    fn md5(coverage: Coverage) -> Vec<Checksum> {
        vec![Checksum::new(Algorithm::Md5, vec![0; 16]).with_coverage(coverage)]
    }

    #[test]
    fn size_decides_first_then_checksum_then_time() {
        let listed_at = |milliseconds| listed(1).with_modified(at(milliseconds));
        assert_eq!(compare(existing(1, 5300), &listed(2).with_modified(at(5300))), FETCH);
        assert_eq!(compare(existing(1, 5300), &listed_at(5300)), UNCHANGED);
        assert_eq!(compare(existing(1, 5300), &listed_at(5301)), FETCH);
        assert_eq!(compare(existing(1, 5300), &listed_at(5299)), FETCH);
        let with_sum = listed(1).with_checksums(md5(Coverage::Object)).with_modified(at(9));
        assert_eq!(compare(existing(1, 5300), &with_sum), Decision::Compare);
    }

    #[test]
    fn what_the_store_does_not_tell_is_fetched_again() {
        assert_eq!(compare(existing(1, 5300), &listed(1)), FETCH);
        let unsized_object = ObjectInfo::new(Key::from("x")).with_modified(at(5300));
        assert_eq!(compare(existing(1, 5300), &unsized_object), Decision::Ask);
        let unknown = Existing { modified: None, ..existing(1, 0) };
        assert_eq!(compare(unknown, &listed(1).with_modified(at(5300))), FETCH);
    }

    #[test]
    fn a_checksum_that_cannot_be_computed_leaves_it_to_the_time() {
        let parts = md5(Coverage::Parts(vec![]));
        let listed = listed(1).with_checksums(parts).with_modified(at(5300));
        assert_eq!(compare(existing(1, 5300), &listed), UNCHANGED);
    }

    #[test]
    fn a_time_of_whole_seconds_is_not_trusted_for_a_file_that_came_within_them() {
        let came_after = |milliseconds: u64, modified: u64| {
            let changed = Some(at(modified + milliseconds));
            let existing = Existing { changed, ..existing(1, modified) };
            compare(existing, &listed(1).with_modified(at(modified)))
        };
        assert_eq!(came_after(1900, 5000), FETCH);
        assert_eq!(came_after(2000, 5000), UNCHANGED);
        assert_eq!(came_after(10, 5300), UNCHANGED, "a store that tells fractions is exact");
    }

    #[test]
    fn each_mode_has_its_answer_to_what_is_in_the_way() {
        use Overwrite::{Always, Error, IfChanged, Never};
        let file = existing(1, 5300);
        let directory = Existing { is_file: false, is_directory: true, ..file };
        let link = Existing { is_file: false, ..file };
        let new = Existing { is_new: true, ..file };
        let exists = Decision::Skip(SkipReason::Exists);
        let in_the_way = Decision::Refuse(DestinationProblem::IsADirectory);
        let refuse = Decision::Refuse(DestinationProblem::Exists);
        // Mode; nothing; the same file; a link; a directory; a file of the part below.
        let keep = Decision::Fetch(Replacing::Nothing);
        let rows = [
            (Always, FETCH, FETCH, FETCH, in_the_way, OURS),
            (IfChanged, FETCH, UNCHANGED, FETCH, in_the_way, OURS),
            (Never, keep, exists, exists, in_the_way, OURS),
            (Error, keep, refuse, refuse, in_the_way, OURS),
        ];
        let listed = listed(1).with_modified(at(5300));
        for (mode, nothing, same, at_link, at_directory, laid_over) in rows {
            assert_eq!(decide(mode, None, &listed, Laid::First), nothing, "{mode:?}");
            assert_eq!(decide(mode, Some(file), &listed, Laid::Over), same, "{mode:?}");
            assert_eq!(decide(mode, Some(new), &listed, Laid::First), same, "{mode:?}");
            assert_eq!(decide(mode, Some(link), &listed, Laid::First), at_link, "{mode:?}");
            assert_eq!(
                decide(mode, Some(directory), &listed, Laid::Over),
                at_directory,
                "{mode:?}"
            );
            assert_eq!(decide(mode, Some(new), &listed, Laid::Over), laid_over, "{mode:?}");
        }
    }
}
