//! The threads that touch files: few, so that a thread that ends one file begins the next instead
//! of going to sleep; more only while the disk keeps them waiting, as one on a network does.
//!
//! tokio's own pool starts a thread for everything that comes while all others are busy. With many
//! small files that is a change of threads, a wake-up and a wait for a lock for each of them:
//! two fifths of the processor time of 10,000 files of 4 KiB (docs/performance.md).

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use mlfetch_store::{Error, ErrorKind};
use tokio::sync::oneshot;

use super::FileError;
use crate::destination::DestinationError;

/// As many threads as are kept; as many as the machine has processors within these bounds.
const MIN_THREADS: usize = 2;
const MAX_KEPT: usize = 8;

/// As many as there are when each waits for its disk.
const MAX_THREADS: usize = 32;

/// Work that waited so long shows that the threads there are wait for something else than work.
const OVERDUE: Duration = Duration::from_millis(20);

/// A thread beyond those that are kept ends when there was nothing to do for so long.
const IDLE: Duration = Duration::from_secs(1);

type Work = Box<dyn FnOnce() + Send>;

/// Threads that do what may block. Dropped, they begin nothing more; what has begun ends by itself.
#[derive(Debug, Default)]
pub(super) struct Hands(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There is work, or it is over.
    work: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(Instant, Work)>,
    threads: usize,
    idle: usize,
    over: bool,
}

/// The work was not done: it panicked, or the fetch was given up.
#[derive(Debug, thiserror::Error)]
#[error("the work on a file ended early")]
pub(super) struct Undone;

/// What the work gave, once it is done.
#[derive(Debug)]
pub(super) struct Given<T>(oneshot::Receiver<T>);

impl<T> Future for Given<T> {
    type Output = Result<T, Undone>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|_| Undone)
    }
}

impl Hands {
    /// Does something on one of the threads. It is on its way as soon as this returns.
    pub(super) fn give<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Given<T> {
        let (told, done) = oneshot::channel();
        // Nobody may be waiting any more; the work was to be done all the same.
        self.push(Box::new(move || drop(told.send(work()))));
        Given(done)
    }

    /// The same for a step of the destination.
    pub(super) async fn step<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, DestinationError> + Send + 'static,
    ) -> Result<T, FileError> {
        let undone = |cause| Error::new(ErrorKind::Other, "write", "a file").with_source(cause);
        Ok(self.give(work).await.map_err(undone)??)
    }

    fn push(&self, work: Work) {
        let mut state = self.0.lock();
        if state.over {
            return;
        }
        state.queue.push_back((Instant::now(), work));
        if state.idle > 0 {
            drop(state);
            self.0.work.notify_one();
        } else if state.is_short_of_threads() {
            state.threads += 1;
            drop(state);
            self.start();
        }
    }

    fn start(&self) {
        let shared = Arc::clone(&self.0);
        let started = thread::Builder::new().name("mlfetch-file".into()).spawn(move || {
            shared.serve();
        });
        if started.is_err() {
            self.0.without_another();
        }
    }
}

/// Something that goes to one of the threads for each piece of work, and comes back.
pub(super) struct Lent<T> {
    hands: Arc<Hands>,
    place: Place<T>,
}

enum Place<T> {
    Here(Box<T>),
    There(Given<io::Result<Box<T>>>),
    /// The work before failed.
    Lost,
}

impl<T: Send + 'static> Lent<T> {
    pub(super) fn new(hands: &Arc<Hands>, thing: T) -> Self {
        Self { hands: Arc::clone(hands), place: Place::Here(Box::new(thing)) }
    }

    /// Begins the next piece of work; waits only for the one before.
    pub(super) async fn work(
        &mut self,
        work: impl FnOnce(&mut T) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let mut thing = self.take().await?;
        self.place = Place::There(self.hands.give(move || {
            work(&mut thing)?;
            Ok(thing)
        }));
        Ok(())
    }

    /// Gives it back once all work is done.
    pub(super) async fn back(mut self) -> io::Result<T> {
        Ok(*self.take().await?)
    }

    async fn take(&mut self) -> io::Result<Box<T>> {
        match std::mem::replace(&mut self.place, Place::Lost) {
            Place::Here(thing) => Ok(thing),
            Place::There(given) => {
                given.await.unwrap_or_else(|undone| Err(io::Error::other(undone)))
            }
            Place::Lost => Err(io::Error::other("it failed before")),
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.over = true;
        let undone = std::mem::take(&mut state.queue);
        drop(state);
        self.0.work.notify_all();
        drop(undone);
    }
}

impl State {
    fn is_short_of_threads(&self) -> bool {
        let overdue = || self.queue.front().is_some_and(|(since, _)| since.elapsed() > OVERDUE);
        self.threads < kept() || (self.threads < MAX_THREADS && overdue())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread's life.
    fn serve(&self) {
        let mut state = self.lock();
        loop {
            if let Some((_, work)) = state.queue.pop_front() {
                drop(state);
                // Whoever waits for it is told by the channel that closes.
                drop(catch_unwind(AssertUnwindSafe(work)));
                state = self.lock();
                continue;
            }
            if state.over {
                break;
            }
            state.idle += 1;
            let (woken, wait) =
                self.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if wait.timed_out() && state.queue.is_empty() && state.threads > kept() {
                break;
            }
        }
        state.threads -= 1;
    }

    /// The system gives no more threads: those that are there do the work, and without any, this
    /// one does.
    fn without_another(&self) {
        let mut state = self.lock();
        state.threads -= 1;
        while state.threads == 0
            && let Some((_, work)) = state.queue.pop_front()
        {
            drop(state);
            drop(catch_unwind(AssertUnwindSafe(work)));
            state = self.lock();
        }
    }
}

fn kept() -> usize {
    static KEPT: OnceLock<usize> = OnceLock::new();
    *KEPT.get_or_init(|| {
        let processors = thread::available_parallelism().map_or(MIN_THREADS, usize::from);
        processors.clamp(MIN_THREADS, MAX_KEPT)
    })
}

impl std::fmt::Debug for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("State")
            .field("queue", &self.queue.len())
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    fn threads(hands: &Hands) -> usize {
        hands.0.lock().threads
    }

    #[tokio::test]
    async fn all_work_is_done_by_few_threads() {
        let hands = Hands::default();
        let done = Arc::new(AtomicUsize::new(0));
        let waiting: Vec<_> = (0..1000)
            .map(|number| {
                let done = Arc::clone(&done);
                hands.give(move || {
                    done.fetch_add(1, Ordering::Relaxed);
                    number
                })
            })
            .collect();
        for (number, waiting) in waiting.into_iter().enumerate() {
            assert_eq!(waiting.await.expect("done"), number);
        }
        assert_eq!(done.load(Ordering::Relaxed), 1000);
        assert!(threads(&hands) <= MAX_THREADS);
    }

    #[tokio::test]
    async fn threads_that_wait_for_their_disk_get_help() {
        let hands = Hands::default();
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let stuck: Vec<_> = (0..kept())
            .map(|_| {
                let wait = Arc::clone(&wait);
                hands.give(move || drop(wait.lock().map(|wait| wait.recv())))
            })
            .collect();
        let late = hands.give(|| ());
        thread::sleep(2 * OVERDUE);
        hands.give(|| ()).await.expect("a thread more did it");
        late.await.expect("and what came before");
        assert!(threads(&hands) > kept());
        drop(release);
        for stuck in stuck {
            stuck.await.expect("done");
        }
    }

    #[tokio::test]
    async fn work_that_panics_is_told_and_harms_nothing() {
        let hands = Hands::default();
        for _ in 0..10 {
            assert!(hands.give(|| panic!("on purpose")).await.is_err());
        }
        assert_eq!(hands.give(|| 1).await.expect("done"), 1);
    }

    #[tokio::test]
    async fn given_up_they_end_what_has_begun_and_begin_nothing_more() {
        let hands = Hands::default();
        let (begun, has_begun) = mpsc::channel();
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let waiting: Vec<_> = (0..=kept())
            .map(|_| {
                let (wait, begun) = (Arc::clone(&wait), begun.clone());
                hands.give(move || {
                    begun.send(()).expect("somebody listens");
                    drop(wait.lock().map(|wait| wait.recv()));
                })
            })
            .collect();
        for _ in 0..kept() {
            has_begun.recv().expect("it begins");
        }
        drop(hands);
        drop(release);
        let mut done = 0;
        for waiting in waiting {
            done += usize::from(waiting.await.is_ok());
        }
        assert_eq!(done, kept());
    }
}
