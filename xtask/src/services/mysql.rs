//! `MariaDB`, which MLflow reaches by its MySQL address.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::debian::Debian;
use super::health::Health;
use super::launch::{self, Launch};
use super::{Cache, Tools, ports, secret};
use crate::command;

/// The files of the package that make the system tables, in the order in which they must run.
const SYSTEM_TABLES: [&str; 3] =
    ["mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"];

pub(crate) fn install(cache: &Cache) -> Result<Debian> {
    Debian::install(cache, &["mariadb-server-core"])
}

pub(crate) fn prepare(tools: &Tools, directory: &Path) -> Result<Launch> {
    let package = install(&tools.cache)?;
    let password = secret::random()?;
    let [port] = ports::free()?;
    let data = launch::subdirectory(directory, "data")?;
    bootstrap(&package, directory, &data, &password)?;
    let mut command = server(&package, directory, &data)?;
    command
        .args(["--bind-address=127.0.0.1", "--skip-name-resolve"])
        .arg(format!("--port={port}"))
        .arg(format!("--socket={}", directory.join("socket").display()))
        .arg(format!("--pid-file={}", directory.join("pid").display()));
    let url = format!("mysql://mlflow:{password}@127.0.0.1:{port}/mlflow");
    let variables = launch::variables([("MLFETCH_TEST_MYSQL_URL", url)]);
    let health = Health::Greeting { address: SocketAddr::from(([127, 0, 0, 1], port)) };
    let url = format!("mysql://127.0.0.1:{port}/mlflow");
    Ok(Launch { command, health, url, variables })
}

/// Makes the system tables, the database and its user, with the server reading our statements.
///
/// The package's own script for this needs programs of other packages.
fn bootstrap(package: &Debian, directory: &Path, data: &Path, password: &str) -> Result<()> {
    let statements = directory.join("bootstrap.sql");
    fs::write(&statements, statements_for(package, password)?)
        .with_context(|| format!("cannot write `{}`", statements.display()))?;
    let mut server = server(package, directory, data)?;
    let input = File::open(&statements).context("cannot read the statements just written")?;
    let log = File::create(directory.join("bootstrap.log")).context("cannot write a log")?;
    server.args(["--bootstrap", "--log-warnings=0"]).stdin(input);
    command::run(server.stdout(log.try_clone()?).stderr(log))
        .with_context(|| super::process::log_tail(&directory.join("bootstrap.log")))?;
    fs::remove_file(&statements).context("cannot remove the statements with the password")
}

fn statements_for(package: &Debian, password: &str) -> Result<String> {
    let mut text = "CREATE DATABASE mysql;\nUSE mysql;\n".to_owned();
    for name in SYSTEM_TABLES {
        let path = package.path("usr/share/mysql").join(name);
        let part = fs::read_to_string(&path)
            .with_context(|| format!("the package lacks `{}`", path.display()))?;
        text.push_str(&part);
    }
    writeln!(
        text,
        "FLUSH PRIVILEGES;\n\
         CREATE DATABASE mlflow CHARACTER SET utf8mb4;\n\
         CREATE USER 'mlflow'@'%' IDENTIFIED BY '{password}';\n\
         GRANT ALL ON mlflow.* TO 'mlflow'@'%';"
    )?;
    Ok(text)
}

fn server(package: &Debian, directory: &Path, data: &Path) -> Result<Command> {
    let mut command = launch::clean(package.command("usr/sbin/mariadbd")?, directory);
    command
        .arg("--no-defaults")
        .arg(format!("--basedir={}", package.path("usr").display()))
        .arg(format!("--lc-messages-dir={}", package.path("usr/share/mysql").display()))
        .arg(format!("--datadir={}", data.display()));
    if nix::unistd::getuid().is_root() {
        // It refuses to be root by accident, and is content to be root on purpose.
        command.arg("--user=root");
    }
    Ok(command)
}
