//! One command's way through the logs.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mlfetch_store::{ErrorKind, Store};
use serde_json::{Map, Value, json};

use super::batch::Batch;
use super::facts::{Facts, file_members};
use super::{AuditLog, shown, who};
use crate::destination::DestinationError;
use crate::engine::{FileError, Report, Sealed, Witness};
use crate::resolve::{Resolved, Target};

/// The logs that attempts are recorded in; none at first.
#[derive(Debug, Clone)]
pub struct Audit {
    tool: String,
    logs: Vec<AuditLog>,
}

impl Audit {
    /// For a program by its name and version.
    pub fn new(tool: impl Into<String>) -> Self {
        Self { tool: tool.into(), logs: Vec::new() }
    }

    /// With one more log; one that is there already is strict if either of them is.
    #[must_use]
    pub fn with_log(mut self, log: AuditLog) -> Self {
        match self.logs.iter_mut().find(|there| there.path() == log.path()) {
            Some(there) => *there = log.clone().with_strict(there.is_strict() || log.is_strict()),
            None => self.logs.push(log),
        }
        self
    }

    /// An attempt to do what a command does with a URI, as it was given.
    pub fn attempt(&self, command: &str, uri: &str) -> Arc<Attempt> {
        let mut members = if self.logs.is_empty() { Map::new() } else { who::who() };
        members.insert("tool".into(), json!(self.tool));
        members.insert("attempt".into(), json!(random()));
        members.insert("command".into(), json!(command));
        members.insert("uri".into(), json!(shown::uri(uri)));
        let logs = self.logs.iter().map(|log| (log.clone(), Batch::default())).collect();
        Arc::new(Attempt { members, logs, facts: Mutex::default() })
    }
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct Ending {
    outcome: &'static str,
    error: Option<(String, String)>,
    exit: u8,
}

impl Ending {
    /// Everything that was asked for was done.
    pub fn done() -> Self {
        Self { outcome: "done", error: None, exit: 0 }
    }

    /// It failed; `message` must be safe to show.
    pub fn failed(kind: &str, message: &str, exit: u8) -> Self {
        let error = Some((kind.to_owned(), shown::text(message)));
        Self { outcome: "failed", error, exit }
    }

    /// It failed with an error of this kind; whoever was not let in was refused.
    pub fn of_kind(kind: ErrorKind, message: &str, exit: u8) -> Self {
        let refused = [ErrorKind::Unauthenticated, ErrorKind::PermissionDenied, ErrorKind::Refused];
        let outcome = if refused.contains(&kind) { "refused" } else { "failed" };
        Self { outcome, ..Self::failed(&kind_name(kind), message, exit) }
    }

    /// Somebody stopped it.
    pub fn interrupted(exit: u8) -> Self {
        Self { outcome: "interrupted", error: None, exit }
    }
}

/// `PermissionDenied` as `permission-denied`.
fn kind_name(kind: ErrorKind) -> String {
    let mut name = String::new();
    for letter in format!("{kind:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// One command's way through the logs. Where there are none it does nothing.
#[derive(Debug)]
pub struct Attempt {
    /// What each of its records says.
    members: Map<String, Value>,
    logs: Vec<(AuditLog, Batch)>,
    facts: Mutex<Facts>,
}

impl Attempt {
    /// Puts the beginning on record in strict logs, before anything is asked of anybody.
    ///
    /// # Errors
    /// The record cannot be written: then the work must not begin.
    pub fn begin(&self) -> Result<(), DestinationError> {
        let record = self.record("begin", Map::new());
        self.strict().try_for_each(|(log, _)| log.append(std::slice::from_ref(&record)))
    }

    /// Where the URI led.
    pub fn resolved(&self, parts: &[Resolved]) {
        self.facts().resolved(parts);
    }

    /// What the fetch says it did.
    pub fn reported(&self, report: &Report) {
        self.facts().reported(report);
    }

    /// So many bytes were given out.
    pub fn read(&self, bytes: u64) {
        self.facts().read(bytes);
    }

    /// Something else that is worth a member of the last record; it must be safe to show.
    pub fn note(&self, name: &str, text: &str) {
        self.facts().note(name, json!(shown::text(text)));
    }

    /// Puts the end on record in all logs.
    ///
    /// # Errors
    /// The first record that cannot be written; that of a strict log before the others.
    pub fn end(&self, ending: &Ending) -> Result<(), DestinationError> {
        let mut members = self.facts().members();
        members.insert("outcome".into(), json!(ending.outcome));
        members.insert("exit".into(), json!(ending.exit));
        if let Some((kind, message)) = &ending.error {
            members.insert("error".into(), json!({ "kind": kind, "message": message }));
        }
        let record = self.record("end", members);
        let mut first = Ok(());
        for (log, _) in self.strict().chain(self.logs.iter().filter(|(log, _)| !log.is_strict())) {
            first = first.and(log.append(std::slice::from_ref(&record)));
        }
        first
    }

    /// Whether there is a log at all.
    pub fn is_recorded(&self) -> bool {
        !self.logs.is_empty()
    }

    /// Whether a record that cannot be written is a failure.
    pub fn is_strict(&self) -> bool {
        self.strict().next().is_some()
    }

    fn strict(&self) -> impl Iterator<Item = &(AuditLog, Batch)> {
        self.logs.iter().filter(|(log, _)| log.is_strict())
    }

    fn record(&self, event: &str, more: Map<String, Value>) -> Map<String, Value> {
        let mut record = self.members.clone();
        record.extend(more);
        record.insert("event".into(), json!(event));
        record.insert("time".into(), json!(who::now()));
        record
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Witness for Attempt {
    fn opened(&self, place: &Target, store: &Arc<dyn Store>) {
        self.facts().opened(shown::text(&place.display()), store);
    }

    async fn committing(&self, file: &Sealed<'_>) -> Result<(), FileError> {
        self.facts().sealed(file);
        if !self.is_strict() {
            return Ok(());
        }
        let record = self.record("file", file_members(file));
        for (log, batch) in self.strict() {
            batch.append(log, record.clone()).await?;
        }
        Ok(())
    }
}

/// A name that no other attempt has.
fn random() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_words_with_hyphens() {
        for (kind, name) in [
            (ErrorKind::NotFound, "not-found"),
            (ErrorKind::Tls, "tls"),
            (ErrorKind::PermissionDenied, "permission-denied"),
        ] {
            assert_eq!(kind_name(kind), name);
        }
    }

    #[test]
    fn a_log_that_is_named_twice_is_strict_if_one_of_them_is() {
        let audit = Audit::new("t").with_log(AuditLog::at("a").with_strict(true));
        let audit = audit.with_log(AuditLog::at("b")).with_log(AuditLog::at("a"));
        let logs: Vec<bool> = audit.logs.iter().map(AuditLog::is_strict).collect();
        assert_eq!(logs, [true, false]);
    }
}
