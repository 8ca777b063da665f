//! How many parts of big files are on their way at once, all files together: few where each of their
//! connections gives much, and more where it gives little, for as long as more of them bring more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Where it begins. Beside the store more of them only drive each other's bytes out of the
/// processor's cache.
const FIRST: usize = 4;

/// Where it ends.
pub(super) const MOST: usize = 32;

/// What a connection gives where more of them are not looked for, in bytes a second.
const PLENTY: u64 = 200_000_000;

/// Twice as many are worth it if so much more comes in the same time, in percent.
const WORTH_PERCENT: u64 = 125;

/// How long it is looked at: connections take some answers' time to come to their speed.
const ANSWERS: u32 = 4;
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// The lanes of a fetch, in which one part after the other comes.
#[derive(Debug)]
pub(super) struct Lanes {
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    lanes: usize,
    /// Whether there will be no more.
    is_settled: bool,
    /// Whether more of them would bring no more.
    are_enough: bool,
    /// Lanes that were added and from which nothing came yet.
    silent: usize,
    /// The longest that a first byte was waited for.
    answer: Duration,
    /// Bytes that came since all of them gave some.
    since: Option<Instant>,
    bytes: u64,
    /// Bytes a second with half as many.
    before: Option<u64>,
}

impl Lanes {
    /// As many as somebody says, or as it turns out.
    pub(super) fn new(jobs: Option<usize>) -> Self {
        let lanes = jobs.map_or(FIRST, |jobs| jobs.min(MOST));
        let state = State {
            lanes,
            is_settled: jobs.is_some(),
            are_enough: false,
            silent: lanes,
            answer: Duration::ZERO,
            since: None,
            bytes: 0,
            before: None,
        };
        Self { places: Arc::new(Semaphore::new(lanes)), state: Mutex::new(state) }
    }

    /// Waits until one more part may be on its way. The lanes never close.
    pub(super) async fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Whether it turned out that more of them would bring no more.
    pub(super) fn are_enough(&self) -> bool {
        self.state().are_enough
    }

    /// The first bytes of a part came, so long after they were asked for.
    pub(super) fn answered(&self, after: Duration, now: Instant) {
        let mut state = self.state();
        state.answer = state.answer.max(after);
        state.silent = state.silent.saturating_sub(1);
        if state.silent == 0 && state.since.is_none() {
            (state.since, state.bytes) = (Some(now), 0);
        }
    }

    /// So many bytes came.
    pub(super) fn passed(&self, bytes: usize, now: Instant) {
        let mut state = self.state();
        let Some(since) = state.since.filter(|_| !state.is_settled) else { return };
        if self.places.available_permits() > 0 {
            // What fewer bring than may be says nothing.
            (state.since, state.bytes) = (Some(now), 0);
            return;
        }
        state.bytes += bytes as u64;
        let time = now.duration_since(since);
        if time < (state.answer * ANSWERS).clamp(SHORTEST, LONGEST) {
            return;
        }
        let rate = state.bytes * 1000 / u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
        let is_worth = state.before.is_none_or(|before| rate * 100 >= before * WORTH_PERCENT);
        let is_plenty = rate >= state.lanes as u64 * PLENTY;
        state.are_enough = !is_worth || is_plenty;
        if state.are_enough || state.lanes >= MOST {
            state.is_settled = true;
            return;
        }
        let more = state.lanes.min(MOST - state.lanes);
        self.places.add_permits(more);
        state.lanes += more;
        state.silent = more;
        state.since = None;
        state.before = Some(rate);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::SemaphorePermit;

    use super::*;

    /// How many there are in the end, where a connection gives so much and all together no more than
    /// `line`, and the first byte takes so long.
    fn settles(jobs: Option<usize>, connection: u64, line: u64, answer: Duration) -> usize {
        let lanes = Lanes::new(jobs);
        let mut now = Instant::now();
        let mut open = 0;
        for _ in 0..10_000 {
            while lanes.places.try_acquire().map(SemaphorePermit::forget).is_ok() {
                open += 1;
                lanes.answered(answer, now);
            }
            let rate = line.min(connection * open);
            now += Duration::from_millis(5);
            lanes.passed(usize::try_from(rate / 200).expect("few"), now);
        }
        lanes.state().lanes
    }

    #[test]
    fn there_are_more_where_a_connection_gives_little() {
        let near = Duration::from_millis(1);
        let far = Duration::from_millis(300);
        assert_eq!(settles(None, 20_000_000, u64::MAX, near), MOST);
        assert_eq!(settles(None, 20_000_000, u64::MAX, far), MOST);
        assert_eq!(settles(None, 400_000_000, u64::MAX, near), FIRST, "that is plenty");
        assert_eq!(settles(None, 90_000_000, 1_000_000_000, far), 32, "16 fill the line");
        assert_eq!(settles(None, 90_000_000, 500_000_000, far), 16, "8 do");
        assert_eq!(settles(None, 90_000_000, 10_000_000, far), 2 * FIRST, "one does");
    }

    #[test]
    fn what_somebody_says_stays() {
        assert_eq!(settles(Some(3), 1_000, u64::MAX, Duration::ZERO), 3);
        assert_eq!(settles(Some(1000), 1_000, u64::MAX, Duration::ZERO), MOST);
    }

    #[test]
    fn nothing_is_measured_while_there_are_fewer_than_may_be() {
        let lanes = Lanes::new(None);
        let start = Instant::now();
        (0..FIRST).for_each(|_| lanes.answered(Duration::ZERO, start));
        lanes.passed(1, start + LONGEST);
        assert_eq!(lanes.state().lanes, FIRST);
        let taken = lanes.places.try_acquire_many(4).expect("four are free");
        lanes.passed(1, start + LONGEST);
        assert_eq!(lanes.state().lanes, FIRST, "it begins with the first byte since then");
        lanes.passed(1, start + 2 * LONGEST);
        assert_eq!(lanes.state().lanes, 2 * FIRST);
        drop(taken);
    }

    #[test]
    fn nothing_is_measured_before_all_of_them_give_something() {
        let lanes = Lanes::new(None);
        let start = Instant::now();
        for _ in 1..FIRST {
            lanes.answered(Duration::ZERO, start);
        }
        lanes.passed(1, start + Duration::from_secs(10));
        assert_eq!(lanes.state().lanes, FIRST);
    }
}
