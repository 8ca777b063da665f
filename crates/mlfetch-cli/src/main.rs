//! The command `mlfetch`.

mod args;
mod commands;
mod config;
mod exit;
mod failure;
mod printer;
mod recording;
mod signals;
mod workplace;

use std::process::ExitCode;

use args::Cli;

fn main() -> ExitCode {
    let cli = match Cli::from_command_line() {
        Ok(cli) => cli,
        Err(usage) => return printer::usage(&usage),
    };
    commands::run(cli)
}
