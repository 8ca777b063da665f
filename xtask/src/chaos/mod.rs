//! `cargo xtask chaos`: faults between the program and real servers.

mod case;
mod fault;
mod fetch;
pub(crate) mod kill;
mod proxy;
mod random;
mod site;
mod tally;
mod tree;
mod verdict;

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::services::{Service, Session, Tools};
use crate::{command, interrupt, report};
use case::{Case, Outcome, Stand};
use fault::Kind;
use proxy::lock;
use random::Random;
use site::{Backend, Site};
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
    /// Take the program as users get it, instead of the one with all checks of the compiler
    #[arg(long)]
    release: bool,
    /// Take this program instead of building one
    #[arg(long, conflicts_with = "release")]
    program: Option<PathBuf>,
    /// Write the table to this file as well
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Say of each run what it came to
    #[arg(long)]
    verbose: bool,
}

impl Arguments {
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
    let program = program(arguments.program.as_ref(), arguments.release)?;
    let backends = arguments.backends();
    let tools = Tools::install()?;
    let mut services: Vec<Service> = backends.iter().map(|backend| backend.service()).collect();
    services.dedup();
    services.iter().try_for_each(|service| service.install(&tools))?;
    let directory = directory()?;
    report::say("starting the servers");
    let session = Session::start(&services, &tools)?;
    let stands = set_up(&backends, |backend| {
        let site = Site::open(backend, &tools, session.variables())?;
        Stand::set_up(site, program.clone(), directory.path().to_owned())
    })?;
    for stand in stands.iter().filter(|stand| !stand.has_parts()) {
        report::say(&format!("{}: big files come in one answer", stand.backend().name()));
    }
    let begun = Instant::now();
    let tally = run_all(arguments, &stands)?;
    let table = tally.markdown(&backends);
    report::output(&table);
    report::output(&tally.summary());
    report::say(&format!("in {:.0} s", begun.elapsed().as_secs_f64()));
    if let Some(path) = &arguments.markdown {
        fs::write(path, &table).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let never = tally.never_met();
    if !never.is_empty() && arguments.seed.is_none() {
        bail!("the fault never happened in: {}", never.join(", "));
    }
    if !tally.findings.is_empty() {
        bail!("{} findings, see above", tally.findings.len());
    }
    Ok(())
}

/// The program: one that is there, or built here.
fn program(given: Option<&PathBuf>, release: bool) -> Result<PathBuf> {
    if let Some(program) = given {
        return Ok(program.clone());
    }
    let mut cargo = command::cargo();
    cargo.args(["build", "--package=mlfetch-cli", "--all-features"]);
    if release {
        cargo.arg("--release");
    }
    command::run(&mut cargo)?;
    Ok(Metadata::read()?.program(if release { "release" } else { "debug" }, "mlfetch"))
}

/// For what is fetched: in memory where the machine has such a place.
fn directory() -> Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("mlfetch-chaos-");
    let made = builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir());
    made.context("cannot make a directory for the runs")
}

/// Makes all backends ready at once.
fn set_up<T: Send>(
    backends: &[Backend],
    make: impl Fn(Backend) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    thread::scope(|scope| {
        let make = &make;
        let threads: Vec<_> =
            backends.iter().map(|backend| (backend, scope.spawn(move || make(*backend)))).collect();
        let ready = threads.into_iter().map(|(backend, thread)| {
            let result = thread.join().unwrap_or_else(|_| bail!("it panicked"));
            result.with_context(|| format!("cannot prepare {}", backend.server()))
        });
        ready.collect()
    })
}

fn run_all(arguments: &Arguments, stands: &[Stand]) -> Result<Tally> {
    let cases = arguments.cases();
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let failure = Mutex::new(None);
    let last_word = Mutex::new(Instant::now());
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let stand = stands.iter().find(|stand| stand.backend() == case.backend);
            let ran = interrupt::check().and_then(|()| match stand {
                Some(stand) => stand.run(*case).with_context(|| format!("{case}: it was not run")),
                None => Ok(None),
            });
            match ran {
                Ok(Some(outcome)) => tell(arguments, &tally, &outcome),
                Ok(None) => {}
                Err(error) => {
                    *lock(&failure) = Some(error);
                    next.store(cases.len(), Ordering::Relaxed);
                }
            }
            say_progress(&last_word, next.load(Ordering::Relaxed).min(cases.len()), cases.len());
        }
    };
    thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(work);
        }
    });
    match lock(&failure).take() {
        Some(error) => Err(error),
        None => Ok(tally.into_inner().unwrap_or_default()),
    }
}

fn tell(arguments: &Arguments, tally: &Mutex<Tally>, outcome: &Outcome) {
    lock(tally).add(outcome);
    if matches!(outcome.verdict, verdict::Verdict::Finding(_)) {
        report::say(&format!("FINDING: {}", outcome.report()));
    } else if arguments.verbose {
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
