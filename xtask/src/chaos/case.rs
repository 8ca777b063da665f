//! One run of the matrix: a kind, a backend, a seed.

use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::fault::{Injector, Kind, Plan, Recorder, Seen};
use super::fetch::{Ended, Running};
use super::proxy::{Handler, Proxy};
use super::random::Random;
use super::site::{Backend, Site};
use super::tree::{BIG_BYTES, Found, Tree};
use super::verdict::{Facts, Verdict};

/// How long the program waits for a server, and the longest that a run may take.
struct Patience {
    flag: &'static str,
    limit: Duration,
}

/// Where nothing is to go wrong, however busy the machine is.
const CALM: Patience = Patience { flag: "--timeout=30", limit: Duration::from_secs(30) };

/// Long enough for a busy server.
const USUAL: Patience = Patience { flag: "--timeout=5", ..CALM };

/// As short as the program takes it, where silence is what goes wrong. A server that falls silent each
/// time, after it gave some more of a big file, is waited for that often.
const EAGER: Patience = Patience { flag: "--timeout=1", limit: Duration::from_secs(90) };

/// The same for all runs.
const FLAGS: [&str; 3] = ["--retries=2", "--jobs=8", "--progress=none"];

/// A run of the matrix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) backend: Backend,
    pub(crate) seed: u64,
}

/// What came of it, and what is needed to understand it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) verdict: Verdict,
    /// Whether the fault passes when asked again.
    pub(crate) passes: bool,
    pub(crate) plan: String,
    pub(crate) said: String,
    pub(crate) time: Duration,
}

/// A backend that is ready for runs.
pub(crate) struct Stand {
    program: PathBuf,
    /// Where the runs' directories are.
    directory: PathBuf,
    site: Arc<Site>,
    small: Arc<Tree>,
    big: Arc<Tree>,
    seen_small: Seen,
    seen_big: Seen,
}

impl Stand {
    /// Puts the trees there, and fetches each once without a fault.
    pub(crate) fn set_up(site: Site, program: PathBuf, directory: PathBuf) -> Result<Self> {
        let mut stand = Self {
            program,
            directory,
            site: Arc::new(site),
            small: Arc::new(small_tree("small")),
            big: Arc::new(Tree::new("big", &[1000, BIG_BYTES, 0])),
            seen_small: Seen::new(),
            seen_big: Seen::new(),
        };
        stand.site.seed(&stand.small)?;
        stand.site.seed(&stand.big)?;
        stand.seen_small = stand.record(&stand.small)?;
        stand.seen_big = stand.record(&stand.big)?;
        Ok(stand)
    }

    pub(crate) fn backend(&self) -> Backend {
        self.site.backend
    }

    /// Whether big files come in several requests.
    pub(crate) fn has_parts(&self) -> bool {
        self.seen_big.keys().any(|point| point.is_ranged && point.offset > 0)
    }

    fn record(&self, tree: &Arc<Tree>) -> Result<Seen> {
        let recorder = Arc::new(Recorder::new(&self.site, tree));
        let (ended, found) = self.fetch(tree, Arc::clone(&recorder) as _, &CALM)?;
        let is_right = found.missing.is_empty() && found.wrong.is_empty() && found.state.is_empty();
        if !ended.status.is_some_and(|status| status.success()) || !is_right {
            bail!("without a fault it came to {:?}, {found:?}:\n{}", ended.status, ended.errors);
        }
        Ok(recorder.seen())
    }

    /// Lets the program fetch a tree through a proxy into a fresh directory.
    fn fetch(
        &self,
        tree: &Tree,
        handler: Arc<dyn Handler>,
        patience: &Patience,
    ) -> Result<(Ended, Found)> {
        let desk = tempfile::tempdir_in(&self.directory).context("no directory for a run")?;
        let place = desk.path().join("tree");
        let proxy = Proxy::start(self.site.address, handler)?;
        let mut command = self.site.fetch(&self.program, proxy.address(), &tree.name, &place);
        command.args(FLAGS).arg(patience.flag);
        let ended = Running::start(&mut command, desk.path())?.wait(patience.limit)?;
        drop(proxy);
        Ok((ended, tree.compare(&place)?))
    }

    /// Makes a run; `None` where the backend has no request that this kind could happen to.
    pub(crate) fn run(&self, case: Case) -> Result<Option<Outcome>> {
        let mut random = Random::new(case.seed, &[case.kind.name(), case.backend.name()]);
        let drawn = Plan::draw(case.kind, &mut random, &self.seen_small, &self.seen_big);
        let Some(plan) = drawn else { return Ok(None) };
        let mut outcome = if case.kind == Kind::ChangedObject {
            self.run_changing(case, &plan, &mut random)?
        } else {
            let tree = if plan.is_big { &self.big } else { &self.small };
            let injector = Arc::new(Injector::new(&self.site, tree, &plan)?);
            let (ended, found) =
                self.fetch(tree, Arc::clone(&injector) as _, &patience(case.kind))?;
            self.judge(case, &plan, &injector, &ended, &found)
        };
        if let Verdict::Finding(what) = &mut outcome.verdict {
            let _ = write!(what, " ({:.1} s)", outcome.time.as_secs_f64());
        }
        Ok(Some(outcome))
    }

    /// A file of a tree of the run's own is replaced on the way: it must be the old one or the new
    /// one, and not something of both.
    fn run_changing(&self, case: Case, plan: &Plan, random: &mut Random) -> Result<Outcome> {
        let tree = Arc::new(small_tree(&format!("own-{}", random.next())));
        self.site.seed(&tree)?;
        let mut after = (*tree).clone();
        for bytes in after.files.values_mut() {
            let length = if random.percent(50) { bytes.len() } else { bytes.len() * 2 + 1 };
            *bytes = random.bytes(length);
        }
        let injector = Injector::new(&self.site, &tree, plan)?.with_successor(after.clone());
        let injector = Arc::new(injector);
        let desk = tempfile::tempdir_in(&self.directory).context("no directory for a run")?;
        let place = desk.path().join("tree");
        let proxy = Proxy::start(self.site.address, Arc::clone(&injector) as _)?;
        let mut command = self.site.fetch(&self.program, proxy.address(), &tree.name, &place);
        let patience = patience(case.kind);
        command.args(FLAGS).arg(patience.flag);
        let ended = Running::start(&mut command, desk.path())?.wait(patience.limit)?;
        drop(proxy);
        // What is there of the changed file decides which tree it is held to.
        let mut either = (*tree).clone();
        for (name, new) in &after.files {
            if std::fs::read(place.join(name)).is_ok_and(|bytes| bytes == *new) {
                either.files.insert(name.clone(), new.clone());
            }
        }
        let found = either.compare(&place)?;
        Ok(self.judge(case, plan, &injector, &ended, &found))
    }

    fn judge(
        &self,
        case: Case,
        plan: &Plan,
        injector: &Injector,
        ended: &Ended,
        found: &Found,
    ) -> Outcome {
        let facts = Facts {
            kind: case.kind,
            site: &self.site,
            is_big: plan.is_big,
            passes: plan.passes(),
            done: injector.done(),
            ended,
            found,
        };
        let mut verdict = facts.verdict();
        if let Some(trap) = injector.trap() {
            let visits = trap.visits();
            if !visits.with_credential.is_empty() {
                let what = format!("another host was shown {:?}", visits.with_credential);
                verdict = Verdict::Finding(what);
            } else if visits.count > 0 && !self.site.backend.may_be_led_away() {
                verdict = Verdict::Finding(format!("{} visits to another host", visits.count));
            }
        }
        if let Some(error) = injector.errors().first() {
            verdict = Verdict::Finding(format!("the proxy failed: {error}"));
        }
        Outcome {
            case,
            verdict,
            passes: plan.passes(),
            plan: plan.to_string(),
            said: ended.errors.clone(),
            time: ended.time,
        }
    }
}

impl Outcome {
    /// What a person needs who is to find out why.
    pub(crate) fn report(&self) -> String {
        let Self { verdict, plan, said, .. } = self;
        let what = match verdict {
            Verdict::Finding(what) => what.as_str(),
            _ => "nothing wrong",
        };
        let case = self.case;
        format!("{case}: {what}\n  fault: {plan}\n  again: {}\n  it said:\n{said}", case.command())
    }
}

impl Case {
    fn command(self) -> String {
        let (seed, backend, kind) = (self.seed, self.backend.name(), self.kind.name());
        format!("cargo xtask chaos --seed {seed} --backend {backend} --kind {kind}")
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} before {}, seed {}", self.kind.name(), self.backend.name(), self.seed)
    }
}

fn patience(kind: Kind) -> Patience {
    match kind {
        Kind::Stall | Kind::SlowDrip => EAGER,
        _ => USUAL,
    }
}

/// Twelve files, some of them too small for a fault and some in several pieces on the way.
fn small_tree(name: &str) -> Tree {
    const SIZES: [usize; 12] =
        [0, 1, 100, 1000, 4096, 10_000, 30_000, 65_536, 65_537, 100_000, 150_000, 200_000];
    Tree::new(name, &SIZES)
}
