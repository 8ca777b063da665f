//! `mlfetch generate-docs`: the reference, written by the program that it describes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::{Arg, Command};
use mlfetch::builtin_options;

use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;

const HEAD: &str = "<!-- Written by `cargo xtask docs`. Do not edit. -->\n\n";

pub(super) fn run(directory: &Path) -> Result<(), Failure> {
    let mut command = args::command();
    command.build();
    let pages = [
        ("commands.md", commands_page(&command)),
        ("environment.md", environment_page(&command)),
        ("exit-codes.md", exit_codes_page()),
        ("audit-log.md", include_str!("../../reference/audit-log.md").to_owned()),
        ("manifest.md", include_str!("../../reference/manifest.md").to_owned()),
    ];
    fs::create_dir_all(directory).map_err(|error| not_written(directory, &error))?;
    for (name, text) in pages {
        let path = directory.join(name);
        let text = format!("{HEAD}{}\n", text.trim_end());
        fs::write(&path, text).map_err(|error| not_written(&path, &error))?;
    }
    Ok(())
}

fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::said(&format!("cannot write `{}`: {error}", path.display()), None)
}

fn commands_page(command: &Command) -> String {
    let mut text = "# Commands\n\n".to_owned();
    describe(command, &mut text);
    text
}

/// One command and those below it, each with its flags.
fn describe(command: &Command, text: &mut String) {
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    if command.get_subcommands().next().is_none() {
        let name = command.get_bin_name().unwrap_or(command.get_name());
        let about = command.get_long_about().or(command.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "## `{name}`\n\n{about}\n");
        flags(command, text);
    }
    shown.for_each(|below| describe(below, text));
}

fn flags(command: &Command, text: &mut String) {
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set() && argument.get_id() != "help")
        .collect();
    if arguments.is_empty() {
        return;
    }
    text.push_str("| argument | meaning | default |\n|---|---|---|\n");
    for argument in arguments {
        let defaults: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect();
        let default = if takes_value(argument) { defaults.join(" ") } else { String::new() };
        let _ = writeln!(text, "| {} | {} | {default} |", spelled(argument), help(argument));
    }
    text.push('\n');
}

fn takes_value(argument: &Arg) -> bool {
    argument.get_action().takes_values()
}

/// As it is typed: `-d`, `--dst-path DIRECTORY`.
fn spelled(argument: &Arg) -> String {
    let name = argument.get_value_names().and_then(|names| names.first());
    let name = name.map(clap::builder::Str::as_str).unwrap_or_default();
    let Some(long) = argument.get_long() else { return format!("`{name}`") };
    let long = match argument.get_action().takes_values() {
        true if argument.is_require_equals_set() => format!("`--{long}`, `--{long}={name}`"),
        true => format!("`--{long} {name}`"),
        false => format!("`--{long}`"),
    };
    argument.get_short().map_or(long.clone(), |short| format!("`-{short}`, {long}"))
}

/// The help text and the words that a flag takes.
fn help(argument: &Arg) -> String {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let mut text = help.replace('|', "\\|").replace('\n', " ");
    let words = argument.get_possible_values();
    if takes_value(argument) && !words.is_empty() {
        for word in words.iter().filter(|word| !word.is_hide_set()) {
            let meaning = word.get_help().map(ToString::to_string).unwrap_or_default();
            let _ = write!(text, "<br>`{}`: {meaning}", word.get_name());
        }
    }
    text
}

fn environment_page(command: &Command) -> String {
    let mut text = "# Environment variables\n\n## Of mlfetch\n\nEach stands for the flag of its name. \
        `MLFETCH_ALLOW`, `MLFETCH_INCLUDE`, `MLFETCH_EXCLUDE` and `MLFETCH_REWRITE` hold one value a \
        line. A flag wins over its variable. A switch is on for `1`, `true`, `yes`, and off for `0`, `false`, `no` \
        and empty text.\n\n"
        .to_owned();
    let mut rows = Vec::new();
    collect_variables(command, &mut rows);
    rows.sort();
    rows.dedup();
    text.push_str("| variable | stands for |\n|---|---|\n");
    for (variable, flag) in rows {
        let _ = writeln!(text, "| `{variable}` | `{flag}` |");
    }
    text.push_str("\n## Of stores\n\nThe first that is set counts; the flag wins over all.\n\n");
    text.push_str("| setting | variables | default | meaning |\n|---|---|---|---|\n");
    for spec in builtin_options() {
        let flag = if spec.secret { String::new() } else { format!("`--{}`", spec.name) };
        let names: Vec<String> = spec.env.iter().map(|name| format!("`{name}`")).collect();
        let default = spec.default.unwrap_or_default();
        let _ = writeln!(text, "| {flag} | {} | {default} | {} |", names.join(", "), spec.help);
    }
    text.push_str(MLFLOW_VARIABLES);
    text
}

fn collect_variables(command: &Command, rows: &mut Vec<(String, String)>) {
    for argument in command.get_arguments() {
        if let Some(variable) = argument.get_env() {
            let flag = argument.get_long().map_or("URI".to_owned(), |long| format!("--{long}"));
            rows.push((variable.to_string_lossy().into_owned(), flag));
        }
    }
    command.get_subcommands().for_each(|below| collect_variables(below, rows));
}

fn exit_codes_page() -> String {
    let mut text = "# Exit codes\n\n| code | meaning |\n|---|---|\n".to_owned();
    for exit in Exit::ALL {
        let _ = writeln!(text, "| {} | {} |", exit.code(), exit.meaning());
    }
    text.push_str(
        "\n`mlfetch artifacts …` exits with 2 for flags only, as MLflow does; a URI, run id or path \
         that cannot be meant is 1 there.\n",
    );
    text
}

const MLFLOW_VARIABLES: &str = "
## Of MLflow

| variable | meaning |
|---|---|
| `MLFLOW_TRACKING_URI`, `MLFLOW_REGISTRY_URI` | where runs and models are looked up |
| `MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD`, `MLFLOW_TRACKING_TOKEN` | who asks the tracking server; else `~/.mlflow/credentials` |
| `MLFLOW_TRACKING_AWS_SIGV4` | sign requests to the tracking server for AWS |
| `MLFLOW_TRACKING_INSECURE_TLS`, `MLFLOW_TRACKING_SERVER_CERT_PATH`, `MLFLOW_TRACKING_CLIENT_CERT_PATH` | TLS of the tracking server |
| `MLFLOW_WORKSPACE` | the workspace, where the server has them |
| `MLFLOW_HTTP_REQUEST_MAX_RETRIES`, `MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR`, `MLFLOW_HTTP_REQUEST_TIMEOUT`, `MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER`, `MLFLOW_ALLOW_HTTP_REDIRECTS` | how patiently the tracking server is asked |
| `NO_COLOR` | no colours |
";
