//! The workspace's own commands, so that continuous integration and a laptop run the same words.

mod bench;
mod chaos;
mod ci;
mod command;
mod deny;
mod deps;
mod docs;
mod fuzz;
mod interrupt;
mod layers;
mod metadata;
mod report;
mod searched;
mod services;
mod table;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The workspace's own commands")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start real servers, run every test against them, stop them
    Test(test::Arguments),
    /// Real servers to try things against by hand
    #[command(subcommand)]
    Services(services::Action),
    /// Fail on a dependency arrow between crates that ARCHITECTURE.md does not have
    Layers,
    /// Print how many packages each library crate costs, and fail above its budget
    Deps,
    /// Write the generated reference, or check that it is current
    Docs(docs::Arguments),
    /// Run the fuzz targets, each from its corpus
    Fuzz(fuzz::Arguments),
    /// Everything that continuous integration runs
    Ci,
    /// Let the program fetch from real servers while something goes wrong in between
    Chaos(chaos::Arguments),
    /// End the program at random moments and run it again
    Kill(chaos::kill::Arguments),
    /// Let system calls fail, swap directories for links, run many at once, take resources away
    Torture(chaos::torture::Arguments),
    /// Measurements
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(code) => code,
        Err(error) => {
            report::say(&format!("error: {error:#}"));
            if interrupt::requested() { ExitCode::from(130) } else { ExitCode::FAILURE }
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    interrupt::listen()?;
    match task {
        Task::Test(arguments) => return test::run(&arguments),
        Task::Services(action) => services::run(&action)?,
        Task::Layers => layers::run()?,
        Task::Deps => deps::run()?,
        Task::Docs(arguments) => docs::run(&arguments)?,
        Task::Fuzz(arguments) => fuzz::run(&arguments)?,
        Task::Ci => return ci::run(),
        Task::Chaos(arguments) => chaos::run(&arguments)?,
        Task::Kill(arguments) => chaos::kill::run(&arguments)?,
        Task::Torture(arguments) => chaos::torture::run(&arguments)?,
        Task::Bench(arguments) => bench::run(&arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_has_flags_that_go_together() {
        Arguments::command().debug_assert();
    }
}
