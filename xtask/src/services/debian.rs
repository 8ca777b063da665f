//! Servers out of Debian packages, unpacked into the cache instead of installed on the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cache::Cache;
use crate::command;

/// An unpacked package with those of its dependencies that the machine lacks.
pub(crate) struct Debian {
    root: PathBuf,
}

impl Debian {
    /// Installs the first of `candidates` that the package index knows.
    pub(crate) fn install(cache: &Cache, candidates: &[&str]) -> Result<Self> {
        let (package, version) = find(candidates)?;
        let name = format!("{package}-{}", version.replace([':', '~'], "-"));
        let root = cache.install(&name, |partial| unpack(partial, &package))?;
        Ok(Self { root })
    }

    /// A file of the package, by its path on an ordinary system without the leading `/`.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The unpacked tree.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A command whose program finds the libraries that were unpacked beside it.
    pub(crate) fn command(&self, program: &str) -> Result<Command> {
        let mut command = Command::new(self.path(program));
        command.env("LD_LIBRARY_PATH", library_path(&self.root)?);
        Ok(command)
    }
}

/// The directories of an unpacked tree that hold its shared libraries.
pub(crate) fn library_path(root: &Path) -> Result<String> {
    let mut directories = Vec::new();
    for parent in ["usr/lib", "lib"] {
        let parent = root.join(parent);
        if let Ok(entries) = std::fs::read_dir(&parent) {
            let names = entries.filter_map(Result::ok).map(|entry| entry.path());
            directories.extend(names.filter(|path| is_multiarch(path)));
        }
    }
    let joined = std::env::join_paths(directories).context("the cache's path holds a `:`")?;
    Ok(joined.to_string_lossy().into_owned())
}

/// Debian keeps libraries in a directory named after the machine, as in `x86_64-linux-gnu`.
fn is_multiarch(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains("-linux-gnu"))
}

fn find(candidates: &[&str]) -> Result<(String, String)> {
    for package in candidates {
        let mut policy = Command::new("apt-cache");
        let text = command::capture(policy.args(["policy", package])).context(
            "this server comes from a Debian package; elsewhere use `cargo xtask test --compose`",
        )?;
        if let Some(version) = candidate(&text) {
            return Ok(((*package).to_owned(), version));
        }
    }
    bail!("no package {}: is `apt-get update` due?", candidates.join(" or "))
}

fn candidate(policy: &str) -> Option<String> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then(|| version.to_owned())
}

fn unpack(partial: &Path, package: &str) -> Result<()> {
    let downloads = tempfile::tempdir().context("cannot make a temporary directory")?;
    let packages = wanted(package)?;
    if download(downloads.path(), &packages).is_err() {
        // An index older than the archive names versions that are no longer there.
        command::capture(Command::new("apt-get").arg("update"))
            .context("the package index is old and updating it needs more rights")?;
        download(downloads.path(), &wanted(package)?)?;
    }
    for entry in std::fs::read_dir(downloads.path())? {
        let archive = entry?.path();
        if archive.extension().is_some_and(|extension| extension == "deb") {
            command::capture(Command::new("dpkg-deb").arg("-x").arg(archive).arg(partial))?;
        }
    }
    Ok(())
}

fn download(directory: &Path, packages: &[String]) -> Result<()> {
    let mut apt = Command::new("apt-get");
    command::capture(apt.arg("download").args(packages).current_dir(directory)).map(drop)
}

/// The package, and all that an installation of it would newly bring.
fn wanted(package: &str) -> Result<Vec<String>> {
    let mut apt = Command::new("apt-get");
    apt.args(["install", "--simulate", "--no-install-recommends", package]);
    let mut packages = newly_installed(&command::capture(&mut apt)?);
    packages.push(package.to_owned());
    packages.sort_unstable();
    packages.dedup();
    Ok(packages)
}

/// Packages that the simulation would install; those it would only upgrade are good as they are.
fn newly_installed(simulation: &str) -> Vec<String> {
    let lines = simulation.lines().filter_map(|line| line.strip_prefix("Inst "));
    let new =
        lines.filter_map(|line| line.split_once(' ')).filter(|(_, rest)| !rest.starts_with('['));
    new.map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_is_not_a_missing_package() {
        let simulation = "Reading package lists...\n\
            Inst libaio1 (0.3.113-4 Debian:12.15/oldstable [amd64])\n\
            Inst libpq5 [15.18-0] (15.20-0 Debian-Security:12 [amd64])\n\
            Conf libaio1 (0.3.113-4 Debian:12.15/oldstable [amd64])\n";
        assert_eq!(newly_installed(simulation), ["libaio1"]);
    }

    #[test]
    fn a_package_without_candidate_does_not_exist() {
        assert_eq!(candidate("x:\n  Installed: (none)\n  Candidate: (none)\n"), None);
        let known = "x:\n  Installed: (none)\n  Candidate: 1.22-9\n";
        assert_eq!(candidate(known).as_deref(), Some("1.22-9"));
    }
}
