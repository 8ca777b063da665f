//! A network that is not as fast as memory.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::lock;

/// So many bytes a second, all connections together.
pub(crate) struct Pace {
    bytes_a_second: u64,
    /// When what was let through until now has passed.
    free: Mutex<Instant>,
}

impl Pace {
    pub(crate) fn new(bytes_a_second: u64) -> Self {
        Self { bytes_a_second: bytes_a_second.max(1), free: Mutex::new(Instant::now()) }
    }

    /// Waits until some more bytes have passed.
    pub(super) fn pass(&self, bytes: usize) {
        let now = Instant::now();
        let wait = self.takes(bytes, now).saturating_duration_since(now);
        thread::sleep(wait);
    }

    fn takes(&self, bytes: usize, now: Instant) -> Instant {
        let nanoseconds = (bytes as u64).saturating_mul(1_000_000_000) / self.bytes_a_second;
        let mut free = lock(&self.free);
        *free = now.max(*free) + Duration::from_nanos(nanoseconds);
        *free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_connections_share_it_and_a_pause_is_no_credit() {
        let pace = Pace::new(1000);
        let now = Instant::now() + Duration::from_secs(1);
        let second = Duration::from_secs(1);
        assert_eq!(pace.takes(1000, now), now + second);
        assert_eq!(pace.takes(500, now), now + second + second / 2);
        let later = now + 10 * second;
        assert_eq!(pace.takes(1000, later), later + second);
    }
}
