//! The parts of `cargo metadata` that the checks need.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command;

/// The workspace as cargo sees it.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    /// `Some([])` is how cargo says that a package is never published.
    pub(crate) publish: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

impl Metadata {
    pub(crate) fn read() -> Result<Self> {
        let mut cargo = command::cargo();
        let text = command::capture(cargo.args(["metadata", "--format-version=1", "--no-deps"]))?;
        serde_json::from_str(&text).context("cannot understand what `cargo metadata` printed")
    }

    /// The packages under `crates/`: the layers, without this tool and the end-to-end tests.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| {
            package
                .manifest_path
                .ancestors()
                .nth(2)
                .is_some_and(|folder| folder.ends_with("crates"))
        })
    }

    /// Where cargo puts programs built without `--release`.
    pub(crate) fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target_directory.join(profile).join(name)
    }
}

/// Names of all packages that a crate brings along with its default features, itself included.
pub(crate) fn tree(package: &str, arguments: &[&str]) -> Result<Vec<String>> {
    let mut cargo = command::cargo();
    cargo.args(["tree", "--edges=normal", "--prefix=none", "--package", package]).args(arguments);
    let text = command::capture(&mut cargo)?;
    Ok(unique_names(&text))
}

fn unique_names(tree: &str) -> Vec<String> {
    let mut names: Vec<String> =
        tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_names_each_package_once() {
        let tree = "top v0.1.0 (/somewhere)\nbytes v1.12.2\nserde v1.0.0\nbytes v1.12.2 (*)\n";
        assert_eq!(unique_names(tree), ["bytes", "serde", "top"]);
    }
}
