//! PostgreSQL.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use nix::unistd::{User, getuid};

use super::debian::{self, Debian};
use super::health::Health;
use super::launch::{self, Launch};
use super::{Cache, Tools, ports, secret};
use crate::command;

const DATABASE: &str = "mlflow";
const USER: &str = "mlflow";

pub(crate) fn install(cache: &Cache) -> Result<Debian> {
    // Whichever of them the machine's release of Debian has.
    Debian::install(cache, &["postgresql-17", "postgresql-16", "postgresql-15"])
}

pub(crate) fn prepare(tools: &Tools, directory: &Path) -> Result<Launch> {
    let package = install(&tools.cache)?;
    let [port] = ports::free()?;
    let password = secret::random()?;
    let programs = Programs::new(&package, directory)?;
    let data = directory.join("data");
    programs.initialize(directory, &data, &password)?;
    let mut command = programs.command("postgres", directory)?;
    command
        .arg("-D")
        .arg(&data)
        .args(["-h", "127.0.0.1", "-p", &port.to_string()])
        // No socket in the file system: its path may be longer than a socket's may be.
        .args(["-k", "", "-c", "fsync=off"]);
    let url = format!("postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}");
    let variables = launch::variables([("MLFETCH_TEST_POSTGRES_URL", url)]);
    let health = Health::Postmaster { file: data.join("postmaster.pid") };
    let url = format!("postgresql://127.0.0.1:{port}/{DATABASE}");
    Ok(Launch { command, health, url, variables })
}

/// The server's programs, which refuse to run as root.
struct Programs {
    /// Holds `usr/lib/postgresql/…`, readable by `owner`.
    root: PathBuf,
    binaries: PathBuf,
    /// Whom to run as, when we are root.
    owner: Option<(u32, u32)>,
}

impl Programs {
    fn new(package: &Debian, directory: &Path) -> Result<Self> {
        if !getuid().is_root() {
            return Self::at(package.root().to_path_buf(), None);
        }
        let nobody = User::from_name("nobody").context("cannot look up the user `nobody`")?;
        let nobody = nobody.context("PostgreSQL refuses to be root and there is no `nobody`")?;
        let owner = (nobody.uid.as_raw(), nobody.gid.as_raw());
        // Root's home, with the cache in it, is usually closed to everybody else.
        let root = directory.join("package");
        command::run(Command::new("cp").arg("-r").arg(package.root()).arg(&root))?;
        chown(directory, Some(owner.0), Some(owner.1)).context("cannot give a directory away")?;
        Self::at(root, Some(owner))
    }

    fn at(root: PathBuf, owner: Option<(u32, u32)>) -> Result<Self> {
        let versions = root.join("usr/lib/postgresql");
        let version = fs::read_dir(&versions)
            .with_context(|| format!("cannot list `{}`", versions.display()))?
            .next()
            .context("the package holds no server")??;
        Ok(Self { root, binaries: version.path().join("bin"), owner })
    }

    fn command(&self, program: &str, directory: &Path) -> Result<Command> {
        let mut command = launch::clean(Command::new(self.binaries.join(program)), directory);
        command.env("LD_LIBRARY_PATH", debian::library_path(&self.root)?);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        Ok(command)
    }

    /// Makes the cluster with one user who has a password, and that user's database.
    fn initialize(&self, directory: &Path, data: &Path, password: &str) -> Result<()> {
        let password_file = directory.join("password");
        fs::write(&password_file, password).context("cannot write the password's file")?;
        self.give_away(&password_file)?;
        let mut initdb = self.command("initdb", directory)?;
        initdb.arg("-D").arg(data).arg("--pwfile").arg(&password_file);
        initdb.args(["--username", USER, "--auth=scram-sha-256", "--encoding=UTF8"]);
        command::capture(initdb.args(["--no-locale", "--no-sync"]))?;
        fs::remove_file(&password_file).context("cannot remove the password's file")?;
        self.create_database(directory, data)
    }

    /// Without a client program: the server itself reads one statement and ends.
    fn create_database(&self, directory: &Path, data: &Path) -> Result<()> {
        let statement = directory.join("database.sql");
        fs::write(&statement, format!("CREATE DATABASE {DATABASE}\n"))
            .context("cannot write the statement that makes the database")?;
        let log = File::create(directory.join("database.log")).context("cannot write a log")?;
        let mut server = self.command("postgres", directory)?;
        server.args(["--single", "-F", "-D"]).arg(data).arg("postgres");
        server.stdin(File::open(&statement)?).stdout(log.try_clone()?).stderr(log);
        command::run(&mut server)
            .with_context(|| super::process::log_tail(&directory.join("database.log")))
    }

    fn give_away(&self, file: &Path) -> Result<()> {
        let Some((user, group)) = self.owner else { return Ok(()) };
        chown(file, Some(user), Some(group))
            .with_context(|| format!("cannot give `{}` away", file.display()))
    }
}
