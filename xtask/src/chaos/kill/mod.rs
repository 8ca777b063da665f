//! `cargo xtask kill`: the program is ended at a random moment, and run again.

mod meter;
mod round;
mod summary;

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::proxy::lock;
use super::site::{Backend, Site};
use super::{backend_named, directory, program, set_up};
use crate::services::{Service, Session, Tools};
use crate::{interrupt, report};
use round::{Ending, Round, Stand};
use summary::Summary;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often the program is killed, and how often it is asked to stop, over all backends
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    times: u64,
    /// The first round's number, from which its moment is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Before these backends alone
    #[arg(long, value_parser = backend_named)]
    backend: Vec<Backend>,
    /// By this alone: SIGKILL, SIGTERM or SIGINT, or SIGTERM and SIGINT in turn
    #[arg(long, value_enum)]
    by: Vec<Ending>,
    /// Rounds at the same time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Take the program as users get it, instead of the one with all checks of the compiler
    #[arg(long)]
    release: bool,
    /// Take this program instead of building one
    #[arg(long, conflicts_with = "release")]
    program: Option<PathBuf>,
    /// Write the tables to this file as well
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Say of each round what it came to
    #[arg(long)]
    verbose: bool,
}

impl Arguments {
    /// A second web server would prove nothing more here.
    fn backends(&self) -> Vec<Backend> {
        let chosen = |backend: &Backend| {
            let by_itself = self.backend.is_empty() && *backend != Backend::HttpJson;
            by_itself || self.backend.contains(backend)
        };
        Backend::ALL.into_iter().filter(chosen).collect()
    }

    /// The rounds: each backend in its turn.
    fn rounds(&self) -> Vec<Round> {
        let backends = self.backends();
        let mut rounds = Vec::new();
        let all = [Ending::Kill, Ending::Stop];
        for ending in if self.by.is_empty() { &all[..] } else { &self.by[..] } {
            let seeds = self.seed..self.seed + self.times;
            let turns = seeds.zip(backends.iter().cycle());
            rounds.extend(turns.map(|(seed, backend)| Round::draw(*backend, *ending, seed)));
        }
        rounds
    }
}

/// Ends the program and runs it again, so many times; fails if anything is not as it should be.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let program = program(arguments.program.as_ref(), arguments.release)?;
    let rounds = arguments.rounds();
    let backends: Vec<Backend> = arguments
        .backends()
        .into_iter()
        .filter(|backend| rounds.iter().any(|round| round.backend == *backend))
        .collect();
    let tools = Tools::install()?;
    let services: Vec<Service> = backends.iter().map(|backend| backend.service()).collect();
    services.iter().try_for_each(|service| service.install(&tools))?;
    let directory = directory()?;
    report::say("starting the servers");
    let session = Session::start(&services, &tools)?;
    let stands = set_up(&backends, |backend| {
        let site = Site::open(backend, &tools, session.variables())?;
        Stand::set_up(site, program.clone(), directory.path().to_owned())
    })?;
    let begun = Instant::now();
    let summary = run_all(arguments, &rounds, &stands)?;
    let tables = summary.markdown();
    report::output(&tables);
    report::say(&format!("in {:.0} s", begun.elapsed().as_secs_f64()));
    if let Some(path) = &arguments.markdown {
        fs::write(path, &tables).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if summary.findings > 0 {
        bail!("{} findings, see above", summary.findings);
    }
    Ok(())
}

fn run_all(arguments: &Arguments, rounds: &[Round], stands: &[Stand]) -> Result<Summary> {
    let (next, summary) = (AtomicUsize::new(0), Mutex::new(Summary::default()));
    let failure = Mutex::new(None);
    let work = || {
        while let Some(round) = rounds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(stand) = stands.iter().find(|stand| stand.backend() == round.backend) else {
                continue;
            };
            let ran = interrupt::check().and_then(|()| stand.run(round));
            match ran.with_context(|| format!("{round}: it was not run")) {
                Ok(outcome) => {
                    for problem in &outcome.problems {
                        report::say(&format!(
                            "FINDING: {round}: {problem}\n  again: {}",
                            round.command()
                        ));
                    }
                    if arguments.verbose {
                        report::say(&format!("{round}: {outcome:?}"));
                    }
                    lock(&summary).add(round, &outcome);
                }
                Err(error) => {
                    *lock(&failure) = Some(error);
                    next.store(rounds.len(), Ordering::Relaxed);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(work);
        }
    });
    match lock(&failure).take() {
        Some(error) => Err(error),
        None => Ok(summary.into_inner().unwrap_or_default()),
    }
}
