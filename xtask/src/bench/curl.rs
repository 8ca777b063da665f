//! The floor: curl knows every name beforehand, signs nothing and checks nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Gets each URL into the file of that name below a place. The list of them goes to `list`.
pub(super) fn command<'a>(
    list: &Path,
    place: &Path,
    files: impl Iterator<Item = (String, &'a str)>,
) -> Result<Command> {
    let lines = files.map(|(url, name)| format!("url = \"{url}\"\noutput = {name}\n"));
    fs::write(list, lines.collect::<String>()).context("cannot write curl's list")?;
    let mut command = Command::new("curl");
    command.args(["-sS", "--fail", "--location", "--parallel", "--parallel-max", "32"]);
    command.args(["--create-dirs", "-K"]).arg(list).current_dir(place);
    Ok(command)
}
