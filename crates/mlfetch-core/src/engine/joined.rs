//! The checksum of an object that comes in ranges, several at once: CRCs of pieces can be put
//! together, so nothing is read a second time.

use std::ops::Range;

use crc_fast::{CrcAlgorithm, checksum_combine};
use mlfetch_store::{Algorithm, Checksum, Coverage};

use super::digest::Digests;

/// Where ranges are cut, so that the values of their pieces can be put together.
pub(super) struct Pieces {
    algorithm: Algorithm,
    crc: CrcAlgorithm,
    /// Where each part of the upload ends; empty for a checksum over the whole object.
    ends: Vec<u64>,
}

impl Pieces {
    /// For a checksum by an algorithm whose values can be put together: a CRC.
    pub(super) fn of(sum: &Checksum) -> Option<Self> {
        let crc = match sum.algorithm {
            Algorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
            Algorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
            Algorithm::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
            _ => return None,
        };
        let ends = match &sum.coverage {
            Coverage::Object => Vec::new(),
            Coverage::Parts(sizes) => ends(sizes)?,
            _ => return None,
        };
        Some(Self { algorithm: sum.algorithm, crc, ends })
    }

    /// Those of a whole file, where its store's checksum is no CRC or there is none: what was
    /// written is held to them when it is read again.
    pub(super) fn of_whole() -> Self {
        Self { algorithm: Algorithm::Crc64Nvme, crc: CrcAlgorithm::Crc64Nvme, ends: Vec::new() }
    }

    /// Computes the values of a range's pieces; [`Digests::values`] gives them.
    pub(super) fn digests(&self, range: &Range<u64>) -> Digests {
        Digests::of_parts(self.algorithm, self.cut(range).collect())
            .expect("each range has a piece, and CRCs are computed here")
    }

    /// How long the values of a range's pieces are, one after the other.
    pub(super) fn values_bytes(&self, range: &Range<u64>) -> usize {
        self.cut(range).count() * self.algorithm.value_bytes()
    }

    /// The sizes of a range's pieces: none of them lies in two parts.
    fn cut(&self, range: &Range<u64>) -> impl Iterator<Item = u64> {
        let (mut start, end) = (range.start, range.end);
        let first = self.ends.partition_point(|end| *end <= start);
        let inner = self.ends[first..].iter().copied().take_while(move |at| *at < end);
        inner.chain([end]).map(move |at| at - std::mem::replace(&mut start, at))
    }
}

/// Where each part ends. Parts of no bytes, which no upload has, are not put together here.
fn ends(sizes: &[u64]) -> Option<Vec<u64>> {
    let mut end = 0_u64;
    let mut add = |size: &u64| {
        end = end.checked_add(*size).filter(|_| *size > 0)?;
        Some(end)
    };
    sizes.iter().map(&mut add).collect()
}

/// What the pieces come to so far.
pub(super) struct Joined<'a> {
    pieces: &'a Pieces,
    position: u64,
    /// Of the part of now, or of the object.
    value: u64,
    /// Of the parts before it, one after the other.
    values: Vec<u8>,
}

impl<'a> Joined<'a> {
    pub(super) fn new(pieces: &'a Pieces) -> Self {
        // What a CRC gives for no bytes at all is 0.
        Self { pieces, position: 0, value: 0, values: Vec::new() }
    }

    /// Adds the next range: the values of its pieces.
    pub(super) fn add(&mut self, range: &Range<u64>, values: &[u8]) {
        let sizes: Vec<u64> = self.pieces.cut(range).collect();
        for (size, value) in sizes.into_iter().zip(values.chunks(self.width())) {
            let value = value.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            self.value = checksum_combine(self.pieces.crc, self.value, value, size);
            self.position += size;
            if self.pieces.ends.binary_search(&self.position).is_ok() {
                let value = self.take_value();
                self.values.extend(value);
            }
        }
    }

    /// The value of all ranges, as [`Checksum::value`] holds it.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let Some(end) = self.pieces.ends.last() else { return self.take_value() };
        // Bytes that belong to no part prove nothing.
        if *end != self.position {
            return Vec::new();
        }
        let whole = Digests::of(&Checksum::new(self.pieces.algorithm, Vec::new()));
        whole.map_or_else(Vec::new, |mut whole| {
            whole.update(&self.values);
            whole.finish()
        })
    }

    fn take_value(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.value).to_be_bytes()[8 - self.width()..].to_vec()
    }

    fn width(&self) -> usize {
        self.pieces.algorithm.value_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const BYTES: &[u8] = b"The quick brown fox jumps over the lazy dog";

    fn expected(sum: &Checksum) -> Vec<u8> {
        let mut digest = Digests::of(sum).expect("computed here");
        digest.update(BYTES);
        digest.finish()
    }

    fn in_ranges(sum: &Checksum, size: usize) -> Vec<u8> {
        let pieces = Pieces::of(sum).expect("can be put together");
        let mut joined = Joined::new(&pieces);
        for start in (0..BYTES.len()).step_by(size) {
            let end = BYTES.len().min(start + size);
            let range = start as u64..end as u64;
            let mut digest = pieces.digests(&range);
            digest.update(&BYTES[start..end]);
            joined.add(&range, &digest.values());
        }
        joined.finish()
    }

    #[test]
    fn ranges_come_to_the_value_of_the_whole_wherever_they_are_cut() {
        let parts = [vec![43], vec![10, 10, 10, 10, 3], vec![1, 40, 2], vec![20, 23]];
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let whole = Checksum::new(algorithm, vec![]);
            let over = |parts: &Vec<u64>| {
                Checksum::new(algorithm, vec![]).with_coverage(Coverage::Parts(parts.clone()))
            };
            for sum in parts.iter().map(over).chain([whole]) {
                for size in 1..=BYTES.len() {
                    assert_eq!(in_ranges(&sum, size), expected(&sum), "{sum:?} by {size}");
                }
            }
        }
    }

    /// Bytes in pieces of these sizes, one after the other; the last piece is what is left.
    fn ranges(length: usize, sizes: &[usize]) -> Vec<Range<u64>> {
        let mut start = 0;
        let mut ranges = Vec::new();
        for size in sizes.iter().copied().chain([length]) {
            let end = length.min(start + size);
            if start < end {
                ranges.push(start as u64..end as u64);
            }
            start = end;
        }
        ranges
    }

    fn algorithms() -> impl Strategy<Value = Algorithm> {
        prop_oneof![Just(Algorithm::Crc32), Just(Algorithm::Crc32c), Just(Algorithm::Crc64Nvme)]
    }

    proptest! {
        /// Cuts of the transfer and parts of the upload have nothing to do with each other.
        #[test]
        fn ranges_cut_anywhere_come_to_the_value_of_the_whole(
            algorithm in algorithms(),
            bytes in vec(any::<u8>(), 1..2000),
            cuts in vec(1_usize..700, 0..8),
            parts in proptest::option::of(vec(1_usize..700, 0..8)),
        ) {
            let mut sum = Checksum::new(algorithm, vec![]);
            if let Some(parts) = parts {
                let parts = ranges(bytes.len(), &parts);
                let sizes = parts.iter().map(|part| part.end - part.start).collect();
                sum = sum.with_coverage(Coverage::Parts(sizes));
            }
            let pieces = Pieces::of(&sum).expect("can be put together");
            let mut joined = Joined::new(&pieces);
            for range in ranges(bytes.len(), &cuts) {
                let mut digest = pieces.digests(&range);
                let at = |at: u64| usize::try_from(at).expect("in memory");
                // Bytes come in chunks as they like.
                bytes[at(range.start)..at(range.end)].chunks(97).for_each(|c| digest.update(c));
                joined.add(&range, &digest.values());
            }
            let mut whole = Digests::of(&sum).expect("computed here");
            whole.update(&bytes);
            prop_assert_eq!(joined.finish(), whole.finish());
        }

        #[test]
        fn pieces_are_a_range_and_none_lies_in_two_parts(
            length in 1_usize..5000,
            cuts in vec(1_usize..900, 0..8),
            parts in vec(1_usize..900, 0..8),
        ) {
            let sizes: Vec<u64> =
                ranges(length, &parts).iter().map(|part| part.end - part.start).collect();
            let sum = Checksum::new(Algorithm::Crc32, vec![]);
            let pieces = Pieces::of(&sum.with_coverage(Coverage::Parts(sizes))).expect("pieces");
            for range in ranges(length, &cuts) {
                let mut at = range.start;
                for size in pieces.cut(&range) {
                    let inside = pieces.ends.iter().filter(|end| **end > at && **end < at + size);
                    prop_assert!(size > 0 && inside.count() == 0);
                    at += size;
                }
                prop_assert_eq!(at, range.end);
            }
        }
    }

    #[test]
    fn parts_that_are_not_the_object_prove_nothing() {
        for parts in [vec![43, 1], vec![42], vec![10, 10]] {
            let sum = Checksum::new(Algorithm::Crc32, vec![]).with_coverage(Coverage::Parts(parts));
            for size in [1, 7, 43] {
                assert!(in_ranges(&sum, size).is_empty(), "{sum:?} by {size}");
            }
        }
    }

    #[test]
    fn what_cannot_be_put_together_is_not() {
        let over = |algorithm, parts: &[u64]| {
            let sum = Checksum::new(algorithm, vec![]);
            Pieces::of(&sum.with_coverage(Coverage::Parts(parts.to_vec()))).is_some()
        };
        assert!(over(Algorithm::Crc32, &[1]));
        assert!(!over(Algorithm::Crc32, &[1, 0]));
        assert!(!over(Algorithm::Crc32, &[1, u64::MAX]));
        assert!(!over(Algorithm::Sha256, &[1]));
    }
}
