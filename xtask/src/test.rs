//! `cargo xtask test`: every test, against real servers.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::metadata::Metadata;
use crate::services::compose::Compose;
use crate::services::{Service, Session, Tools, Variables};
use crate::{command, report, searched};

#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Run the servers in containers, by docker-compose.yml
    #[arg(long)]
    compose: bool,
    /// Arguments for `cargo test`; `-p CRATE` narrows what is built and run
    #[arg(last = true)]
    cargo: Vec<OsString>,
}

/// Starts the servers, runs the tests, stops the servers; the exit code is that of `cargo test`. A
/// secret of a server in anything that is printed, also by a test that passes, is a failure.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let tools = Tools::install()?;
    let mut services = Service::ALL.to_vec();
    services.retain(|service| service.is_for_tests());
    if !arguments.compose {
        services.iter().try_for_each(|service| service.install(&tools))?;
    }
    // Compiled first: an error in the code is seen before any server is started.
    let code = cargo_test(&build_arguments(&arguments.cargo), &Variables::new())?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let program = program(&arguments.cargo)?;
    report::say("starting the servers");
    if arguments.compose {
        let compose = Compose::start(&tools)?;
        cargo_test(&loud(&arguments.cargo), &with_program(compose.variables(), &program))
    } else {
        let session = Session::start(&services, &tools)?;
        cargo_test(&loud(&arguments.cargo), &with_program(session.variables(), &program))
    }
}

/// The program that the end-to-end tests run. Building the tests of the whole workspace builds it;
/// built by itself it would have other features of shared packages, and compile them once more.
fn program(arguments: &[OsString]) -> Result<PathBuf> {
    if selects_packages(arguments) {
        command::run(command::cargo().args(["build", "--package=mlfetch-cli", "--all-features"]))?;
    }
    Ok(Metadata::read()?.program("debug", "mlfetch"))
}

/// Compiles all tests, and with them the program.
pub(crate) fn build() -> Result<()> {
    match cargo_test(&build_arguments(&[]), &Variables::new())? {
        ExitCode::SUCCESS => Ok(()),
        _ => bail!("the tests do not compile"),
    }
}

fn with_program(variables: &Variables, program: &Path) -> Variables {
    let mut variables = variables.clone();
    variables.insert("MLFETCH_TEST_PROGRAM".to_owned(), program.display().to_string());
    variables
}

fn cargo_test(arguments: &[OsString], variables: &Variables) -> Result<ExitCode> {
    let mut cargo = command::cargo();
    cargo.args(["test", "--all-features"]);
    if !selects_packages(arguments) {
        cargo.arg("--workspace");
    }
    // A test whose server is missing skips itself elsewhere; here that would hide a failure.
    cargo.args(arguments).envs(variables).env("MLFETCH_TEST_REQUIRED", "1");
    let status = searched::status(&mut cargo, &searched::secrets(variables))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The same selection, compiled and not run; what follows `--` is for the tests themselves.
fn build_arguments(arguments: &[OsString]) -> Vec<OsString> {
    let mut build: Vec<OsString> =
        arguments.iter().take_while(|argument| *argument != "--").cloned().collect();
    build.push("--no-run".into());
    build
}

/// The same, and what passing tests print is shown too: it is searched.
fn loud(arguments: &[OsString]) -> Vec<OsString> {
    let mut loud = arguments.to_vec();
    if !loud.iter().any(|argument| argument == "--") {
        loud.push("--".into());
    }
    loud.push("--show-output".into());
    loud
}

fn selects_packages(arguments: &[OsString]) -> bool {
    let names = arguments.iter().take_while(|argument| *argument != "--");
    names.into_iter().any(|argument| {
        let text = argument.to_string_lossy();
        text.starts_with("--package") || (text.starts_with("-p") && !text.starts_with("--"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn arguments_of_the_tests_do_not_reach_the_build() {
        let build = build_arguments(&words("-p mlfetch-http listing -- --nocapture"));
        assert_eq!(build, words("-p mlfetch-http listing --no-run"));
    }

    #[test]
    fn what_passing_tests_print_is_shown() {
        assert_eq!(loud(&words("name")), words("name -- --show-output"));
        assert_eq!(loud(&words("name -- --exact")), words("name -- --exact --show-output"));
    }

    #[test]
    fn a_chosen_package_replaces_the_workspace() {
        assert!(selects_packages(&words("-p mlfetch-http")));
        assert!(selects_packages(&words("-pmlfetch-http")));
        assert!(selects_packages(&words("--package=mlfetch-http")));
        assert!(!selects_packages(&words("name -- -p")));
    }
}
