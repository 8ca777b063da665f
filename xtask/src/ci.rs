//! `cargo xtask ci`: what must hold before a change is merged, in the order of its cost.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::services::{Tools, compose};
use crate::table::Table;
use crate::{chaos, command, deny, deps, docs, fuzz, layers, report, test, workspace};

type Check = (&'static str, fn() -> Result<()>);

const CHECKS: [Check; 15] = [
    ("format", format),
    ("clippy", clippy),
    ("rustdoc", rustdoc),
    ("layers", layers::run),
    ("deps", deps::run),
    ("build", test::build),
    ("reference", reference),
    ("licences", deny::run),
    ("compose file", compose_file),
    ("examples", examples),
    ("fuzzing", fuzzing),
    ("tests", test_suite),
    ("chaos", chaos),
    ("kill", kill),
    ("torture", torture),
];

/// Runs the checks up to the first that fails, and says how long each took.
pub(crate) fn run() -> Result<ExitCode> {
    let mut timings = Vec::new();
    for (name, check) in CHECKS {
        report::say(&format!("== {name}"));
        let begun = Instant::now();
        let result = check();
        timings.push((name, begun.elapsed(), result.is_ok()));
        if let Err(error) = result {
            report::say(&summary(&timings));
            return Err(error.context(format!("the check `{name}` failed")));
        }
    }
    report::say(&summary(&timings));
    Ok(ExitCode::SUCCESS)
}

fn summary(timings: &[(&str, Duration, bool)]) -> String {
    let mut table = Table::new(["check", "seconds", "result"]);
    for (name, time, passed) in timings {
        let result = if *passed { "passed" } else { "FAILED" };
        table.row(&[(*name).to_owned(), format!("{:.1}", time.as_secs_f64()), result.to_owned()]);
    }
    table.markdown()
}

fn format() -> Result<()> {
    command::run(command::cargo().args(["fmt", "--all", "--check"]))?;
    command::run(command::cargo().args(["fmt", "--manifest-path=fuzz/Cargo.toml", "--check"]))
}

fn clippy() -> Result<()> {
    let mut cargo = command::cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--all-features", "--locked"]);
    command::run(cargo.args(["--", "-D", "warnings"]))
}

fn rustdoc() -> Result<()> {
    let mut cargo = command::cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--all-features", "--locked"]);
    command::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}

fn reference() -> Result<()> {
    docs::run(&docs::Arguments::check_as_built())
}

fn compose_file() -> Result<()> {
    if compose::is_available() {
        let mut docker = Command::new("docker");
        return command::run(
            docker.args(["compose", "config", "-q"]).current_dir(workspace::root()),
        );
    }
    let script = "import sys, yaml; yaml.safe_load(open(sys.argv[1]))['services']";
    let mut python = Command::new(Tools::install()?.python.interpreter());
    let file = workspace::root().join("docker-compose.yml");
    command::capture(python.args(["-c", script]).arg(file))?;
    report::say("docker-compose.yml is YAML; NOT CHECKED further, for lack of `docker compose`");
    Ok(())
}

/// Examples are packages of their own, as an embedder's would be, but share what was compiled.
fn examples() -> Result<()> {
    let target = Metadata::read()?.target_directory;
    for manifest in example_manifests()? {
        let mut cargo = command::cargo();
        cargo.arg("build").arg("--manifest-path").arg(manifest).arg("--target-dir").arg(&target);
        command::run(&mut cargo)?;
    }
    Ok(())
}

fn example_manifests() -> Result<Vec<PathBuf>> {
    let folder = workspace::root().join("examples");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
    let mut manifests = Vec::new();
    for entry in entries {
        let manifest = entry?.path().join("Cargo.toml");
        if manifest.is_file() {
            manifests.push(manifest);
        }
    }
    manifests.sort_unstable();
    Ok(manifests)
}

/// A short look; a long one is `cargo xtask fuzz`.
fn fuzzing() -> Result<()> {
    fuzz::run(&fuzz::Arguments::for_ci())
}

fn test_suite() -> Result<()> {
    if test::run(&test::Arguments::default())? != ExitCode::SUCCESS {
        bail!("tests failed; `cargo xtask test -- NAME` runs one of them");
    }
    Ok(())
}

/// The program as the tests know it, before servers that fail. `docs/reliability.md` has longer runs.
fn chaos() -> Result<()> {
    chaos::run(&chaos::Arguments::for_ci(built_program()?))
}

/// The same, ended at random moments and run again.
fn kill() -> Result<()> {
    chaos::kill::run(&chaos::kill::Arguments::for_ci(built_program()?))
}

/// The check `build` built it.
fn built_program() -> Result<PathBuf> {
    Ok(Metadata::read()?.program("debug", "mlfetch"))
}

/// With failing system calls and more; a long look is `cargo xtask torture`.
fn torture() -> Result<()> {
    chaos::torture::run(&chaos::torture::Arguments::for_ci(built_program()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_stands_out() {
        let timings = [
            ("format", Duration::from_millis(1234), true),
            ("clippy", Duration::from_mins(1), false),
        ];
        let text = summary(&timings);
        assert!(text.contains("| format | 1.2     | passed |"), "{text}");
        assert!(text.contains("| clippy | 60.0    | FAILED |"), "{text}");
    }
}
