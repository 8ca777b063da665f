//! What the commands do.

mod artifacts;
mod audit;
mod cat;
mod completion;
mod get;
mod ls;
mod man;
mod reference;
mod resolve;
mod verify;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mlfetch::audit::{Attempt, Ending};
use mlfetch::{Mlfetch, Resolved, Target};
use tokio::runtime::Builder;

use crate::args::{Artifacts, AuditCommand, Cli, Command};
use crate::config::SYSTEM_CONFIG;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{printer, recording, signals};

/// What is still being written when a signal comes gets so long; a signal ends the program within
/// two seconds.
const GRACE: Duration = Duration::from_millis(1500);

/// How a command that was let go ended.
type Ended = Result<Result<(), Failure>, Exit>;

/// Runs a command and says how it ended.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let is_drop_in = matches!(cli.command, Command::Artifacts(_));
    let attempt = match recording::begin(&cli.command, Path::new(SYSTEM_CONFIG)) {
        Ok(attempt) => attempt,
        Err(failure) => return told(&failure, is_drop_in).into(),
    };
    let goes_on = match &cli.command {
        Command::Get(arguments) => arguments.fetch.can_go_on(),
        Command::Artifacts(Artifacts::Download(arguments)) => arguments.fetch.can_go_on(),
        _ => false,
    };
    let ended = match cli.command {
        Command::Completion { shell } => Ok(completion::run(shell)),
        Command::Man { directory } => Ok(man::run(directory.as_deref())),
        Command::GenerateDocs { directory } => Ok(reference::run(&directory)),
        Command::Audit(AuditCommand::Verify(arguments)) => Ok(audit::verify(&arguments)),
        command => with_runtime(command, &attempt),
    };
    let (ending, exit) = match ended {
        Ok(Ok(())) => (Ending::done(), Exit::Done),
        Ok(Err(failure)) => {
            let exit = told(&failure, is_drop_in);
            (recording::failed(&failure, exit), exit)
        }
        Err(stopped) => {
            printer::interrupted(goes_on);
            (Ending::interrupted(stopped.code()), stopped)
        }
    };
    match recording::end(&attempt, &ending) {
        Err(failure) if exit == Exit::Done => told(&failure, is_drop_in).into(),
        Err(failure) => {
            printer::failure(&failure);
            exit.into()
        }
        Ok(()) => exit.into(),
    }
}

/// Prints a failure; gives the exit code that it has.
fn told(failure: &Failure, is_drop_in: bool) -> Exit {
    printer::failure(failure);
    match failure.exit() {
        // MLflow's commands exit with 2 for flags only, with 1 for all that the flags say.
        Exit::Usage if is_drop_in && !matches!(failure, Failure::Usage(_)) => Exit::Other,
        exit => exit,
    }
}

fn with_runtime(command: Command, attempt: &Arc<Attempt>) -> Ended {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Ok(Err(Failure::said(&format!("cannot start: {error}"), None))),
    };
    let ended =
        runtime.block_on(signals::until_signal(perform(command, Arc::clone(attempt)), GRACE));
    runtime.shutdown_timeout(GRACE);
    ended
}

async fn perform(command: Command, attempt: Arc<Attempt>) -> Result<(), Failure> {
    let attempt = &attempt;
    match command {
        Command::Get(arguments) => get::run(&arguments, attempt).await,
        Command::Artifacts(Artifacts::Download(arguments)) => {
            artifacts::download(&arguments, attempt).await
        }
        Command::Artifacts(Artifacts::List(arguments)) => {
            artifacts::list(&arguments, attempt).await
        }
        Command::Ls(arguments) => ls::run(&arguments, attempt).await,
        Command::Cat(arguments) => cat::run(&arguments, attempt).await,
        Command::Verify(arguments) => verify::run(&arguments, attempt).await,
        Command::Resolve(arguments) => resolve::run(&arguments, attempt).await,
        Command::Audit(_)
        | Command::Completion { .. }
        | Command::Man { .. }
        | Command::GenerateDocs { .. } => Ok(()),
    }
}

/// Follows a target, and tells what is worth knowing on the way.
async fn resolved(
    mlfetch: &Mlfetch,
    target: Target,
    attempt: &Attempt,
) -> Result<Vec<Resolved>, Failure> {
    let parts = mlfetch.resolve(target).await?;
    attempt.resolved(&parts);
    let mut warnings: Vec<&String> = parts.iter().flat_map(|part| &part.target.warnings).collect();
    warnings.dedup();
    for warning in warnings {
        printer::warning(warning);
    }
    Ok(parts)
}
