//! `cargo xtask kill`: the program is ended at a random moment, and run again.

mod meter;
mod round;
mod summary;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::backend_named;
use super::harness::{self, Common, Ground};
use super::proxy::lock;
use super::site::Backend;
use crate::report;
use round::{Ending, Round, Stand};
use summary::Summary;

/// As fast as half a network of 1 Gbit/s. What is as fast as memory fills the buffers of a program's
/// connections with megabytes that it has not seen when it is killed.
const RATE: u64 = 64;

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
    /// Mebibytes that pass in a second, as through a network; 0 for as many as there come
    #[arg(long, default_value_t = RATE)]
    rate: u64,
    #[command(flatten)]
    common: Common,
}

/// How often the program is killed in continuous integration, and how often asked to stop.
const TIMES_IN_CI: u64 = 20;

impl Arguments {
    /// What continuous integration runs, with a program that is there.
    pub(crate) fn for_ci(program: PathBuf) -> Self {
        let (backend, by) = (Vec::new(), Vec::new());
        let common = Common::with_program(program);
        Self { times: TIMES_IN_CI, seed: 1, backend, by, jobs: 2, rate: RATE, common }
    }

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
    let rounds = arguments.rounds();
    let backends: Vec<Backend> = arguments
        .backends()
        .into_iter()
        .filter(|backend| rounds.iter().any(|round| round.backend == *backend))
        .collect();
    let rate = arguments.rate;
    let stand = |site, program, directory| Stand::set_up(site, program, directory, rate);
    let ground = Ground::set_up(&arguments.common, &backends, stand)?;
    let begun = Instant::now();
    let summary = run_all(arguments, &rounds, &ground.stands)?;
    let tables = summary.markdown();
    report::output(&tables);
    report::say(&format!("in {:.0} s", begun.elapsed().as_secs_f64()));
    arguments.common.write(&tables)?;
    if summary.findings > 0 {
        bail!("{} findings, see above", summary.findings);
    }
    Ok(())
}

fn run_all(arguments: &Arguments, rounds: &[Round], stands: &[Stand]) -> Result<Summary> {
    let summary = Mutex::new(Summary::default());
    harness::for_each(rounds, arguments.jobs, |_, round| {
        let Some(stand) = stands.iter().find(|stand| stand.backend() == round.backend) else {
            return Ok(());
        };
        let outcome = stand.run(round).with_context(|| format!("{round}: it was not run"))?;
        for problem in &outcome.problems {
            report::say(&format!("FINDING: {round}: {problem}\n  again: {}", round.command()));
        }
        if arguments.common.verbose {
            report::say(&format!("{round}: {outcome:?}"));
        }
        lock(&summary).add(round, &outcome);
        Ok(())
    })?;
    Ok(summary.into_inner().unwrap_or_default())
}
