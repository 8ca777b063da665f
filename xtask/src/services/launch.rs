//! From a prepared server to a ready one.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::health::Health;
use super::process::{self, Identity};
use super::state::{Running, State, Variables};
use super::{Service, Tools, cache};
use crate::interrupt;

/// A server that takes longer is broken, even on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often a start is tried again after somebody else took a port that was free before.
const ATTEMPTS: usize = 3;

/// All that is needed to start one server.
pub(crate) struct Launch {
    pub(crate) command: Command,
    pub(crate) health: Health,
    pub(crate) url: String,
    pub(crate) variables: Variables,
}

/// The list of running servers, in memory and in its file.
pub(crate) struct Ledger {
    path: PathBuf,
    state: Mutex<State>,
}

impl Ledger {
    /// Opens the file, and forgets servers that ended by themselves.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let mut state = State::read(&path)?;
        for gone in state.running.extract_if(.., |running| !running.process.is_alive()) {
            cache::remove(&gone.directory)?;
        }
        Ok(Self { path, state: Mutex::new(state) })
    }

    pub(crate) fn running(&self) -> Vec<Running> {
        self.with(|state| state.running.clone())
    }

    pub(crate) fn variables(&self) -> Variables {
        self.with(|state| state.variables())
    }

    pub(crate) fn is_running(&self, service: Service) -> bool {
        self.with(|state| state.running.iter().any(|running| running.service == service))
    }

    /// Stops every server and removes its directory.
    pub(crate) fn stop_all(&self) -> Result<()> {
        self.stop(&Service::ALL)
    }

    /// Stops some servers, all at once, and removes their directories.
    pub(crate) fn stop(&self, services: &[Service]) -> Result<()> {
        let mut chosen = self.running();
        chosen.retain(|running| services.contains(&running.service));
        thread::scope(|scope| {
            for running in &chosen {
                scope.spawn(|| running.process.stop(running.service.stop_signal()));
            }
        });
        chosen.iter().try_for_each(|running| self.forget(running))
    }

    /// Removes the directory of the list, which a session has for itself.
    pub(crate) fn remove_folder(&self) {
        if let Some(folder) = self.path.parent() {
            // Empty by now, unless a server would not stop; then the list must stay.
            let _ = fs::remove_dir(folder);
        }
    }

    fn with<T>(&self, use_state: impl FnOnce(&mut State) -> T) -> T {
        // A thread that panicked leaves a whole list: each change is a single push or removal.
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        use_state(&mut state)
    }

    fn add(&self, running: Running) -> Result<()> {
        self.with(|state| {
            state.running.push(running);
            state.write(&self.path)
        })
    }

    fn forget(&self, gone: &Running) -> Result<()> {
        cache::remove(&gone.directory)?;
        self.with(|state| {
            state.running.retain(|running| running.process != gone.process);
            state.write(&self.path)
        })
    }
}

/// Starts one server and waits until it is ready.
pub(crate) fn start(service: Service, tools: &Tools, ledger: &Ledger) -> Result<()> {
    let mut attempt = 1;
    loop {
        let Err(failure) = try_start(service, tools, ledger)? else { return Ok(()) };
        interrupt::check()?;
        let taken = failure.log.to_lowercase().contains("address already in use");
        if !taken || attempt == ATTEMPTS {
            return Err(failure.error.context(format!(
                "{service} did not start; its log ends with:\n{}\n",
                failure.log
            )));
        }
        attempt += 1;
    }
}

struct Failure {
    error: anyhow::Error,
    log: String,
}

fn try_start(service: Service, tools: &Tools, ledger: &Ledger) -> Result<Result<(), Failure>> {
    let directory = tempfile::Builder::new()
        .prefix(&format!("mlfetch-{service}-"))
        .tempdir()
        .context("cannot make a directory for a server")?;
    let mut launch = service
        .prepare(tools, directory.path(), &ledger.variables())
        .with_context(|| format!("cannot prepare {service}"))?;
    let log = directory.path().join("log");
    let mut child = process::spawn(&mut launch.command, &log)?;
    let running = Running {
        service,
        process: Identity::of(child.id()),
        directory: directory.keep(),
        url: launch.url,
        health: launch.health,
        variables: launch.variables,
    };
    ledger.add(running.clone())?;
    let ready = wait_until_ready(&running.health, &mut child);
    let failure = ready.err().map(|error| Failure { error, log: process::log_tail(&log) });
    let Some(failure) = failure else { return Ok(Ok(())) };
    running.process.stop(service.stop_signal());
    ledger.forget(&running)?;
    Ok(Err(failure))
}

fn wait_until_ready(health: &Health, child: &mut Child) -> Result<()> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let Err(unready) = health.check() else { return Ok(()) };
        interrupt::check()?;
        if let Some(status) = child.try_wait().context("cannot look after the server")? {
            return Err(anyhow!("it ended with {status}"));
        }
        if Instant::now() > deadline {
            return Err(unready.context(format!("not ready after {} s", DEADLINE.as_secs())));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A command in the server's directory, without the settings of whoever runs the tests.
pub(crate) fn clean(mut command: Command, directory: &Path) -> Command {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["MLFLOW_", "_MLFLOW_", "AWS_", "AZURE_", "PYTHON", "PG", "HADOOP_", "KRB5"]
            .iter()
            .any(|start| text.starts_with(start))
        {
            command.env_remove(&name);
        }
    }
    command.current_dir(directory).env("HOME", directory).env("TMPDIR", directory);
    command
}

/// Variables from pairs, for the servers' modules.
pub(crate) fn variables<const N: usize>(pairs: [(&str, String); N]) -> Variables {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<BTreeMap<_, _>>()
}

/// Writes the scripts of a server into its directory, by name.
pub(crate) fn write_scripts(directory: &Path, scripts: &[(&str, &str)]) -> Result<()> {
    scripts.iter().try_for_each(|(name, text)| {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
    })
}

/// Makes a directory below a server's own.
pub(crate) fn subdirectory(directory: &Path, name: &str) -> Result<PathBuf> {
    let path = directory.join(name);
    fs::create_dir(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
    Ok(path)
}
