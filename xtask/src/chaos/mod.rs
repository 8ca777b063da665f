//! `cargo xtask chaos`: faults between the program and real servers.

mod case;
mod fault;
mod fetch;
mod harness;
pub(crate) mod kill;
mod proxy;
mod random;
mod site;
mod tally;
pub(crate) mod torture;
mod tree;
mod verdict;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::report;
use case::{Case, Outcome, Stand};
use fault::Kind;
use harness::{Common, Ground};
use proxy::lock;
use random::Random;
use site::Backend;
use tally::Tally;

/// How often it is said how far it is.
const SAY_EVERY: Duration = Duration::from_secs(15);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many seeds: runs of each kind of fault before each backend
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// This seed alone
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// These backends alone
    #[arg(long, value_parser = backend_named)]
    backend: Vec<Backend>,
    /// These kinds of fault alone
    #[arg(long, value_parser = kind_named)]
    kind: Vec<Kind>,
    /// Runs at the same time: most of their time is waiting
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    #[command(flatten)]
    common: Common,
}

/// Runs of each kind of fault before each backend, in continuous integration.
const SEEDS_IN_CI: u64 = 20;

impl Arguments {
    /// What continuous integration runs, with a program that is there.
    pub(crate) fn for_ci(program: PathBuf) -> Self {
        let (backend, kind) = (Vec::new(), Vec::new());
        let common = Common::with_program(program);
        Self { seeds: SEEDS_IN_CI, seed: None, backend, kind, jobs: 8, common }
    }

    fn backends(&self) -> Vec<Backend> {
        let is_meant =
            |backend: &Backend| self.backend.is_empty() || self.backend.contains(backend);
        Backend::ALL.into_iter().filter(is_meant).collect()
    }

    fn kinds(&self) -> Vec<Kind> {
        Kind::all().filter(|kind| self.kind.is_empty() || self.kind.contains(kind)).collect()
    }

    /// All runs, in an order in which no server has all of them at once.
    fn cases(&self) -> Vec<Case> {
        let seeds = self.seed.map_or(1..=self.seeds, |seed| seed..=seed);
        let mut cases = Vec::new();
        for seed in seeds {
            for kind in self.kinds() {
                let backends = self.backends().into_iter();
                let having = backends.filter(|backend| kind.exists_in(*backend));
                cases.extend(having.map(|backend| Case { kind, backend, seed }));
            }
        }
        Random::new(0, &["order"]).shuffle(&mut cases);
        cases
    }
}

/// Runs the matrix; fails if there is a finding.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let backends = arguments.backends();
    let ground = Ground::set_up(&arguments.common, &backends, Stand::set_up)?;
    let stands = &ground.stands;
    for stand in stands.iter().filter(|stand| !stand.has_parts()) {
        report::say(&format!("{}: big files come in one answer", stand.backend().name()));
    }
    let begun = Instant::now();
    let tally = run_all(arguments, stands)?;
    let table = tally.markdown(&backends);
    report::output(&table);
    report::output(&tally.summary());
    report::say(&format!("in {:.0} s", begun.elapsed().as_secs_f64()));
    arguments.common.write(&table)?;
    let never = tally.never_met();
    if !never.is_empty() && arguments.seed.is_none() {
        bail!("the fault never happened in: {}", never.join(", "));
    }
    if !tally.findings.is_empty() {
        bail!("{} findings, see above", tally.findings.len());
    }
    Ok(())
}

fn run_all(arguments: &Arguments, stands: &[Stand]) -> Result<Tally> {
    let cases = arguments.cases();
    let (tally, last_word) = (Mutex::new(Tally::default()), Mutex::new(Instant::now()));
    harness::for_each(&cases, arguments.jobs, |index, case| {
        let Some(stand) = stands.iter().find(|stand| stand.backend() == case.backend) else {
            return Ok(());
        };
        let ran = stand.run(*case).with_context(|| format!("{case}: it was not run"))?;
        if let Some(outcome) = ran {
            tell(arguments, &tally, &outcome);
        }
        say_progress(&last_word, index + 1, cases.len());
        Ok(())
    })?;
    Ok(tally.into_inner().unwrap_or_default())
}

fn tell(arguments: &Arguments, tally: &Mutex<Tally>, outcome: &Outcome) {
    lock(tally).add(outcome);
    if matches!(outcome.verdict, verdict::Verdict::Finding(_)) {
        report::say(&format!("FINDING: {}", outcome.report()));
    } else if arguments.common.verbose {
        let (case, time) = (outcome.case, outcome.time.as_secs_f64());
        let (verdict, plan) = (&outcome.verdict, &outcome.plan);
        report::say(&format!("{case}: {verdict:?} in {time:.2} s\n  {plan}\n{}", outcome.said));
    }
}

fn say_progress(last_word: &Mutex<Instant>, done: usize, all: usize) {
    let mut last_word = lock(last_word);
    if last_word.elapsed() > SAY_EVERY {
        report::say(&format!("{done} of {all} runs"));
        *last_word = Instant::now();
    }
}

fn backend_named(name: &str) -> Result<Backend, String> {
    let known = Backend::ALL.map(Backend::name).join(", ");
    let mut all = Backend::ALL.into_iter();
    all.find(|backend| backend.name() == name).ok_or_else(|| format!("there are {known}"))
}

fn kind_named(name: &str) -> Result<Kind, String> {
    let known: Vec<&str> = Kind::all().map(Kind::name).collect();
    Kind::named(name).ok_or_else(|| format!("there are {}", known.join(", ")))
}
