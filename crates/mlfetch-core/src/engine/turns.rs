//! Who may have a body on its way: so many, or as many as their buffers fit into memory.

use tokio::sync::{Semaphore, SemaphorePermit};

/// What bodies on their way may hold in all, where nobody says how many there may be.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What is counted at least of each, and in steps of: a connection's own buffers.
const UNIT_BYTES: u64 = 64 * 1024;

/// What one holds at most, whatever its size: a batch on its way to the disk, the next, and what the
/// connection has read.
const MOST_BYTES: u64 = 2 * 1024 * 1024;

/// Turns for bodies.
#[derive(Debug)]
pub(super) struct Turns {
    places: Semaphore,
    is_counted: bool,
}

impl Turns {
    /// As many as `jobs` at once, or as fit into memory.
    pub(super) fn new(jobs: Option<usize>) -> Self {
        let places = jobs.map_or_else(|| units(MAX_BYTES), |jobs| jobs.min(u32::MAX as usize));
        Self { places: Semaphore::new(places), is_counted: jobs.is_some() }
    }

    /// Waits until one more body may be on its way; of `size` bytes, if that is known. The turns
    /// never close.
    pub(super) async fn take(&self, size: Option<u64>) -> Option<SemaphorePermit<'_>> {
        let bytes = size.unwrap_or(MOST_BYTES).clamp(1, MOST_BYTES);
        let places = if self.is_counted { 1 } else { units(bytes) };
        self.places.acquire_many(u32::try_from(places).unwrap_or(1)).await.ok()
    }
}

fn units(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fits(jobs: Option<usize>, size: Option<u64>) -> usize {
        let turns = Turns::new(jobs);
        let mut held = Vec::new();
        while let Ok(turn) =
            tokio::time::timeout(std::time::Duration::from_millis(1), turns.take(size)).await
        {
            held.push(turn);
        }
        held.len()
    }

    #[tokio::test(start_paused = true)]
    async fn many_small_ones_or_few_big_ones_fit() {
        assert_eq!(fits(None, Some(4096)).await, 1024);
        assert_eq!(fits(None, Some(1024 * 1024)).await, 64);
        assert_eq!(fits(None, Some(1 << 40)).await, 32);
        assert_eq!(fits(None, None).await, 32);
        assert_eq!(fits(Some(5), Some(0)).await, 5);
        assert_eq!(fits(Some(5), None).await, 5);
    }
}
