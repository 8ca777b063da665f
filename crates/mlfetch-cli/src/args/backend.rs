//! The settings of the backends: one flag for each row, none for secrets.

use clap::{Arg, ArgAction, ArgMatches};
use mlfetch::{OptionSpec, Options, builtin_options};

/// What was given for the backends' rows. Secrets are taken from variables only: a command line can
/// be read by every user of the machine.
#[derive(Debug, Default)]
pub(crate) struct BackendArgs(Vec<(&'static str, String)>);

impl BackendArgs {
    pub(crate) fn options(&self) -> Options {
        self.0.iter().fold(Options::new(), |options, (name, value)| options.with(*name, value))
    }
}

impl clap::Args for BackendArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        let rows = builtin_options().into_iter().filter(|spec| !spec.secret);
        rows.fold(command, |command, spec| command.arg(argument(&spec)))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for BackendArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let rows = builtin_options().into_iter().filter(|spec| !spec.secret);
        let given = rows
            .filter_map(|spec| Some((spec.name, matches.get_one::<String>(spec.name)?.clone())));
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A row that is off by default needs no value to be on.
fn argument(spec: &OptionSpec) -> Arg {
    let argument = Arg::new(spec.name)
        .long(spec.name)
        .help(spec.help)
        .help_heading("Stores")
        .action(ArgAction::Set)
        .value_name(if spec.default == Some("false") { "BOOLEAN" } else { "VALUE" });
    let argument = match variable(spec) {
        Some(name) => argument.env(name).hide_env(true).hide_env_values(true),
        None => argument,
    };
    if spec.default == Some("false") {
        return argument.num_args(0..=1).require_equals(true).default_missing_value("true");
    }
    argument
}

/// The variable of our own; those of others are read with the rows.
fn variable(spec: &OptionSpec) -> Option<&'static str> {
    spec.env.iter().copied().find(|name| name.starts_with("MLFETCH_"))
}
