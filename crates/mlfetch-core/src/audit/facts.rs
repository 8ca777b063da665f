//! What is known of an attempt so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlfetch_store::Store;
use serde_json::{Map, Value, json};

use super::shown;
use crate::engine::{Proof, Report, Sealed};
use crate::resolve::Resolved;

/// Places and stores that a record names; of more it says how many.
const MAX_PLACES: usize = 8;

/// What is known of an attempt so far.
#[derive(Debug, Default)]
pub(super) struct Facts {
    places: Vec<Value>,
    more_places: usize,
    /// The place that was opened, and its store, which may know later who it saw.
    stores: Vec<(String, Arc<dyn Store>)>,
    counts: Counts,
    /// The one file, while it is the only one.
    file: Option<Map<String, Value>>,
    tree: Option<String>,
    more: Map<String, Value>,
}

#[derive(Debug, Default)]
struct Counts {
    files: u64,
    bytes: u64,
    unchanged: u64,
    deleted: u64,
    failed: u64,
    proofs: BTreeMap<Proof, u64>,
}

impl Facts {
    pub(super) fn resolved(&mut self, parts: &[Resolved]) {
        for part in parts {
            if self.places.len() == MAX_PLACES {
                self.more_places += 1;
                continue;
            }
            let hops = part
                .trail
                .hops()
                .iter()
                .map(|hop| json!({ "to": shown::uri(&hop.to), "why": shown::text(&hop.why) }));
            self.places.push(json!({ "hops": hops.collect::<Vec<_>>() }));
        }
    }

    pub(super) fn opened(&mut self, place: String, store: &Arc<dyn Store>) {
        if self.stores.len() < MAX_PLACES {
            self.stores.push((place, Arc::clone(store)));
        }
    }

    pub(super) fn sealed(&mut self, file: &Sealed<'_>) {
        self.counts.files += 1;
        self.counts.bytes += file.size;
        *self.counts.proofs.entry(file.proof.clone()).or_default() += 1;
        self.file = (self.counts.files == 1).then(|| file_members(file));
    }

    pub(super) fn read(&mut self, bytes: u64) {
        self.counts.bytes += bytes;
    }

    /// The report knows better than what was counted on the way.
    pub(super) fn reported(&mut self, report: &Report) {
        self.counts = Counts {
            files: report.files,
            bytes: report.bytes,
            unchanged: report.unchanged,
            deleted: report.deleted,
            failed: report.failures.len() as u64,
            proofs: report.proofs.clone(),
        };
        self.tree = report.manifest.as_ref().map(|manifest| manifest.tree_digest().to_string());
    }

    pub(super) fn note(&mut self, name: &str, value: Value) {
        self.more.insert(name.to_owned(), value);
    }

    /// The members of the last record.
    pub(super) fn members(&self) -> Map<String, Value> {
        let Counts { files, bytes, unchanged, deleted, failed, proofs } = &self.counts;
        let mut members = self.more.clone();
        members.insert("files".into(), json!(files));
        members.insert("size_bytes".into(), json!(bytes));
        members.insert("unchanged".into(), json!(unchanged));
        if *deleted > 0 {
            members.insert("deleted".into(), json!(deleted));
        }
        members.insert("failed".into(), json!(failed));
        let proven: Map<String, Value> =
            proofs.iter().map(|(proof, count)| (proof.to_string(), json!(count))).collect();
        members.insert("proven".into(), proven.into());
        members.insert("places".into(), self.places.clone().into());
        if self.more_places > 0 {
            members.insert("more_places".into(), json!(self.more_places));
        }
        members.insert("stores".into(), self.stores.iter().map(store_members).collect());
        if let Some(tree) = &self.tree {
            members.insert("tree_sha256".into(), json!(tree));
        }
        if let Some(file) = &self.file {
            members.insert("file".into(), file.clone().into());
        }
        members
    }
}

fn store_members((place, store): &(String, Arc<dyn Store>)) -> Value {
    let identity = store.identity().map(|identity| shown::text(&identity));
    json!({ "location": place, "backend": store.info().backend, "identity": identity })
}

/// What a record says of one file.
pub(super) fn file_members(file: &Sealed<'_>) -> Map<String, Value> {
    let bytes = file.path.as_bytes();
    let mut members = Map::new();
    members.insert("path".into(), json!(String::from_utf8_lossy(bytes)));
    if std::str::from_utf8(bytes).is_err() {
        members.insert("path_hex".into(), json!(crate::manifest::hex(bytes)));
    }
    members.insert("source".into(), json!(shown::text(file.source)));
    members.insert("size_bytes".into(), json!(file.size));
    members.insert("version".into(), json!(file.version.map(shown::text)));
    members.insert("etag".into(), json!(file.etag.map(shown::text)));
    members.insert("proven".into(), json!(file.proof.to_string()));
    members.insert("sha256".into(), json!(file.sha256.map(ToString::to_string)));
    members
}
