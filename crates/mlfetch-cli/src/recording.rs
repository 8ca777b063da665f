//! The record of what a command does.

use std::path::Path;

use mlfetch::audit::{Attempt, Audit, Ending};
use mlfetch::{ErrorKind, FileError};

use crate::args::Command;
use crate::config::SystemConfig;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::oversight::Oversight;
use crate::printer;

/// What is written as the program that did it.
const TOOL: &str = concat!("mlfetch ", env!("CARGO_PKG_VERSION"));

/// Begins the record of a command; of one that asks nobody for anything there is none.
pub(crate) fn begin(command: &Command, system: &Path) -> Result<Oversight, Failure> {
    let Some(recorded) = command.recorded() else {
        return Ok(Oversight { attempt: Audit::new(TOOL).attempt("", ""), policy: None });
    };
    let SystemConfig { audit, policy } = SystemConfig::read(system)?;
    let audit = recorded.connection.audit(Audit::new(TOOL), audit)?;
    let attempt = audit.attempt(recorded.name, &recorded.given);
    attempt.begin()?;
    Ok(Oversight { attempt, policy })
}

/// Ends it. A record that cannot be written is a failure where nothing may be done without one.
pub(crate) fn end(attempt: &Attempt, ending: &Ending) -> Result<(), Failure> {
    match attempt.end(ending) {
        Err(error) if attempt.is_strict() => Err(error.into()),
        Err(error) => {
            printer::warning(&format!("this is not on record: {error}"));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// How a failure is put on record.
pub(crate) fn failed(failure: &Failure, exit: Exit) -> Ending {
    let (message, code) = (failure.message(), exit.code());
    let of_kind = |kind: ErrorKind| Ending::of_kind(kind, &message, code);
    match failure {
        Failure::Store(error) => of_kind(error.kind()),
        Failure::File(file) => match &file.error {
            FileError::Store(error) => of_kind(error.kind()),
            FileError::Destination(_) => Ending::failed("destination", &message, code),
            _ => Ending::failed("name", &message, code),
        },
        Failure::Destination(_) => Ending::failed("destination", &message, code),
        Failure::Some(_) => Ending::failed("some-failed", &message, code),
        Failure::Usage(_) => Ending::failed("usage", "the command line", code),
        Failure::OutputClosed => Ending::done(),
        Failure::Said { exit, .. } => {
            let kind = match exit {
                Exit::Usage => "usage",
                Exit::Integrity => "integrity",
                Exit::Nothing => "nothing",
                _ => "other",
            };
            Ending::failed(kind, &message, code)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clap::FromArgMatches as _;

    use super::*;
    use crate::args::{Cli, command};

    /// The command of a line, with the machine's configuration in a directory.
    fn begun(line: &[&str], config: &str) -> (tempfile::TempDir, Result<Arc<Attempt>, Failure>) {
        let home = tempfile::tempdir().expect("a directory");
        let config = config.replace("HOME", &home.path().display().to_string());
        let path = home.path().join("config.toml");
        std::fs::write(&path, config).expect("written");
        let line = line.iter().map(|word| word.replace("HOME", &home.path().display().to_string()));
        let matches = command().try_get_matches_from(line).expect("a command line");
        let cli = Cli::from_arg_matches(&matches).expect("a command");
        let begun = begin(&cli.command, &path);
        (home, begun.map(|oversight| oversight.attempt))
    }

    const SYSTEM: &str = "[audit]\nlog = \"HOME/system\"\nstrict = true\n";

    #[test]
    fn no_flag_leaves_out_the_log_of_the_machine() {
        let line = ["mlfetch", "get", "s3://u:p@b/x", "--audit-log", "HOME/own"];
        let (home, attempt) = begun(&line, SYSTEM);
        let attempt = attempt.expect("begun");
        assert!(attempt.is_strict());
        end(&attempt, &Ending::interrupted(130)).expect("on record");
        let read = |name| std::fs::read_to_string(home.path().join(name)).expect(name);
        assert_eq!(read("system").lines().count(), 2, "its beginning and its end");
        assert_eq!(read("own").lines().count(), 1, "its end");
        assert!(read("own").contains("\"uri\":\"s3://b/x\""), "{}", read("own"));
    }

    #[test]
    fn a_command_that_asks_nobody_has_no_record() {
        let (home, attempt) = begun(&["mlfetch", "completion", "bash"], SYSTEM);
        end(&attempt.expect("begun"), &Ending::done()).expect("nothing to do");
        assert!(!home.path().join("system").exists());
    }

    #[test]
    fn where_the_beginning_cannot_be_put_on_record_nothing_begins() {
        let config = SYSTEM.replace("HOME/system", "HOME/none/system");
        let (_home, attempt) = begun(&["mlfetch", "ls", "x"], &config);
        assert_eq!(attempt.expect_err("no record").exit(), Exit::Destination);
        let (_home, attempt) = begun(&["mlfetch", "ls", "x"], "[audit");
        assert_eq!(attempt.expect_err("not understood").exit(), Exit::Usage);
        let (_home, attempt) = begun(&["mlfetch", "ls", "x", "--audit-strict"], "");
        assert_eq!(attempt.expect_err("strict without a log").exit(), Exit::Usage);
    }

    #[test]
    fn a_log_that_nobody_insists_on_stops_nothing() {
        let (_home, attempt) = begun(&["mlfetch", "ls", "x", "--audit-log", "HOME/none/log"], "");
        end(&attempt.expect("begun"), &Ending::done()).expect("a warning");
    }
}
