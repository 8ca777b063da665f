//! Checksums of ranges: where a store keeps none of the whole file, its server may compute one over
//! each range that is asked for, if the range is short enough.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use mlfetch_store::{Algorithm, Checksum, ObjectInfo, ReadRequest};

use super::answer::{Broken, wrong_bytes};
use super::digest::Digests;
use super::transfer::Transfers;
use super::verify::{Verify, mismatch, strongest};

/// Whether a server that may compute checksums of ranges does.
#[derive(Debug, Default)]
pub(super) struct RangeSums {
    came: AtomicBool,
    are_missing: AtomicBool,
}

impl RangeSums {
    /// Takes note of an answer to a range that a checksum was asked for of.
    pub(super) fn came(&self, sum: Option<&Checksum>) {
        let which = if sum.is_some() { &self.came } else { &self.are_missing };
        which.store(true, Ordering::Relaxed);
    }

    /// Whether there was none when there could have been, and never one: the ranges need not be short.
    fn are_none(&self) -> bool {
        self.are_missing.load(Ordering::Relaxed) && !self.came.load(Ordering::Relaxed)
    }
}

impl Transfers {
    /// The longest range of an object that comes with a checksum of its own, where that is wanted:
    /// nothing is known that proves the whole.
    pub(super) fn sum_bytes(&self, info: &ObjectInfo) -> Option<u64> {
        let is_wanted = self.settings.verify != Verify::Off
            && !self.range_sums.are_none()
            && strongest(&info.checksums).is_none();
        self.store.info().capabilities.checksum_bytes.filter(|_| is_wanted)
    }

    /// The request for a file that comes in one piece; if that is short enough, with a checksum.
    pub(super) fn whole(&self, known: &ObjectInfo) -> ReadRequest {
        let request = ReadRequest::new();
        match (known.size, self.sum_bytes(known)) {
            // There is no range of nothing.
            (Some(size), Some(most)) if (1..=most).contains(&size) => {
                request.with_range(0..size).with_checksum()
            }
            _ => request,
        }
    }
}

/// The bytes of a range that wait for their checksum.
pub(super) struct Held {
    sum: Checksum,
    digest: Digests,
    chunks: Vec<Bytes>,
}

impl Held {
    /// `None` for a checksum that is not computed here.
    pub(super) fn of(sum: &Checksum) -> Option<Self> {
        Some(Self { sum: sum.clone(), digest: Digests::of(sum)?, chunks: Vec::new() })
    }

    pub(super) fn push(&mut self, chunk: Bytes) {
        self.digest.update(&chunk);
        self.chunks.push(chunk);
    }

    /// The bytes, if they are those that the server digested.
    pub(super) fn proven(self, info: &ObjectInfo) -> Result<(Vec<Bytes>, Algorithm), Broken> {
        let Self { sum, digest, chunks } = self;
        let ours = digest.finish();
        if ours == sum.value {
            return Ok((chunks, sum.algorithm));
        }
        Err(wrong_bytes(info, format!("of one of its ranges, {}", mismatch(&sum, ours))))
    }
}
