//! `cargo xtask services`: real servers as child processes, for the tests and for trying by hand.

mod azurite;
mod cache;
mod certificates;
pub(crate) mod compose;
mod debian;
mod fake_gcs;
mod go;
mod hdfs;
mod health;
mod httpfs;
mod kerberos;
mod launch;
mod maven;
mod minio;
mod mlflow;
mod mysql;
mod nginx;
mod npm;
mod ports;
mod postgres;
mod process;
pub(crate) mod python;
mod secret;
mod service;
pub(crate) mod session;
mod state;
mod toxiproxy;

use std::time::Instant;

use anyhow::Result;
use clap::Subcommand;

pub(crate) use cache::Cache;
pub(crate) use debian::{Debian, library_path};
pub(crate) use go::GoProgram;
pub(crate) use npm::NpmProgram;
pub(crate) use service::Service;
pub(crate) use session::Session;
pub(crate) use state::Variables;

use crate::table::Table;
use crate::{report, workspace};
use launch::Ledger;
use python::Python;

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Install servers into the cache, without starting them
    Install {
        /// Names of servers; all without one
        names: Vec<String>,
    },
    /// Start servers in the background and print the variables to export
    Up {
        /// Names of servers; all without one
        names: Vec<String>,
    },
    /// Show what runs, and whether it answers
    Status,
    /// Stop all servers and remove their directories
    Down,
}

/// What the servers are made of.
pub(crate) struct Tools {
    pub(crate) cache: Cache,
    pub(crate) python: Python,
}

impl Tools {
    pub(crate) fn install() -> Result<Self> {
        let cache = Cache::open()?;
        let python = Python::install(&cache)?;
        Ok(Self { cache, python })
    }

    /// The variables that need no server.
    pub(crate) fn variables(&self) -> Variables {
        launch::variables([
            ("MLFETCH_TEST_PYTHON", self.python.interpreter().display().to_string()),
            ("MLFETCH_TEST_MLFLOW_BIN", self.python.mlflow().display().to_string()),
        ])
    }
}

pub(crate) fn run(action: &Action) -> Result<()> {
    match action {
        Action::Install { names } => install(names).map(drop),
        Action::Up { names } => up(names),
        Action::Status => status(),
        Action::Down => ledger()?.stop_all(),
    }
}

fn ledger() -> Result<Ledger> {
    Ledger::open(workspace::scratch().join("services/state.json"))
}

fn install(names: &[String]) -> Result<(Tools, Vec<Service>)> {
    let services = Service::select(names)?;
    let tools = Tools::install()?;
    for service in &services {
        service.install(&tools)?;
    }
    Ok((tools, services))
}

fn up(names: &[String]) -> Result<()> {
    let (tools, services) = install(names)?;
    let ledger = ledger()?;
    let begun = Instant::now();
    session::start_all(&services, &tools, &ledger)?;
    let seconds = begun.elapsed().as_secs_f64();
    let count = ledger.running().len();
    report::say(&format!("{count} servers run, started in {seconds:.1} s; stop them with `down`"));
    let mut variables = tools.variables();
    variables.extend(ledger.variables());
    report::output(&state::exports(&variables));
    Ok(())
}

fn status() -> Result<()> {
    let mut table = Table::new(["server", "process", "url", "state"]);
    for running in ledger()?.running() {
        let state = match running.health.check() {
            Ok(()) => "healthy".to_owned(),
            Err(error) => format!("unwell: {error:#}"),
        };
        let process = running.process.id.to_string();
        table.row(&[running.service.to_string(), process, running.url, state]);
    }
    report::output(&table.markdown());
    Ok(())
}
