//! What the commands do.

mod artifacts;
mod cat;
mod completion;
mod get;
mod ls;
mod man;
mod reference;
mod resolve;
mod verify;

use std::process::ExitCode;
use std::time::Duration;

use mlfetch::{Mlfetch, Resolved, Target};
use tokio::runtime::Builder;

use crate::args::{Artifacts, Cli, Command};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{printer, signals};

/// What is still being written when a signal comes gets so long; a signal ends the program within
/// two seconds.
const GRACE: Duration = Duration::from_millis(1500);

/// Runs a command and says how it ended.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let is_drop_in = matches!(cli.command, Command::Artifacts(_));
    let result = match cli.command {
        Command::Completion { shell } => completion::run(shell),
        Command::Man { directory } => man::run(directory.as_deref()),
        Command::GenerateDocs { directory } => reference::run(&directory),
        command => match with_runtime(command) {
            Ok(result) => result,
            Err(interrupted) => return interrupted.into(),
        },
    };
    let Err(failure) = result else { return Exit::Done.into() };
    printer::failure(&failure);
    match failure.exit() {
        // MLflow's commands exit with 2 for flags only, with 1 for all that the flags say.
        Exit::Usage if is_drop_in && !matches!(failure, Failure::Usage(_)) => Exit::Other.into(),
        exit => exit.into(),
    }
}

fn with_runtime(command: Command) -> Result<Result<(), Failure>, Exit> {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Ok(Err(Failure::said(&format!("cannot start: {error}"), None))),
    };
    let ended = runtime.block_on(signals::until_signal(perform(command)));
    runtime.shutdown_timeout(GRACE);
    ended
}

async fn perform(command: Command) -> Result<(), Failure> {
    match command {
        Command::Get(arguments) => get::run(&arguments).await,
        Command::Artifacts(Artifacts::Download(arguments)) => artifacts::download(&arguments).await,
        Command::Artifacts(Artifacts::List(arguments)) => artifacts::list(&arguments).await,
        Command::Ls(arguments) => ls::run(&arguments).await,
        Command::Cat(arguments) => cat::run(&arguments).await,
        Command::Verify(arguments) => verify::run(&arguments).await,
        Command::Resolve(arguments) => resolve::run(&arguments).await,
        Command::Completion { .. } | Command::Man { .. } | Command::GenerateDocs { .. } => Ok(()),
    }
}

/// Follows a target, and tells what is worth knowing on the way.
async fn resolved(mlfetch: &Mlfetch, target: Target) -> Result<Vec<Resolved>, Failure> {
    let parts = mlfetch.resolve(target).await?;
    let mut warnings: Vec<&String> = parts.iter().flat_map(|part| &part.target.warnings).collect();
    warnings.dedup();
    for warning in warnings {
        printer::warning(warning);
    }
    Ok(parts)
}
