//! What `chaos`, `kill` and `torture` share: the program, servers with a stand before each, and many
//! runs at the same time.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::proxy::lock;
use super::site::{Backend, Site};
use crate::metadata::Metadata;
use crate::services::{Service, Session, Tools};
use crate::{command, interrupt, report};

/// Flags of all.
#[derive(clap::Args)]
pub(super) struct Common {
    /// Take the program as users get it, instead of the one with all checks of the compiler
    #[arg(long)]
    release: bool,
    /// Take this program instead of building one
    #[arg(long, conflicts_with = "release")]
    program: Option<PathBuf>,
    /// Write what is found to this file as well
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Say of each run what it came to
    #[arg(long)]
    pub(super) verbose: bool,
}

impl Common {
    /// For continuous integration: the program that its tests are about is built already.
    pub(super) fn with_program(program: PathBuf) -> Self {
        Self { release: false, program: Some(program), markdown: None, verbose: false }
    }

    /// The program: one that is there, or built here.
    pub(super) fn program(&self) -> Result<PathBuf> {
        if let Some(program) = &self.program {
            return Ok(program.clone());
        }
        let mut cargo = command::cargo();
        cargo.args(["build", "--package=mlfetch-cli", "--all-features"]);
        if self.release {
            cargo.arg("--release");
        }
        command::run(&mut cargo)?;
        let profile = if self.release { "release" } else { "debug" };
        Ok(Metadata::read()?.program(profile, "mlfetch"))
    }

    /// Writes tables where that was asked for.
    pub(super) fn write(&self, tables: &str) -> Result<()> {
        let Some(path) = &self.markdown else { return Ok(()) };
        fs::write(path, tables).with_context(|| format!("cannot write `{}`", path.display()))
    }
}

/// Servers that run, and a stand before each backend. What is fetched goes with it.
pub(super) struct Ground<Stand> {
    pub(super) stands: Vec<Stand>,
    _session: Session,
    _directory: TempDir,
}

impl<Stand: Send> Ground<Stand> {
    /// Starts the servers and makes all backends ready at once; a stand gets its site, the program, and
    /// a directory to fetch to.
    pub(super) fn set_up(
        common: &Common,
        backends: &[Backend],
        stand: impl Fn(Site, PathBuf, PathBuf) -> Result<Stand> + Sync,
    ) -> Result<Self> {
        let program = common.program()?;
        let tools = Tools::install()?;
        let mut services: Vec<Service> = backends.iter().map(|backend| backend.service()).collect();
        services.dedup();
        services.iter().try_for_each(|service| service.install(&tools))?;
        let directory = directory()?;
        report::say("starting the servers");
        let session = Session::start(&services, &tools)?;
        let make = |backend: Backend| {
            let site = Site::open(backend, &tools, session.variables())?;
            stand(site, program.clone(), directory.path().to_owned())
        };
        let stands = thread::scope(|scope| {
            let make = &make;
            let begin = |backend: &Backend| {
                let backend = *backend;
                (backend, scope.spawn(move || make(backend)))
            };
            let threads: Vec<_> = backends.iter().map(begin).collect();
            let ready = threads.into_iter().map(|(backend, thread)| {
                let result = thread.join().unwrap_or_else(|_| bail!("it panicked"));
                result.with_context(|| format!("cannot prepare {}", backend.server()))
            });
            ready.collect::<Result<Vec<Stand>>>()
        })?;
        Ok(Self { stands, _session: session, _directory: directory })
    }
}

/// For what is fetched: in memory where the machine has such a place.
pub(super) fn directory() -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("mlfetch-chaos-");
    let made = builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir());
    made.context("cannot make a directory for the runs")
}

/// Does something for each item, several at the same time, up to the first failure. Each is told how
/// many were begun before it.
pub(super) fn for_each<T: Sync>(
    items: &[T],
    jobs: u16,
    each: impl Fn(usize, &T) -> Result<()> + Sync,
) -> Result<()> {
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    let work = || loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(item) = items.get(index) else { break };
        if let Err(error) = interrupt::check().and_then(|()| each(index, item)) {
            *lock(&failure) = Some(error);
            next.store(items.len(), Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    lock(&failure).take().map_or(Ok(()), Err)
}
