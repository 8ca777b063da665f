//! The one retry loop.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::{Error, ErrorKind, Result, Retry};

/// An answer that makes no sense is one of a server that is not what it was taken for, or of
/// something that stood in its way for a moment. The first is to be said soon: so many attempts, with
/// so much time between them.
const SENSELESS_ATTEMPTS: u32 = 3;
const SENSELESS_WAIT: Duration = Duration::from_millis(200);

/// How often, how long and how patiently something is asked again.
#[derive(Clone)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The wait before the second attempt; each later one doubles it.
    pub first_wait: Duration,
    /// The longest wait, also when a server's `Retry-After` asks for more.
    pub longest_wait: Duration,
    /// No new attempt begins after this time.
    pub budget: Duration,
    /// The same for a server that cannot be reached at all: that is said within seconds.
    pub unreachable_budget: Duration,
    /// An attempt that shows no progress for so long is given up and made again.
    pub stall: Duration,
    /// Is told of every attempt that will be made again.
    pub observer: Option<RetryObserver>,
}

/// Is told of every attempt that failed and will be made again.
pub type RetryObserver = Arc<dyn Fn(&RetryEvent<'_>) + Send + Sync>;

/// An attempt that failed and will be made again.
#[derive(Debug)]
#[non_exhaustive]
pub struct RetryEvent<'a> {
    /// Why it failed.
    pub error: &'a Error,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// The time until the next.
    pub wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 8,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(30),
            budget: Duration::from_mins(2),
            unreachable_budget: Duration::from_secs(4),
            stall: Duration::from_secs(30),
            observer: None,
        }
    }
}

impl RetryPolicy {
    /// Asks once and never again; a stall still ends the attempt.
    pub fn once() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// With so many attempts in all.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// With this wait before the second attempt.
    #[must_use]
    pub fn with_first_wait(mut self, first_wait: Duration) -> Self {
        self.first_wait = first_wait;
        self
    }

    /// With so much time until an attempt without progress is given up.
    #[must_use]
    pub fn with_stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }

    /// With somebody who is told of each attempt that will be made again.
    #[must_use]
    pub fn with_observer(mut self, observer: RetryObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The wait after attempt number `attempt` failed with `error`, or `None` to give up.
    fn wait_after(&self, error: &Error, attempt: u32, elapsed: Duration) -> Option<Duration> {
        let is_senseless = error.kind() == ErrorKind::Protocol;
        let asked = match error.retry() {
            Retry::Never if is_senseless && attempt < SENSELESS_ATTEMPTS => Some(SENSELESS_WAIT),
            Retry::Never => return None,
            Retry::Later => None,
            Retry::After(asked) => Some(asked),
        };
        let budget = match error.kind() {
            ErrorKind::Unreachable => self.budget.min(self.unreachable_budget),
            _ => self.budget,
        };
        if attempt >= self.attempts || elapsed >= budget {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(1 << (attempt - 1).min(16));
        let wait = match asked {
            Some(asked) => asked,
            None => doubled.min(self.longest_wait).mul_f64(0.5 + random_unit() / 2.0),
        };
        Some(wait.min(self.longest_wait))
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RetryPolicy")
            .field("attempts", &self.attempts)
            .field("first_wait", &self.first_wait)
            .field("longest_wait", &self.longest_wait)
            .field("budget", &self.budget)
            .field("stall", &self.stall)
            .finish_non_exhaustive()
    }
}

/// A number in 0..1 that differs from process to process and call to call, so that many clients
/// that were refused together do not come back together. It needs no quality beyond that.
fn random_unit() -> f64 {
    let [a, b, ..] = RandomState::new().build_hasher().finish().to_ne_bytes();
    f64::from(u16::from_ne_bytes([a, b])) / f64::from(u16::MAX)
}

/// The attempts made for one thing, and the time they took.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    policy: &'a RetryPolicy,
    began: Instant,
    failed: u32,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(policy: &'a RetryPolicy) -> Self {
        Self { policy, began: Instant::now(), failed: 0 }
    }

    /// Continues a count that was kept elsewhere.
    pub(crate) fn continued(policy: &'a RetryPolicy, began: Instant, failed: u32) -> Self {
        Self { policy, began, failed }
    }

    /// Waits before the next attempt, or gives the error back if there is none.
    pub(crate) async fn wait_after(&mut self, error: Error) -> Result<()> {
        self.failed += 1;
        let Some(wait) = self.policy.wait_after(&error, self.failed, self.began.elapsed()) else {
            return Err(error);
        };
        if let Some(observer) = &self.policy.observer {
            observer(&RetryEvent { error: &error, attempt: self.failed, wait });
        }
        sleep(wait).await;
        Ok(())
    }
}

/// Makes attempts until one succeeds, fails for good, or the policy's patience ends. Each attempt
/// that shows no answer within `policy.stall` is dropped and counts as a timeout.
///
/// # Errors
/// The last attempt's error.
///
/// ```
/// use mlfetch_store::{Error, ErrorKind, RetryPolicy, retry};
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let mut calls = 0;
/// let policy = RetryPolicy::default();
/// let answer = retry(&policy, || {
///     calls += 1;
///     let answer = if calls < 3 { Err(Error::new(ErrorKind::Unavailable, "list", "x")) } else { Ok(calls) };
///     async { answer }
/// });
/// assert_eq!(answer.await.unwrap(), 3);
/// # });
/// ```
pub async fn retry<T, F, A>(policy: &RetryPolicy, mut attempt: F) -> Result<T>
where
    F: FnMut() -> A,
    A: Future<Output = Result<T>>,
{
    let mut attempts = Attempts::new(policy);
    loop {
        match within(policy.stall, attempt()).await {
            Ok(value) => return Ok(value),
            Err(error) => attempts.wait_after(error).await?,
        }
    }
}

/// Lets a future run for at most `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    future: impl Future<Output = Result<T>>,
) -> Result<T> {
    timeout(limit, future).await.unwrap_or_else(|_| Err(stalled("wait for", "the server", limit)))
}

/// The error of something that made no progress.
pub(crate) fn stalled(operation: &'static str, subject: &str, limit: Duration) -> Error {
    Error::new(ErrorKind::Timeout, operation, subject)
        .with_message(format!("no progress for {} s", limit.as_secs_f32()))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn run(policy: &RetryPolicy, error: impl Fn() -> Error) -> (u32, Duration, ErrorKind) {
        let calls = Cell::new(0);
        let began = Instant::now();
        let attempt = || {
            calls.set(calls.get() + 1);
            let result: Result<()> = Err(error());
            async { result }
        };
        let error = retry(policy, attempt).await.expect_err("every attempt fails");
        (calls.get(), began.elapsed(), error.kind())
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_will_not_pass_is_returned_at_once() {
        let missing = || Error::new(ErrorKind::NotFound, "read", "x");
        let (calls, took, kind) = run(&RetryPolicy::default(), missing).await;
        assert_eq!((calls, took, kind), (1, Duration::ZERO, ErrorKind::NotFound));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_makes_no_sense_is_asked_for_again_and_given_up_soon() {
        let senseless = || Error::new(ErrorKind::Protocol, "list", "x");
        let (calls, took, kind) = run(&RetryPolicy::default(), senseless).await;
        assert_eq!((calls, took, kind), (3, 2 * SENSELESS_WAIT, ErrorKind::Protocol));
        assert_eq!(run(&RetryPolicy::once(), senseless).await.0, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_counted_and_waits_grow() {
        let policy = RetryPolicy::default().with_attempts(4);
        let (calls, took, _) = run(&policy, || Error::new(ErrorKind::Unavailable, "r", "x")).await;
        assert_eq!(calls, 4);
        assert!(took >= Duration::from_millis(700) && took <= Duration::from_millis(1500));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unreachable_server_is_given_up_within_seconds() {
        let policy = RetryPolicy::default();
        let (_, took, _) = run(&policy, || Error::new(ErrorKind::Unreachable, "r", "x")).await;
        assert!(took < Duration::from_secs(10), "took {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_obeyed_and_capped() {
        let busy = |seconds| {
            move || {
                Error::new(ErrorKind::Unavailable, "r", "x")
                    .with_retry(Retry::After(Duration::from_secs(seconds)))
            }
        };
        let policy = RetryPolicy::default().with_attempts(2);
        assert_eq!(run(&policy, busy(7)).await.1, Duration::from_secs(7));
        assert_eq!(run(&policy, busy(86_400)).await.1, policy.longest_wait);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_without_an_answer_is_given_up() {
        let policy = RetryPolicy::once();
        let error = retry(&policy, std::future::pending::<Result<()>>).await.expect_err("stalls");
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
}
