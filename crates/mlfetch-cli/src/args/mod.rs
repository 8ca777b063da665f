//! What can be typed. Each flag is defined once; parser, help, manual page, completions and
//! reference come from here.

#![expect(clippy::doc_markdown, reason = "these comments are help texts, read at a terminal")]

mod backend;
mod connection;
mod fetch;
mod listing;
mod source;
mod values;
mod verify;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

pub(crate) use backend::BackendArgs;
pub(crate) use connection::ConnectionArgs;
pub(crate) use fetch::FetchArgs;
pub(crate) use listing::ListArgs;
pub(crate) use source::{Asked, MlflowSource, RunSource, Source};
pub(crate) use values::ProgressStyle;
pub(crate) use verify::VerifyArgs;

const AFTER_HELP: &str = "\
Examples:
  mlfetch get models:/fraud@champion -d ./model
  mlfetch get runs:/0a1b2c3d4e5f60718293a4b5c6d7e8f9/plots -d . --include '*.png'
  mlfetch artifacts download -r RUN_ID -a model -d ./model   (MLflow's own flags)

Every flag is also an environment variable: --dst-path is MLFETCH_DST_PATH. MLflow's variables count
as they do in MLflow. Exit codes: 0 done, 1 other failure, 2 usage or bad URI, 3 not found, 4 not
signed in or refused, 5 network, 6 integrity, 7 destination, 8 some files failed, 9 nothing matched,
130 and 143 interrupted.";

/// Brings MLflow artifacts to disk: whole, checked, and straight from where they lie.
#[derive(Debug, Parser)]
#[command(name = "mlfetch", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring a model, a run's artifacts or any artifact URI to disk
    ///
    /// Prints the path of what was fetched. Files that are there and did not change are left alone;
    /// every file is checked before it gets its name.
    #[command(visible_alias = "download")]
    Get(Box<GetArgs>),
    /// MLflow's own commands, with MLflow's own flags
    #[command(subcommand)]
    Artifacts(Artifacts),
    /// List what an artifact URI names
    Ls(Box<LsArgs>),
    /// Write the bytes of one file to standard output
    Cat(Box<CatArgs>),
    /// Compare a directory with a manifest, a list of checksums, or what a URI names now
    ///
    /// Prints each file that differs. Exits with code 6 if one has changed; files that are missing or
    /// too much are a warning, unless flags say otherwise. Writes nothing.
    Verify(Box<VerifyCommandArgs>),
    /// Look after audit logs
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Show where an artifact URI leads, hop by hop
    Resolve(Box<ResolveArgs>),
    /// Print a completion script for a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write all of them into a directory
    Man {
        /// Where to write one page for each command
        #[arg(value_hint = ValueHint::DirPath)]
        directory: Option<std::path::PathBuf>,
    },
    /// Write the reference of commands, options, variables and exit codes
    #[command(hide = true)]
    GenerateDocs {
        /// Where to write it
        directory: std::path::PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Artifacts {
    /// Download as `mlflow artifacts download` does: same flags, same places, same line printed
    ///
    /// Existing files are overwritten, as by MLflow, unless --overwrite says otherwise.
    Download(Box<DownloadArgs>),
    /// List a directory of a run as `mlflow artifacts list` does
    List(Box<ArtifactsListArgs>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Find a record that was changed, removed, added or moved
    ///
    /// Prints how many records there are and the hash of the last one. Kept elsewhere, that hash
    /// shows later whether the end was cut off.
    Verify(AuditVerifyArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditVerifyArgs {
    /// The log
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: std::path::PathBuf,
    /// Fail if no record has this hash, which an earlier check printed
    #[arg(long, value_name = "SHA256", env = "MLFETCH_EXPECT_HASH", hide_env = true)]
    pub(crate) expect_hash: Option<String>,
    /// Print JSON
    #[arg(long, env = "MLFETCH_JSON", hide_env = true)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DownloadArgs {
    #[command(flatten)]
    pub(crate) source: MlflowSource,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ArtifactsListArgs {
    #[command(flatten)]
    pub(crate) source: RunSource,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LsArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CatArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyCommandArgs {
    /// The directory
    #[arg(value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub(crate) directory: std::path::PathBuf,
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) verify: VerifyArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResolveArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print JSON
    #[arg(long, env = "MLFETCH_JSON")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// What an audit log says of a command.
pub(crate) struct Recorded<'a> {
    pub(crate) name: &'static str,
    /// What was asked for, as it was given.
    pub(crate) given: String,
    pub(crate) connection: &'a ConnectionArgs,
}

impl Command {
    /// What is put on record; nothing of a command that asks nobody for anything.
    pub(crate) fn recorded(&self) -> Option<Recorded<'_>> {
        let (name, given, connection) = match self {
            Self::Get(get) => ("get", get.source.given(), &get.connection),
            Self::Artifacts(Artifacts::Download(get)) => {
                ("artifacts download", get.source.given(), &get.connection)
            }
            Self::Artifacts(Artifacts::List(list)) => {
                ("artifacts list", list.source.given(), &list.connection)
            }
            Self::Ls(ls) => ("ls", ls.source.given(), &ls.connection),
            Self::Cat(cat) => ("cat", cat.source.given(), &cat.connection),
            Self::Resolve(resolve) => ("resolve", resolve.source.given(), &resolve.connection),
            Self::Verify(verify) if verify.source.is_given() => {
                ("verify", verify.source.given(), &verify.connection)
            }
            _ => return None,
        };
        Some(Recorded { name, given, connection })
    }
}

impl Cli {
    /// Reads the command line and the environment.
    pub(crate) fn from_command_line() -> Result<Self, clap::Error> {
        let matches = command().try_get_matches()?;
        Self::from_arg_matches(&matches)
    }
}

/// The whole command, as parser, help, manual page and completions see it.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_flag_that_takes_a_value_is_also_a_variable() {
        let mut commands = vec![command()];
        while let Some(command) = commands.pop() {
            for argument in command.get_arguments().filter(|argument| argument.get_long().is_some())
            {
                let name = argument.get_long().unwrap_or_default();
                let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
                let expected = format!("MLFETCH_{}", name.to_uppercase().replace('-', "_"));
                assert_eq!(variable, Some(expected), "{} --{name}", command.get_name());
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
