//! The threads that touch files, where those that serve the network do not in passing: few, so that a
//! thread that ends one file begins the next instead of going to sleep; more only while the disk keeps
//! them waiting, as one on a network does.
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

/// Work that took so long where it was asked for shows that the disk is slow, or that the processor
/// had something else to do. That is remembered for a moment, and for twice as long each time that
/// the next work so takes as long again: a disk that is slow stays slow.
const BRIEF: Duration = Duration::from_millis(5);
const REMEMBERED: Duration = Duration::from_millis(2);
const LONGEST_REMEMBERED: Duration = Duration::from_millis(256);

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
    /// Held by who works where it was asked for.
    here: Mutex<Slow>,
    /// Whether the network is served while one of its threads works.
    is_served: OnceLock<bool>,
}

/// Whether the disk was slow the last time: until when not to wait for it, and how long that was.
#[derive(Debug, Default)]
struct Slow(Option<(Instant, Duration)>);

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
pub(super) enum Given<T> {
    Here(Option<T>),
    There(oneshot::Receiver<T>),
}

/// Nothing in it is borrowed from itself.
impl<T> Unpin for Given<T> {}

impl<T> Future for Given<T> {
    type Output = Result<T, Undone>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Here(given) => Poll::Ready(given.take().ok_or(Undone)),
            Self::There(told) => Pin::new(told).poll(context).map_err(|_| Undone),
        }
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
        Given::There(done)
    }

    /// Does something that is over before another thread would be awake: here and now. If the disk
    /// was slow of late, or somebody else is at it, one of the threads does it. So no more than one
    /// of those that serve the network ever waits for a disk, and not often.
    pub(super) fn give_brief<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Given<T> {
        let here = self.0.is_served().then(|| self.0.here.try_lock().ok()).flatten();
        let Some(mut slow) = here else { return self.give(work) };
        let begun = Instant::now();
        if slow.at(begun) {
            drop(slow);
            return self.give(work);
        }
        let given = catch_unwind(AssertUnwindSafe(work)).ok();
        slow.took(begun, Instant::now());
        Given::Here(given)
    }

    /// The same for a step of the destination.
    pub(super) async fn step<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, DestinationError> + Send + 'static,
    ) -> Result<T, FileError> {
        given(self.give(work)).await
    }

    /// The same for a brief one.
    pub(super) async fn brief_step<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, DestinationError> + Send + 'static,
    ) -> Result<T, FileError> {
        given(self.give_brief(work)).await
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

async fn given<T>(work: Given<Result<T, DestinationError>>) -> Result<T, FileError> {
    let undone = |cause| Error::new(ErrorKind::Other, "write", "a file").with_source(cause);
    Ok(work.await.map_err(undone)??)
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
        let thing = self.take().await?;
        self.place = Place::There(self.hands.give(lending(thing, work)));
        Ok(())
    }

    /// The same for a brief one.
    pub(super) async fn brief_work(
        &mut self,
        work: impl FnOnce(&mut T) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let thing = self.take().await?;
        self.place = Place::There(self.hands.give_brief(lending(thing, work)));
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

/// Work that takes the thing along and brings it back.
fn lending<T>(
    mut thing: Box<T>,
    work: impl FnOnce(&mut T) -> io::Result<()>,
) -> impl FnOnce() -> io::Result<Box<T>> {
    move || {
        work(&mut thing)?;
        Ok(thing)
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

impl Slow {
    fn at(&self, now: Instant) -> bool {
        self.0.is_some_and(|(until, _)| now < until)
    }

    /// Something was done here.
    fn took(&mut self, begun: Instant, ended: Instant) {
        let pause = match self.0 {
            Some((_, before)) => (2 * before).min(LONGEST_REMEMBERED),
            None => REMEMBERED,
        };
        self.0 = (ended - begun > BRIEF).then(|| (ended + pause, pause));
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

    /// Whether somebody else serves the network while one who does works here.
    fn is_served(&self) -> bool {
        let workers =
            || tokio::runtime::Handle::try_current().map(|now| now.metrics().num_workers());
        *self.is_served.get_or_init(|| workers().is_ok_and(|workers| workers > 1))
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

    fn remember(hands: &Hands, slow: Slow) {
        *hands.0.here.lock().expect("not poisoned") = slow;
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

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn brief_work_is_done_where_it_is_asked_for_until_the_disk_is_slow() {
        let hands = Hands::default();
        let here = thread::current().id();
        let where_is_it = || thread::current().id();
        assert_eq!(hands.give_brief(where_is_it).await.expect("done"), here);
        let now = Instant::now();
        remember(&hands, Slow(Some((now + IDLE, REMEMBERED))));
        assert_ne!(hands.give_brief(where_is_it).await.expect("done"), here, "it was slow");
        remember(&hands, Slow(Some((now, REMEMBERED))));
        assert_eq!(hands.give_brief(where_is_it).await.expect("done"), here, "that is long ago");
        hands.give_brief(|| thread::sleep(2 * BRIEF)).await.expect("done");
        let slow = hands.0.here.lock().expect("not poisoned").0;
        assert!(slow.is_some_and(|(until, _)| until > now), "it is noticed");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn brief_work_that_panics_harms_nothing() {
        let hands = Hands::default();
        let Given::Here(_) = hands.give_brief(|| panic!("on purpose")) else { panic!("it is") };
        remember(&hands, Slow::default());
        assert!(hands.give_brief(|| panic!("on purpose")).await.is_err());
        remember(&hands, Slow::default());
        assert_eq!(hands.give_brief(|| 1).await.expect("done"), 1);
    }

    #[test]
    fn a_disk_that_stays_slow_is_asked_ever_more_seldom() {
        let mut slow = Slow::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..10 {
            assert!(!slow.at(now));
            let begun = now;
            now += 2 * BRIEF;
            slow.took(begun, now);
            let (until, pause) = slow.0.expect("it was slow");
            assert!(slow.at(now));
            pauses.push(pause.as_millis());
            now = until;
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 256, 256]);
        slow.took(now, now + BRIEF);
        assert!(slow.0.is_none(), "it is fast again");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_waits_where_it_is_asked_for_and_no_more() {
        let hands = Arc::new(Hands::default());
        let (begun, has_begun) = mpsc::channel();
        let (release, wait) = mpsc::channel::<()>();
        let stuck = tokio::spawn({
            let hands = Arc::clone(&hands);
            async move {
                let stuck = hands.give_brief(move || {
                    begun.send(()).expect("somebody listens");
                    let _ = wait.recv();
                });
                stuck.await.expect("done");
            }
        });
        tokio::task::block_in_place(|| has_begun.recv().expect("it begins"));
        let given = hands.give_brief(|| thread::current().id());
        assert!(matches!(given, Given::There(_)));
        drop(release);
        stuck.await.expect("done");
        given.await.expect("done");
    }

    #[tokio::test]
    async fn where_one_thread_serves_the_network_it_never_waits() {
        let hands = Hands::default();
        let here = thread::current().id();
        assert_ne!(hands.give_brief(|| thread::current().id()).await.expect("done"), here);
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
