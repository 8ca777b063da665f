//! How a big file is cut into parts, and where an earlier fetch left off.

use std::iter::Peekable;
use std::ops::Range;

use mlfetch_store::{ObjectInfo, StoreInfo};

use super::journal::Step;
use super::lanes;
use super::transfer::Transfers;

const MIB: u64 = 1024 * 1024;

/// Files from this size on are fetched in parts, and continued where they ended.
const BIG_BYTES: u64 = 32 * 1024 * 1024;

/// The smallest part: large enough that the request does not count.
const MIN_PART_BYTES: u64 = 16 * MIB;

/// The smallest part where the lanes are enough: what is cut more often brings nothing there, and
/// costs both sides a request.
const ENOUGH_PART_BYTES: u64 = 64 * MIB;

/// The largest part: small enough that none of them is what everybody waits for.
const MAX_PART_BYTES: u64 = 128 * MIB;

/// As many parts a file has, if they are of a size in between.
const PARTS: u64 = 32;

/// What is noted of a part as it arrives, in as many steps: if all parts on their way are cut off,
/// no more bytes come again than one part has, and what the network held.
const STEPS: u64 = lanes::MOST as u64;

/// A file that comes in parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    size: u64,
}

impl Parts {
    /// Cuts a file if that is worth it and safe: its size is known, the store reads ranges, and
    /// they can be tied to one version of the object.
    pub(super) fn of(info: &ObjectInfo, store: &StoreInfo) -> Option<Self> {
        Self::from(BIG_BYTES, info, store)
    }

    /// The same for files from so many bytes on.
    fn from(least: u64, info: &ObjectInfo, store: &StoreInfo) -> Option<Self> {
        let size = info.size.filter(|size| *size >= least)?;
        let capabilities = &store.capabilities;
        (capabilities.ranges && capabilities.conditional_reads).then_some(Self { size })
    }

    /// The size of the file in bytes.
    pub(super) fn size(self) -> u64 {
        self.size
    }

    /// How many bytes arrive until they are noted.
    pub(super) fn step_bytes(self) -> u64 {
        self.part_bytes(MIN_PART_BYTES) / STEPS
    }

    fn part_bytes(self, least: u64) -> u64 {
        (self.size / PARTS).clamp(least, MAX_PART_BYTES)
    }

    /// Cuts it, if these steps of it, in order, are there already.
    pub(super) fn cut(self, kept: Vec<Step>) -> Cuts {
        Cuts { parts: self, kept: kept.into_iter().peekable(), position: 0 }
    }
}

impl Transfers {
    /// Cuts a file if that is worth it and safe. It is worth it already where only ranges of less have
    /// checksums.
    pub(super) fn parts(&self, info: &ObjectInfo) -> Option<Parts> {
        let least = self.sum_bytes(info).map_or(BIG_BYTES, |most| BIG_BYTES.min(most + 1));
        Parts::from(least, info, self.store.info())
    }
}

/// What a file is made of, from its first byte to its last: each is cut off when it is asked for.
pub(super) struct Cuts {
    parts: Parts,
    kept: Peekable<std::vec::IntoIter<Step>>,
    position: u64,
}

impl Cuts {
    /// Whether all of it was cut.
    pub(super) fn is_at_end(&self) -> bool {
        self.position == self.parts.size
    }

    /// The step that an earlier fetch wrote, if one begins here.
    pub(super) fn next_kept(&mut self) -> Option<Step> {
        let step = self.kept.next_if(|step| step.range.start == self.position)?;
        self.position = step.range.end;
        Some(step)
    }

    /// The next range that is to be fetched; empty where there is none. A long one where the lanes
    /// `are_enough`.
    pub(super) fn next_missing(&mut self, are_enough: bool) -> Range<u64> {
        let start = self.position;
        let end = self.kept.peek().map_or(self.parts.size, |step| step.range.start);
        let least = if are_enough { ENOUGH_PART_BYTES } else { MIN_PART_BYTES };
        self.position = end.min(start + self.parts.part_bytes(least));
        start..self.position
    }
}

#[cfg(test)]
mod tests {
    use mlfetch_store::{Capabilities, Key, Listing};

    use super::*;

    /// The ranges of a file, and whether each was there.
    fn ranges(size: u64, kept: Vec<Step>, are_enough: bool) -> Vec<(Range<u64>, bool)> {
        let mut cuts = Parts { size }.cut(kept);
        let mut ranges = Vec::new();
        while !cuts.is_at_end() {
            let kept = cuts.next_kept();
            let is_kept = kept.is_some();
            let range = kept.map_or_else(|| cuts.next_missing(are_enough), |step| step.range);
            ranges.push((range, is_kept));
        }
        ranges
    }

    fn sizes(size: u64, are_enough: bool) -> Vec<u64> {
        let ranges = ranges(size, Vec::new(), are_enough);
        ranges.into_iter().map(|(range, _)| (range.end - range.start) / MIB).collect()
    }

    #[test]
    fn parts_are_longer_where_the_lanes_are_enough() {
        assert_eq!(sizes(100 * MIB, false), [16, 16, 16, 16, 16, 16, 4]);
        assert_eq!(sizes(100 * MIB, true), [64, 36]);
        assert_eq!(sizes(32 * MIB, false), [16, 16]);
        assert_eq!(sizes(32 * MIB, true), [32]);
        assert_eq!(sizes(2048 * MIB, false), [64; 32]);
        assert_eq!(sizes(2048 * MIB, true), [64; 32]);
    }

    #[test]
    fn what_is_there_is_left_out() {
        let step = |range| Step { range, values: Vec::new() };
        let kept = vec![step(0..5), step(40 * MIB..60 * MIB)];
        let [first, _, third, fourth, kept, ..] = &ranges(100 * MIB, kept, false)[..] else {
            panic!("at least five")
        };
        assert_eq!(*first, (0..5, true));
        assert_eq!((third.1, fourth.1), (false, false));
        assert_eq!(fourth.0.end, 40 * MIB);
        assert_eq!(*kept, (40 * MIB..60 * MIB, true));
    }

    proptest::proptest! {
        #[test]
        fn parts_of_any_size_cover_it_once_and_in_order(
            size in 1_u64..=1 << 43,
            holes in proptest::collection::vec(0_u64..1000, 0..6),
            are_enough: bool,
        ) {
            let mut ends: Vec<u64> = holes.into_iter().map(|at| size / 1000 * at).collect();
            ends.sort_unstable();
            ends.dedup();
            let kept = ends.chunks_exact(2).map(|ends| Step {
                range: ends[0]..ends[1],
                values: Vec::new(),
            });
            let kept: Vec<Step> = kept.collect();
            let ranges = ranges(size, kept.clone(), are_enough);
            let mut at = 0;
            for (range, is_kept) in &ranges {
                proptest::prop_assert_eq!(range.start, at);
                let part = range.end - range.start;
                proptest::prop_assert!(part > 0 && (*is_kept || part <= MAX_PART_BYTES));
                at = range.end;
            }
            proptest::prop_assert_eq!(at, size);
            let there = ranges.into_iter().filter(|(_, is_kept)| *is_kept).map(|(range, _)| range);
            proptest::prop_assert!(there.eq(kept.into_iter().map(|step| step.range)));
        }
    }

    #[test]
    fn only_big_files_of_stores_that_tie_their_ranges_are_cut() {
        let is_cut = |size: Option<u64>, capabilities: Capabilities| {
            let info = ObjectInfo::new(Key::from("x")).with_size(size);
            Parts::of(&info, &StoreInfo::new("test", "test:", capabilities)).is_some()
        };
        let all = Capabilities::new(Listing::Flat);
        assert!(is_cut(Some(BIG_BYTES), all.clone()));
        assert!(!is_cut(Some(BIG_BYTES - 1), all.clone()));
        assert!(!is_cut(None, all.clone()));
        assert!(!is_cut(Some(BIG_BYTES), all.clone().without_ranges()));
        assert!(!is_cut(Some(BIG_BYTES), all.without_conditional_reads()));
    }
}
