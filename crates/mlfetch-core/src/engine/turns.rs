//! Who may have a body on its way: so many, or as many as their buffers fit into memory.

use std::num::NonZeroU64;

use tokio::sync::{Semaphore, SemaphorePermit};

/// What bodies on their way may hold in all, where nobody says that, or how many there may be.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What is counted at least of each, and in steps of: a connection's own buffers.
const UNIT_BYTES: u64 = 64 * 1024;

/// What one holds at most, whatever its size: a batch on its way to the disk, the next, and what the
/// connection has read and is reading.
const MOST_BYTES: u64 = 1792 * 1024;

/// Turns for bodies.
#[derive(Debug)]
pub(super) struct Turns {
    places: Option<Semaphore>,
    memory: Option<Memory>,
}

/// What they may hold.
#[derive(Debug)]
struct Memory {
    free: Semaphore,
    all: u32,
}

/// Held for as long as the bytes of a body are in memory.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    _place: Option<SemaphorePermit<'a>>,
    _memory: Option<SemaphorePermit<'a>>,
}

impl Turns {
    /// As many as `jobs` at once, and as fit into memory, where somebody says either.
    pub(super) fn new(jobs: Option<usize>, max_bytes: Option<NonZeroU64>) -> Self {
        let most = max_bytes.map(NonZeroU64::get).or(jobs.is_none().then_some(MAX_BYTES));
        Self {
            places: jobs.map(|jobs| Semaphore::new(jobs.min(Semaphore::MAX_PERMITS))),
            memory: most.map(Memory::new),
        }
    }

    /// Waits until one more body may be on its way; of `size` bytes, if that is known. The turns
    /// never close.
    pub(super) async fn take(&self, size: Option<u64>) -> Turn<'_> {
        self.take_and_hold(size, 0).await
    }

    /// The same, where `held` of its bytes wait in memory for what proves them.
    pub(super) async fn take_and_hold(&self, size: Option<u64>, held: u64) -> Turn<'_> {
        let place = match &self.places {
            Some(places) => places.acquire().await.ok(),
            None => None,
        };
        let memory = match &self.memory {
            Some(memory) => memory.take(size.unwrap_or(MOST_BYTES).min(MOST_BYTES) + held).await,
            None => None,
        };
        Turn { _place: place, _memory: memory }
    }
}

impl Memory {
    fn new(bytes: u64) -> Self {
        let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        // One body is on its way, however little there is.
        let all = u32::try_from(bytes / UNIT_BYTES).unwrap_or(most).clamp(1, most);
        Self { free: Semaphore::new(all as usize), all }
    }

    async fn take(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        let units = bytes.max(1).div_ceil(UNIT_BYTES);
        let units = u32::try_from(units).unwrap_or(self.all).min(self.all);
        self.free.acquire_many(units).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fits(jobs: Option<usize>, size: Option<u64>) -> usize {
        fits_into(jobs, None, size).await
    }

    async fn fits_into(jobs: Option<usize>, most: Option<u64>, size: Option<u64>) -> usize {
        let turns = Turns::new(jobs, most.and_then(NonZeroU64::new));
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
        assert_eq!(fits(None, Some(1 << 40)).await, 36);
        assert_eq!(fits(None, None).await, 36);
        assert_eq!(fits(Some(5), Some(0)).await, 5);
        assert_eq!(fits(Some(5), None).await, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn what_somebody_allows_is_the_most_and_one_always_fits() {
        const MIB: u64 = 1024 * 1024;
        assert_eq!(fits_into(None, Some(8 * MIB), Some(4096)).await, 128);
        assert_eq!(fits_into(None, Some(8 * MIB), None).await, 4);
        assert_eq!(fits_into(Some(2), Some(8 * MIB), None).await, 2);
        assert_eq!(fits_into(Some(5), Some(8 * MIB), None).await, 4);
        assert_eq!(fits_into(None, Some(1), None).await, 1);
        assert_eq!(fits_into(None, Some(3 * MIB), Some(1 << 40)).await, 1);
        Turns::new(None, Some(NonZeroU64::MAX)).take(None).await;
    }
}
