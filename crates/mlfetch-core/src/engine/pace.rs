//! How fast bytes may come, all files together.

use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What may come at once after a pause: so much of a second.
const BURST: Duration = Duration::from_millis(250);

/// Lets bytes through at a rate.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_second: NonZeroU64,
    /// When what was let through so far has come, at the rate.
    paid: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(bytes_per_second: NonZeroU64) -> Self {
        Self { bytes_per_second, paid: Mutex::default() }
    }

    /// Waits until so many bytes more may have come.
    pub(super) async fn pass(&self, bytes: usize) {
        let until = self.pay(bytes, Instant::now());
        tokio::time::sleep_until(until).await;
    }

    fn pay(&self, bytes: usize, now: Instant) -> Instant {
        let nanoseconds = bytes as u128 * 1_000_000_000 / u128::from(self.bytes_per_second.get());
        let takes = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        // A time long before now was a pause: it is no credit beyond the burst.
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let from = paid.map_or(now, |paid| paid.max(earliest));
        let until = from + takes;
        *paid = Some(until);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: u64) -> Pace {
        Pace::new(NonZeroU64::new(rate).expect("a rate"))
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_take_the_time_that_the_rate_says() {
        let (pace, began) = (pace(1000), Instant::now());
        for _ in 0..10 {
            pace.pass(500).await;
        }
        assert_eq!(began.elapsed().as_millis(), 5000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_no_credit_beyond_a_quarter_of_a_second() {
        let pace = pace(1000);
        pace.pass(1).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        let began = Instant::now();
        pace.pass(1250).await;
        assert_eq!(began.elapsed().as_millis(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_pass_share_the_rate() {
        let (pace, began) = (pace(1000), Instant::now());
        tokio::join!(pace.pass(1000), pace.pass(1000), pace.pass(1000));
        assert_eq!(began.elapsed().as_millis(), 3000);
    }
}
