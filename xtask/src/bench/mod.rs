//! `cargo xtask bench`: measurements beside MLflow's own client, in the same run.

mod measure;
mod start;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Benchmark {
    /// One small file through a local MLflow server, from the start of the program to its end
    Start {
        /// How often each program runs
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
        runs: u16,
    },
}

pub(crate) fn run(benchmark: &Benchmark) -> Result<()> {
    match benchmark {
        Benchmark::Start { runs } => start::run(usize::from(*runs)),
    }
}
