//! Licences, banned packages, sources and advisories, by cargo-deny and `deny.toml`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::services::Cache;
use crate::{command, report, workspace};

const VERSION: &str = "0.20.2";

/// Checks what needs no network, then advisories where their database can be had.
pub(crate) fn run() -> Result<()> {
    let program = install()?;
    command::run(deny(&program).args(["check", "licenses", "bans", "sources"]))?;
    // The database is a git repository, which a closed network does not let through.
    if command::succeeds(deny(&program).args(["fetch", "db"])) {
        return command::run(deny(&program).args(["check", "--disable-fetch", "advisories"]));
    }
    report::say("NOT CHECKED: advisories, because their database cannot be reached from here");
    Ok(())
}

/// Takes a few minutes to compile, once per version.
fn install() -> Result<PathBuf> {
    let cache = Cache::open()?;
    let place = cache.install(&format!("cargo-deny-{VERSION}"), |partial| {
        let mut cargo = command::cargo();
        cargo.args(["install", "cargo-deny", "--locked", "--version", VERSION, "--root"]);
        command::run(cargo.arg(partial))
    })?;
    Ok(place.join("bin/cargo-deny"))
}

fn deny(program: &PathBuf) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    command
}
