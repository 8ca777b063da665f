//! What happens for each range of a big object, for `benches/` alone. Nothing of it is promised.

use std::ops::Range;

use mlfetch_store::Checksum;

use super::joined::{Joined, Pieces};

/// An object that came in ranges, and the checksums of their pieces.
pub struct Ranges {
    pieces: Pieces,
    ranges: Vec<(Range<u64>, Vec<u8>)>,
}

impl Ranges {
    /// Takes zeros for the bytes. `None` for a checksum whose values cannot be put together.
    pub fn of_zeros(sum: &Checksum, size_bytes: u64, range_bytes: usize) -> Option<Self> {
        let pieces = Pieces::of(sum)?;
        let zeros = vec![0; range_bytes];
        let mut ranges = Vec::new();
        for start in (0..size_bytes).step_by(range_bytes) {
            let range = start..size_bytes.min(start + range_bytes as u64);
            let mut digest = pieces.digests(&range);
            digest.update(zeros.get(..usize::try_from(range.end - start).ok()?)?);
            ranges.push((range, digest.values()));
        }
        Some(Self { pieces, ranges })
    }

    /// The checksum of the object.
    pub fn join(&self) -> Vec<u8> {
        let mut joined = Joined::new(&self.pieces);
        for (range, values) in &self.ranges {
            joined.add(range, values);
        }
        joined.finish()
    }
}
