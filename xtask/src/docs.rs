//! `cargo xtask docs`: the generated reference, written by the command line program itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::{command, report, workspace};

const REFERENCE: &str = "docs/reference";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Fail when the reference is not what the program would write, and change nothing
    #[arg(long)]
    check: bool,
    /// Take the program as it was built last
    #[arg(long)]
    no_build: bool,
}

impl Arguments {
    /// As given by `--check --no-build`.
    pub(crate) fn check_as_built() -> Self {
        Self { check: true, no_build: true }
    }
}

/// File contents by path below the reference's directory.
type Pages = BTreeMap<PathBuf, Vec<u8>>;

/// Writes the reference, or compares it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let generated = generate(arguments.no_build)?;
    let place = workspace::root().join(REFERENCE);
    if arguments.check {
        let problems = differences(&generated, &read_pages(&place)?);
        if !problems.is_empty() {
            bail!(
                "the reference is not current; run `cargo xtask docs`:\n  {}",
                problems.join("\n  ")
            );
        }
        report::say("docs: the reference is current");
        return Ok(());
    }
    replace(&place, &generated)
}

fn generate(no_build: bool) -> Result<Pages> {
    if !no_build {
        command::run(command::cargo().args(["build", "--package=mlfetch-cli"]))?;
    }
    let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
    let program = Metadata::read()?.program("debug", "mlfetch");
    command::run(Command::new(program).arg("generate-docs").arg(directory.path()))?;
    read_pages(directory.path())
}

fn replace(place: &Path, pages: &Pages) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place).with_context(|| format!("cannot replace `{REFERENCE}`"))?;
    }
    for (name, content) in pages {
        let path = place.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        fs::write(&path, content).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    report::say(&format!("docs: wrote {} pages to {REFERENCE}", pages.len()));
    Ok(())
}

fn differences(generated: &Pages, present: &Pages) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, content) in generated {
        match present.get(name) {
            None => problems.push(format!("`{}` is missing", name.display())),
            Some(old) if old != content => problems.push(format!("`{}` is old", name.display())),
            Some(_) => {}
        }
    }
    for name in present.keys().filter(|name| !generated.contains_key(*name)) {
        problems.push(format!("`{}` is written by nothing", name.display()));
    }
    problems
}

fn read_pages(root: &Path) -> Result<Pages> {
    let mut pages = Pages::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        if !folder.exists() {
            continue;
        }
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("cannot list `{}`", folder.display()))?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content =
                    fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
                pages.insert(path.strip_prefix(root)?.to_path_buf(), content);
            }
        }
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(list: &[(&str, &str)]) -> Pages {
        list.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn written_pages_are_current() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let wanted = pages(&[("flags.md", "# Flags"), ("commands/get.md", "# get")]);
        replace(directory.path(), &wanted).expect("an empty directory can be replaced");
        let present = read_pages(directory.path()).expect("the pages are there");
        assert!(differences(&wanted, &present).is_empty());
    }

    #[test]
    fn each_way_to_be_outdated_is_said() {
        let generated = pages(&[("a.md", "new"), ("b.md", "")]);
        let problems = differences(&generated, &pages(&[("a.md", "old"), ("c.md", "")]));
        assert_eq!(
            problems,
            ["`a.md` is old", "`b.md` is missing", "`c.md` is written by nothing"]
        );
    }
}
