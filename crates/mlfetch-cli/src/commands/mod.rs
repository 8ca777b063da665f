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
use std::time::Duration;

use mlfetch::audit::{Attempt, Ending};
use mlfetch::{Mlfetch, Resolved, Target};
use tokio::runtime::Builder;

use crate::args::{Artifacts, AuditCommand, Cli, Command};
use crate::config::SYSTEM_CONFIG;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::oversight::Oversight;
use crate::{printer, recording, signals};

/// What is still being written when a signal comes gets so long; a signal ends the program within
/// two seconds.
const GRACE: Duration = Duration::from_millis(1500);

/// How a command that was let go ended.
type Ended = Result<Result<(), Failure>, Exit>;

/// Runs a command and says how it ended.
pub(crate) fn run(cli: Cli) -> ExitCode {
    run_under(cli, Path::new(SYSTEM_CONFIG)).into()
}

/// The same on a machine with this configuration.
fn run_under(cli: Cli, system: &Path) -> Exit {
    let is_drop_in = matches!(cli.command, Command::Artifacts(_));
    let oversight = match recording::begin(&cli.command, system) {
        Ok(oversight) => oversight,
        Err(failure) => return told(&failure, is_drop_in),
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
        command => with_runtime(command, &oversight),
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
    match recording::end(&oversight.attempt, &ending) {
        Err(failure) if exit == Exit::Done => told(&failure, is_drop_in),
        Err(failure) => {
            printer::failure(&failure);
            exit
        }
        Ok(()) => exit,
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

fn with_runtime(command: Command, oversight: &Oversight) -> Ended {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Ok(Err(Failure::said(&format!("cannot start: {error}"), None))),
    };
    let ended = runtime.block_on(signals::until_signal(perform(command, oversight.clone()), GRACE));
    runtime.shutdown_timeout(GRACE);
    ended
}

async fn perform(command: Command, oversight: Oversight) -> Result<(), Failure> {
    let oversight = &oversight;
    match command {
        Command::Get(arguments) => get::run(&arguments, oversight).await,
        Command::Artifacts(Artifacts::Download(arguments)) => {
            artifacts::download(&arguments, oversight).await
        }
        Command::Artifacts(Artifacts::List(arguments)) => {
            artifacts::list(&arguments, oversight).await
        }
        Command::Ls(arguments) => ls::run(&arguments, oversight).await,
        Command::Cat(arguments) => cat::run(&arguments, oversight).await,
        Command::Verify(arguments) => verify::run(&arguments, oversight).await,
        Command::Resolve(arguments) => resolve::run(&arguments, oversight).await,
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

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;
    use crate::args::command;

    #[test]
    fn what_the_machine_denies_ends_with_4_and_is_on_record_whatever_the_command() {
        let home = tempfile::tempdir().expect("a directory");
        let at = |name: &str| home.path().join(name).display().to_string();
        for (name, text) in [("store/a", "aaaa"), ("secret/a", "aaaa")] {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let config = format!(
            "[audit]\nlog = \"{}\"\n[[policy.rules]]\nname = \"the store\"\nallow = [\"{}\"]\n",
            at("log"),
            at("store"),
        );
        std::fs::write(at("config.toml"), config).expect("written");
        let run = |line: &[&str]| {
            let line = line.iter().map(|word| word.replace("HOME", &at("")));
            let line = ["mlfetch".to_owned()].into_iter().chain(line);
            let matches = command().try_get_matches_from(line).expect("a command line");
            let cli = Cli::from_arg_matches(&matches).expect("a command");
            run_under(cli, Path::new(&at("config.toml")))
        };
        let lock = ["get", "-q", "HOMEstore/", "-d", "HOMEout", "--lock", "HOMElock"];
        assert_eq!(run(&lock), Exit::Done);
        let text = std::fs::read_to_string(at("lock")).expect("a lock");
        std::fs::write(at("lock"), text.replace("/store", "/secret")).expect("written");
        let denied: [&[&str]; 8] = [
            &["get", "HOMEsecret/", "-d", "HOMEout"],
            &["get", "HOMEstore/../secret/", "-d", "HOMEout", "--allow", "**"],
            &["get", "-d", "HOMEout", "--lock", "HOMElock", "--locked"],
            &["artifacts", "download", "-u", "HOMEsecret", "-d", "HOMEout"],
            &["ls", "HOMEsecret"],
            &["cat", "HOMEsecret/a"],
            &["resolve", "HOMEsecret"],
            &["verify", "HOMEout", "HOMEsecret/"],
        ];
        for line in denied {
            assert_eq!(run(line), Exit::Refused, "{line:?}");
        }
        let log = std::fs::read_to_string(at("log")).expect("a log");
        let records: Vec<&str> = log.lines().skip(1).collect();
        assert_eq!(records.len(), denied.len(), "{log}");
        for record in records {
            assert!(record.contains("\"outcome\":\"refused\""), "{record}");
            assert!(record.contains("no rule of"), "{record}");
        }
    }
}
