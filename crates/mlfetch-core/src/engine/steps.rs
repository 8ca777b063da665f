//! The digests of a range as it is written, a step at a time: what was written up to the last step
//! need not come again if the fetch ends here.

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

/// The steps of one range on its way.
pub(super) struct Steps {
    stepping: Stepping,
    /// Where the range ends.
    end: u64,
    /// The step of now.
    step: Range<u64>,
    position: u64,
    digest: Digests,
    done: Vec<Step>,
}

impl Stepping {
    /// Begins a range, which is not empty.
    pub(super) fn begin(&self, range: &Range<u64>) -> Steps {
        let step = self.step(range.start, range.end);
        Steps {
            digest: self.pieces.digests(&step),
            stepping: self.clone(),
            end: range.end,
            step,
            position: range.start,
            done: Vec::new(),
        }
    }

    fn step(&self, start: u64, end: u64) -> Range<u64> {
        start..end.min(start.saturating_add(self.step_bytes))
    }
}

impl Steps {
    /// Takes the next bytes, which were written. Those behind the range's end are nobody's.
    pub(super) fn passed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.position < self.end {
            let room = usize::try_from(self.step.end - self.position).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.digest.update(now);
            self.position += now.len() as u64;
            if self.position == self.step.end {
                self.end_step();
            }
            bytes = later;
        }
    }

    fn end_step(&mut self) {
        let next = self.stepping.step(self.step.end, self.end);
        let digest = std::mem::replace(&mut self.digest, self.stepping.pieces.digests(&next));
        let range = std::mem::replace(&mut self.step, next);
        let step = Step { range, values: digest.values() };
        if let Some(journal) = &self.stepping.journal {
            journal.note(&step);
        }
        self.done.push(step);
    }

    /// The steps that are whole, and where the next byte goes.
    pub(super) fn finish(self) -> (Vec<Step>, u64) {
        (self.done, self.position)
    }
}

#[cfg(test)]
mod tests {
    use mlfetch_store::{Algorithm, Checksum};

    use super::*;

    fn ranges(steps: &[Step]) -> Vec<(u64, u64)> {
        steps.iter().map(|step| (step.range.start, step.range.end)).collect()
    }

    #[test]
    fn steps_are_the_same_however_the_bytes_come() {
        let pieces = Pieces::of(&Checksum::new(Algorithm::Crc32c, vec![])).expect("a CRC");
        let stepping = Stepping { pieces: Arc::new(pieces), journal: None, step_bytes: 4 };
        let bytes = b"0123456789";
        let mut all = Vec::new();
        for by in 1..=bytes.len() {
            let mut steps = stepping.begin(&(5..15));
            for chunk in bytes.chunks(by) {
                steps.passed(chunk);
            }
            all.push(steps.finish());
        }
        let (first, position) = &all[0];
        assert_eq!(ranges(first), [(5, 9), (9, 13), (13, 15)]);
        assert_eq!(*position, 15);
        assert!(all.iter().all(|steps| steps == &all[0]));
    }

    #[test]
    fn a_step_that_is_not_whole_is_none() {
        let pieces = Pieces::of(&Checksum::new(Algorithm::Crc32c, vec![])).expect("a CRC");
        let stepping = Stepping { pieces: Arc::new(pieces), journal: None, step_bytes: 4 };
        let mut steps = stepping.begin(&(0..10));
        steps.passed(b"0123456");
        let (steps, position) = steps.finish();
        assert_eq!((ranges(&steps), position), (vec![(0, 4)], 7));
    }
}
