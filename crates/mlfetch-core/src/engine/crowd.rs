//! How many files are on their way at once: a few first, and more for as long as more of them end in
//! the same time. Far from the store, where each file waits for its answer, that is many; beside it,
//! where the processor is what they wait for, it stays few.

use std::time::Duration;

use tokio::time::Instant;

/// Where it begins.
pub(super) const FIRST: usize = 32;

/// Where it ends.
const MAX: usize = 1024;

/// Handles of the process that are left to others: logs, directories, listings.
const SPARED_HANDLES: u64 = 128;

/// A process that has fewer handles begins with fewer files: one for so many handles.
const FEW_HANDLES: u64 = 192;
const HANDLES_EACH: u64 = 8;

/// More are worth it if so much more ends in the same time, in percent.
const WORTH_PERCENT: u32 = 125;

/// Files that take so long wait for a network, which has room for many more at once.
const FAR: Duration = Duration::from_millis(50);

/// How many times as many there are next: of files that wait for a network, and of others.
const FAR_GROWTH: u32 = 4;
const NEAR_GROWTH: u32 = 2;

/// The number of now, and what it brought.
#[derive(Debug)]
pub(super) struct Crowd {
    limit: u32,
    max: u32,
    /// Whether it stays what it is.
    is_settled: bool,
    /// Counts the numbers that there were.
    step: u32,
    /// How many were added to come to this number.
    added: u32,
    /// Files that began with this number and have ended.
    ended: u32,
    /// The number before, and how long a file took with it.
    before: Option<(u32, Duration)>,
    /// Whether the last file that began had to wait for its place.
    is_full: bool,
}

/// When a file began, and with which number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    step: u32,
    at: Instant,
}

impl Crowd {
    /// As many as somebody says, or as it turns out.
    pub(super) fn new(jobs: Option<usize>) -> Self {
        let count = |jobs| u32::try_from(jobs).unwrap_or(u32::MAX);
        let max = count(jobs.unwrap_or_else(most));
        let limit = if jobs.is_some() { max } else { max.min(count(FIRST)) };
        Self {
            limit,
            max,
            is_settled: jobs.is_some(),
            step: 0,
            added: limit,
            ended: 0,
            before: None,
            is_full: false,
        }
    }

    /// How many may be on their way.
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// A file is to begin, and so many are on their way.
    pub(super) fn comes(&mut self, running: usize) {
        self.is_full = running >= self.limit();
    }

    /// A file begins.
    pub(super) fn begins(&self, now: Instant) -> Begun {
        Begun { step: self.step, at: now }
    }

    /// A file ended.
    pub(super) fn ended(&mut self, begun: Begun, now: Instant) {
        if self.is_settled || begun.step != self.step {
            return;
        }
        if !self.is_full {
            // What fewer bring than may be says nothing.
            self.ended = 0;
            return;
        }
        self.ended += 1;
        // Those that were added began at once, and end one answer later. Where they wait for each other, the
        // first of them say little of that; the last may have been held up by something of their own.
        if self.ended < self.added.div_ceil(4).saturating_mul(3) {
            return;
        }
        let each = now.duration_since(begun.at);
        if let Some((number, took)) = self.before {
            // So many end in a second as there are, by the time that each of them takes.
            if took * self.limit * 100 < each * number * WORTH_PERCENT {
                // The last step brought nothing: back, and no further.
                self.limit = number;
                self.is_settled = true;
                return;
            }
        }
        self.before = Some((self.limit, each));
        self.is_settled = self.limit >= self.max;
        let growth = if each >= FAR { FAR_GROWTH } else { NEAR_GROWTH };
        let limit = self.limit.saturating_mul(growth).min(self.max);
        self.added = limit - self.limit;
        self.limit = limit;
        self.step += 1;
        self.ended = 0;
    }
}

/// As many as the process has handles for: each file may need a connection and a file.
pub(super) fn most() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    fitting(limit.unwrap_or(u64::MAX))
}

fn fitting(handles: u64) -> usize {
    let files =
        if handles < FEW_HANDLES { handles / HANDLES_EACH } else { (handles - SPARED_HANDLES) / 2 };
    usize::try_from(files).unwrap_or(usize::MAX).clamp(1, MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// The numbers it comes to when each file takes so long, given how many there are; and how long
    /// it takes until it stays.
    fn course(takes: impl Fn(usize) -> Duration) -> (Vec<usize>, Duration) {
        let mut crowd = Crowd { max: 1024, ..Crowd::new(None) };
        let start = Instant::now();
        let mut now = start;
        let mut numbers = vec![crowd.limit()];
        let mut running = VecDeque::new();
        for _ in 0..20_000 {
            crowd.comes(running.len());
            while running.len() >= crowd.limit() {
                let (begun, ends) = running.pop_front().expect("one is on its way");
                now = ends;
                crowd.ended(begun, now);
                if crowd.limit() != numbers[numbers.len() - 1] {
                    numbers.push(crowd.limit());
                }
            }
            if crowd.is_settled {
                break;
            }
            running.push_back((crowd.begins(now), now + takes(running.len() + 1)));
        }
        (numbers, now - start)
    }

    #[test]
    fn it_grows_while_each_file_waits_and_no_longer() {
        let (numbers, time) = course(|_| Duration::from_millis(100));
        assert_eq!(numbers, [32, 128, 512, 1024]);
        assert_eq!(time, Duration::from_millis(400), "one answer for each number");
        let (numbers, _) = course(|_| Duration::from_millis(40));
        assert_eq!(numbers, [32, 64, 128, 256, 512, 1024]);
        let busy = |running: usize| Duration::from_millis(running as u64);
        assert_eq!(course(busy).0, [32, 64, 32], "twice as many take twice as long");
        let far = |running: usize| Duration::from_millis(100.max(running as u64));
        assert_eq!(course(far).0, [32, 128, 512, 128], "from 100 on nothing is won");
    }

    #[test]
    fn a_process_with_few_handles_has_few_files_on_their_way() {
        let files = [1, 64, 191, 192, 1024, 4096, u64::MAX].map(fitting);
        assert_eq!(files, [1, 8, 23, 32, 448, 1024, 1024]);
    }

    #[test]
    fn what_somebody_says_stays() {
        let mut crowd = Crowd::new(Some(7));
        let now = Instant::now();
        crowd.comes(7);
        (0..1000).for_each(|_| crowd.ended(crowd.begins(now), now));
        assert_eq!(crowd.limit(), 7);
    }

    #[test]
    fn few_files_say_nothing() {
        let mut crowd = Crowd { max: 1024, ..Crowd::new(None) };
        let now = Instant::now();
        for index in 0..1000 {
            crowd.comes(if index % 15 == 0 { 3 } else { FIRST });
            crowd.ended(crowd.begins(now), now);
        }
        assert_eq!(crowd.limit(), FIRST);
    }
}
