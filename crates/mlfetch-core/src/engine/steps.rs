//! The digest of a range as it is written, noted after each step: what was written up to the last
//! one need not come again if the fetch ends here.

use std::ops::Range;
use std::sync::Arc;

use super::digest::Digests;
use super::joined::Pieces;
use super::journal::{Journal, Step};

/// How the bytes of a file are digested, and where it is noted.
#[derive(Clone)]
pub(super) struct Stepping {
    pub(super) pieces: Arc<Pieces>,
    /// `None` if nothing is to be continued.
    pub(super) journal: Option<Journal>,
    /// The length of a step in bytes.
    pub(super) step_bytes: u64,
}

/// One range on its way.
pub(super) struct Steps {
    stepping: Stepping,
    range: Range<u64>,
    position: u64,
    /// Where it is noted how far it came.
    next: u64,
    /// Of all that came.
    digest: Digests,
}

impl Stepping {
    /// Begins a range, which is not empty.
    pub(super) fn begin(&self, range: &Range<u64>) -> Steps {
        Steps {
            digest: self.pieces.digests(range),
            stepping: self.clone(),
            range: range.clone(),
            position: range.start,
            next: range.start.saturating_add(self.step_bytes),
        }
    }
}

impl Steps {
    /// Takes the next bytes, which were written. Those behind the range's end are nobody's.
    pub(super) fn passed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.position < self.range.end {
            let end = self.next.min(self.range.end);
            let room = usize::try_from(end - self.position).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.digest.update(now);
            self.position += now.len() as u64;
            if self.position == end {
                self.note();
            }
            bytes = later;
        }
    }

    fn note(&mut self) {
        self.next = self.position.saturating_add(self.stepping.step_bytes);
        if let Some(journal) = &self.stepping.journal {
            journal.note(&self.so_far());
        }
    }

    /// From the beginning of the range: one value for each piece, however many steps it took.
    fn so_far(&self) -> Step {
        Step { range: self.range.start..self.position, values: self.digest.clone().values() }
    }

    /// What came of it.
    pub(super) fn finish(self) -> Step {
        Step { range: self.range.start..self.position, values: self.digest.values() }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Seek as _;

    use mlfetch_store::{Algorithm, Checksum};

    use super::*;

    const BYTES: &[u8] = b"0123456789";

    fn stepping(journal: Option<Journal>) -> Stepping {
        let pieces = Pieces::of(&Checksum::new(Algorithm::Crc32c, vec![])).expect("a CRC");
        Stepping { pieces: Arc::new(pieces), journal, step_bytes: 4 }
    }

    fn expected(stepping: &Stepping, range: Range<u64>, bytes: &[u8]) -> Step {
        let mut digest = stepping.pieces.digests(&range);
        digest.update(bytes);
        Step { range, values: digest.values() }
    }

    #[test]
    fn a_range_is_the_same_however_its_bytes_come() {
        let stepping = stepping(None);
        for by in 1..=BYTES.len() {
            let mut steps = stepping.begin(&(5..15));
            BYTES.chunks(by).for_each(|chunk| steps.passed(chunk));
            assert_eq!(steps.finish(), expected(&stepping, 5..15, BYTES), "by {by}");
        }
    }

    #[test]
    fn what_is_noted_of_a_range_that_ends_early_is_its_last_step() {
        for (came, noted) in [(3, 0), (4, 4), (7, 4), (9, 8), (10, 10)] {
            let file = tempfile::tempfile().expect("a file");
            let mut copy = file.try_clone().expect("a handle");
            let stepping = stepping(Some(Journal::new(Arc::new(file))));
            let mut steps = stepping.begin(&(0..10));
            BYTES[..came].chunks(3).for_each(|chunk| steps.passed(chunk));
            assert_eq!(steps.finish().range, 0..came as u64);
            copy.rewind().expect("at its start");
            let read = Journal::new(Arc::new(copy)).steps(10, &stepping.pieces);
            let all = expected(&stepping, 0..noted as u64, &BYTES[..noted]);
            assert_eq!(read, if noted == 0 { vec![] } else { vec![all] });
        }
    }
}
