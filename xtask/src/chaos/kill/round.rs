//! One round: the program is ended at a drawn moment, looked at, and run again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::super::fetch::{Ended, Running};
use super::super::proxy::{Pace, Proxy};
use super::super::random::Random;
use super::super::site::{Backend, Site};
use super::super::tree::{MIB, Tree};
use super::meter::Meter;

/// A signal ends the program within this time (`docs/concepts/limits.md`).
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(2);

/// No run may take longer.
const LIMIT: Duration = Duration::from_mins(1);

/// Between two looks at how far the program is.
const LOOK_EVERY: Duration = Duration::from_micros(300);

/// What ends the program.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Ending {
    Kill,
    /// SIGTERM and SIGINT in turn, in a stall every other time
    Stop,
    Term,
    Int,
}

/// A round, with its moment.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) backend: Backend,
    pub(super) ending: Ending,
    seed: u64,
    signal: Signal,
    /// How much of the tree has come by then, in parts of a million.
    part: u64,
    /// The moment falls between two looks, too.
    later: Duration,
    /// Whether nothing comes any more by then.
    pub(super) is_stalled: bool,
}

/// What came of a round.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Whether the program ended by itself before.
    pub(super) was_done: bool,
    pub(super) stop_time: Duration,
    /// Whether anything was left for the next run.
    pub(super) left_state: bool,
    /// Bytes that came twice, and those of the tree.
    pub(super) again_bytes: u64,
    pub(super) tree_bytes: u64,
    pub(super) problems: Vec<String>,
}

impl Round {
    pub(super) fn draw(backend: Backend, ending: Ending, seed: u64) -> Self {
        let word = format!("{ending:?}");
        let mut random = Random::new(seed, &["kill", backend.name(), &word]);
        let signal = match ending {
            Ending::Kill => Signal::SIGKILL,
            Ending::Int => Signal::SIGINT,
            Ending::Stop if random.percent(50) => Signal::SIGINT,
            Ending::Term | Ending::Stop => Signal::SIGTERM,
        };
        let is_stalled = ending != Ending::Kill && seed.is_multiple_of(2);
        let later = Duration::from_micros(random.below(4000));
        Self { backend, ending, seed, signal, part: random.below(1_000_000), later, is_stalled }
    }

    pub(super) fn command(&self) -> String {
        let (seed, backend) = (self.seed, self.backend.name());
        let by = format!("{:?}", self.ending).to_lowercase();
        format!("cargo xtask kill --times 1 --seed {seed} --backend {backend} --by {by}")
    }
}

impl fmt::Display for Round {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, signal, seed, part, .. } = self;
        let stall = if self.is_stalled { " in a stall" } else { "" };
        let percent = part / 10_000;
        write!(formatter, "{signal}{stall} before {} at {percent} %, seed {seed}", backend.name())
    }
}

/// A backend that is ready for rounds.
pub(super) struct Stand {
    program: PathBuf,
    directory: PathBuf,
    site: Arc<Site>,
    tree: Arc<Tree>,
    /// Mebibytes a second; 0 for all that come.
    rate: u64,
}

impl Stand {
    pub(super) fn set_up(
        site: Site,
        program: PathBuf,
        directory: PathBuf,
        rate: u64,
    ) -> Result<Self> {
        let mut sizes: Vec<usize> = (0..30).map(|number| number * 7001).collect();
        // Files that come in parts, each large enough to be worth taking over.
        sizes.extend([67 * MIB + 17, 96 * MIB + 5]);
        let tree = Tree::new("kill", &sizes);
        site.seed(&tree)?;
        Ok(Self { program, directory, site: Arc::new(site), tree: Arc::new(tree), rate })
    }

    pub(super) fn backend(&self) -> Backend {
        self.site.backend
    }

    pub(super) fn run(&self, round: &Round) -> Result<Outcome> {
        let desk = tempfile::tempdir_in(&self.directory).context("no directory for a round")?;
        let place = desk.path().join("tree");
        let tree_bytes = self.tree.size_bytes();
        let moment = tree_bytes / 1_000_000 * round.part;
        let silent_after = round.is_stalled.then_some(moment);
        let rate = (self.rate > 0).then(|| Pace::new(self.rate * MIB as u64));
        let meter = Arc::new(Meter::new(&self.site, &self.tree, silent_after, rate));
        // Both runs go through it: a web server at another address is another store.
        let proxy = Proxy::start(self.site.address, Arc::clone(&meter) as _)?;
        let mut running = self.start(&proxy, desk.path(), &place)?;
        while proxy.body_bytes() < moment && !running.has_ended()? {
            thread::sleep(LOOK_EVERY);
        }
        // What was on its way when the silence began has arrived by then.
        thread::sleep(if round.is_stalled { Duration::from_millis(300) } else { round.later });
        let was_done = running.has_ended()?;
        let sent = Instant::now();
        if !was_done {
            let id = i32::try_from(running.id()).context("the program's number")?;
            kill(Pid::from_raw(id), round.signal).context("cannot send a signal")?;
        }
        let first = running.wait(LIMIT)?;
        let stop_time = sent.elapsed();
        let mut problems = Vec::new();
        let between = self.tree.compare(&place)?;
        if !between.wrong.is_empty() {
            problems.push(format!("wrong under a final name: {:?}", between.wrong));
        }
        if !was_done {
            problems.extend(look_at_the_end(round, &first, stop_time));
        }
        meter.speak_again();
        let last = self.start(&proxy, desk.path(), &place)?.wait(LIMIT)?;
        problems.extend(self.look_at_the_tree(&last, &place)?);
        Ok(Outcome {
            was_done,
            stop_time,
            left_state: !between.state.is_empty(),
            again_bytes: proxy.body_bytes().saturating_sub(tree_bytes),
            tree_bytes,
            problems,
        })
    }

    fn start(&self, proxy: &Proxy, desk: &Path, place: &Path) -> Result<Running> {
        let mut command = self.site.fetch(&self.program, proxy.address(), &self.tree.name, place);
        Running::start(&mut command, desk)
    }

    /// How the tree must be after the second run.
    fn look_at_the_tree(&self, ended: &Ended, place: &Path) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        if !ended.status.is_some_and(|status| status.success()) {
            problems.push(format!("run again, it failed: {:?}: {}", ended.status, ended.errors));
        }
        let found = self.tree.compare(place)?;
        for (what, list) in
            [("wrong", &found.wrong), ("missing", &found.missing), ("left behind", &found.state)]
        {
            if !list.is_empty() {
                problems.push(format!("run again, {what}: {list:?}"));
            }
        }
        Ok(problems)
    }
}

/// How a program that was asked to stop must end.
fn look_at_the_end(round: &Round, ended: &Ended, time: Duration) -> Option<String> {
    if round.signal == Signal::SIGKILL {
        return None;
    }
    if time > STOP_WITHIN {
        return Some(format!("it took {:.2} s to stop", time.as_secs_f64()));
    }
    let code = ended.status.and_then(|status| status.code());
    let right = 128 + round.signal as i32;
    // It may have been done at that very moment.
    (code != Some(right) && code != Some(0))
        .then(|| format!("exit code {code:?} instead of {right}: {}", ended.errors))
}
