//! How many files are on their way at once: a few first, and more for as long as more of them end in
//! the same time. Far from the store, where each file waits for its answer, that is many; beside it,
//! where the processor is what they wait for, it stays few.

use tokio::time::Instant;

/// Where it begins.
pub(super) const FIRST: usize = 32;

/// Where it ends.
const MAX: usize = 512;

/// Handles of the process that are left to others: logs, directories, listings.
const SPARED_HANDLES: u64 = 128;

/// Twice as many are worth it if so much more ends in the same time, in percent.
const WORTH_PERCENT: u128 = 125;

/// The number of now, and what it brought.
#[derive(Debug)]
pub(super) struct Crowd {
    limit: usize,
    max: usize,
    /// Files that ended since the number is what it is, and since when.
    ended: usize,
    since: Option<Instant>,
    /// Nanoseconds for a file, with half as many.
    before: Option<u128>,
    /// Whether the last file that began had to wait for its place.
    is_full: bool,
}

impl Crowd {
    /// As many as somebody says, or as it turns out.
    pub(super) fn new(jobs: Option<usize>) -> Self {
        let (limit, max) = jobs.map_or_else(|| (FIRST, most()), |jobs| (jobs, jobs));
        Self { limit, max, ended: 0, since: None, before: None, is_full: false }
    }

    /// How many may be on their way.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// A file is to begin, and so many are on their way.
    pub(super) fn begins(&mut self, running: usize) {
        self.is_full = running >= self.limit;
    }

    /// A file ended.
    pub(super) fn ended(&mut self, now: Instant) {
        if self.limit >= self.max {
            return;
        }
        let Some(since) = self.since.filter(|_| self.is_full) else {
            // What fewer bring than may be says nothing.
            (self.since, self.ended) = (Some(now), 0);
            return;
        };
        self.ended += 1;
        // Two rounds: those that were begun while there were half as many end in the first.
        if self.ended < 2 * self.limit {
            return;
        }
        let each = now.duration_since(since).as_nanos() / self.ended as u128;
        let is_worth = self.before.is_none_or(|before| before * 100 >= each * WORTH_PERCENT);
        if is_worth {
            self.before = Some(each);
            self.limit = self.max.min(2 * self.limit);
        } else {
            // The last step brought nothing: back, and no further.
            self.limit = (self.limit / 2).max(FIRST.min(self.max));
            self.max = self.limit;
        }
        (self.since, self.ended) = (None, 0);
    }
}

/// As many as the process has handles for: each file may need a connection and a file.
fn most() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let handles = limit.unwrap_or(u64::MAX).saturating_sub(SPARED_HANDLES) / 2;
    usize::try_from(handles).unwrap_or(usize::MAX).clamp(FIRST, MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The numbers it comes to when each file takes so long, given how many there are.
    fn course(takes: impl Fn(usize) -> Duration) -> Vec<usize> {
        let mut crowd = Crowd { max: MAX, ..Crowd::new(None) };
        let mut now = Instant::now();
        let mut numbers = vec![crowd.limit()];
        for _ in 0..20_000 {
            let limit = crowd.limit();
            now += takes(limit) / u32::try_from(limit).expect("few");
            crowd.begins(limit);
            crowd.ended(now);
            if crowd.limit() != limit {
                numbers.push(crowd.limit());
            }
        }
        numbers
    }

    #[test]
    fn it_grows_while_each_file_waits_and_no_longer() {
        assert_eq!(course(|_| Duration::from_millis(100)), [32, 64, 128, 256, 512]);
        let busy = |limit: usize| Duration::from_millis(limit as u64);
        assert_eq!(course(busy), [32, 64, 32], "twice as many take twice as long");
        let far = |limit: usize| Duration::from_millis(100.max(limit as u64));
        assert_eq!(course(far), [32, 64, 128, 256, 128], "from 100 on nothing is won");
    }

    #[test]
    fn what_somebody_says_stays() {
        let mut crowd = Crowd::new(Some(7));
        let now = Instant::now();
        crowd.begins(7);
        (0..1000).for_each(|_| crowd.ended(now));
        assert_eq!(crowd.limit(), 7);
    }

    #[test]
    fn few_files_say_nothing() {
        let mut crowd = Crowd { max: MAX, ..Crowd::new(None) };
        let now = Instant::now();
        for index in 0..1000 {
            crowd.begins(if index % 40 == 0 { 3 } else { FIRST });
            crowd.ended(now);
        }
        assert_eq!(crowd.limit(), FIRST);
    }
}
