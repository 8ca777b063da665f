//! Servers for the length of one command, stopped however it ends.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result};

use super::launch::{self, Ledger};
use super::process::Identity;
use super::{Service, Tools, Variables, cache};
use crate::{report, workspace};

/// Directories of sessions are called this, followed by the number and start of their process.
const PREFIX: &str = "session-";

/// Running servers; dropping it stops them.
pub(crate) struct Session {
    ledger: Ledger,
    variables: Variables,
}

impl Session {
    /// Starts servers under a list of their own, beside those that `up` may have started.
    pub(crate) fn start(services: &[Service], tools: &Tools) -> Result<Self> {
        sweep()?;
        let own = Identity::of(std::process::id());
        let name = format!("{PREFIX}{}-{}", own.id, own.started.unwrap_or_default());
        let ledger = Ledger::open(workspace::scratch().join(name).join("state.json"))?;
        let mut session = Self { ledger, variables: tools.variables() };
        start_all(services, tools, &session.ledger)?;
        session.variables.extend(session.ledger.variables());
        Ok(session)
    }

    pub(crate) fn variables(&self) -> &Variables {
        &self.variables
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Err(error) = self.ledger.stop_all() {
            report::say(&format!("error: the servers did not stop: {error:#}"));
        }
        self.ledger.remove_folder();
    }
}

/// Starts what does not run yet, all at once; when one fails, the others are stopped again.
pub(crate) fn start_all(services: &[Service], tools: &Tools, ledger: &Ledger) -> Result<()> {
    let missing: Vec<Service> =
        services.iter().copied().filter(|service| !ledger.is_running(*service)).collect();
    // Some are told of another, which goes first.
    let (first, rest): (Vec<_>, Vec<_>) =
        missing.iter().partition(|service| service.needs().is_none());
    for wave in [first, rest] {
        if let Err(error) = start_wave(&wave, tools, ledger) {
            ledger.stop(&missing)?;
            return Err(error);
        }
    }
    Ok(())
}

fn start_wave(services: &[Service], tools: &Tools, ledger: &Ledger) -> Result<()> {
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for service in services {
            let failures = &failures;
            scope.spawn(move || {
                if let Err(error) = launch::start(*service, tools, ledger)
                    && let Ok(mut failures) = failures.lock()
                {
                    failures.push(error);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// Stops the servers of sessions that were killed before they could do it.
fn sweep() -> Result<()> {
    let scratch = workspace::scratch();
    cache::create(&scratch)?;
    let entries =
        fs::read_dir(&scratch).with_context(|| format!("cannot list `{}`", scratch.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot list `{}`", scratch.display()))?.path();
        if is_abandoned(&path) {
            let ledger = Ledger::open(path.join("state.json"))?;
            ledger.stop_all()?;
            cache::remove(&path)?;
        }
    }
    Ok(())
}

fn is_abandoned(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.strip_prefix(PREFIX).and_then(owner).is_some_and(|owner| owner != Identity::of(owner.id))
}

fn owner(name: &str) -> Option<Identity> {
    let (id, started) = name.split_once('-')?;
    Some(Identity { id: id.parse().ok()?, started: Some(started.parse().ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_of_ended_sessions_are_abandoned() {
        let own = Identity::of(std::process::id());
        let own_name = format!("session-{}-{}", own.id, own.started.unwrap_or_default());
        assert!(!is_abandoned(Path::new(&own_name)));
        assert!(is_abandoned(Path::new("session-1-999999999999")));
        assert!(!is_abandoned(Path::new("services")));
        assert!(!is_abandoned(Path::new("session-x")));
    }
}
