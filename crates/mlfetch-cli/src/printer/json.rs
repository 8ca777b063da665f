//! JSON for programs. Documented in `docs/guide/scripting.md`.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use mlfetch::audit::Checked;
use mlfetch::{
    Comparison, Difference, DifferenceKind, Event, Listed, ListedKind, Proof, Report, Resolved,
    SkipReason,
};
use serde_json::{Map, Value, json};

use super::text::time;

/// What happened to one file; `None` for an event that has no line.
pub(super) fn event(event: &Event<'_>) -> Option<Value> {
    Some(match event {
        Event::Planned { path, size } => {
            file("planned", path.as_bytes(), [("size_bytes", json!(size))])
        }
        Event::Skipped { path, reason } => {
            let reason = match reason {
                SkipReason::Unchanged => "unchanged",
                _ => "exists",
            };
            file("skipped", path.as_bytes(), [("reason", json!(reason))])
        }
        Event::Committed { path, size, proof } => {
            let more = [("size_bytes", json!(size)), ("proven", json!(proof.to_string()))];
            file("fetched", path.as_bytes(), more)
        }
        Event::Deleted { path } => file::<0>("deleted", path.as_bytes(), []),
        Event::Failed(failure) => {
            let more = [("error", json!(failure.error.to_string()))];
            file("failed", failure.path.as_bytes(), more)
        }
        _ => return None,
    })
}

/// What a fetch did.
pub(super) fn summary(report: &Report, seconds: f64) -> Value {
    let mut value = json!({
        "event": "summary",
        "files": report.files,
        "size_bytes": report.bytes,
        "resumed_bytes": report.resumed_bytes,
        "unchanged": report.unchanged,
        "deleted": report.deleted,
        "planned": report.planned,
        "planned_bytes": report.planned_bytes,
        "failed": report.failures.len(),
        "proven": counts(&report.proofs),
        "via": report.ways.keys().collect::<Vec<_>>(),
        "seconds": seconds,
    });
    if let Some(manifest) = &report.manifest {
        value["tree_sha256"] = json!(manifest.tree_digest().to_string());
    }
    insert_name(&mut value, "path", report.path.as_os_str().as_bytes());
    value
}

pub(super) fn difference(difference: &Difference) -> Value {
    let (event, why) = match &difference.kind {
        DifferenceKind::Changed(why) => ("changed", Some(why)),
        DifferenceKind::Missing => ("missing", None),
        DifferenceKind::Extra => ("extra", None),
    };
    let mut value = json!({ "event": event });
    insert_name(&mut value, "path", difference.path.as_bytes());
    if let Some(why) = why {
        value["why"] = json!(why);
    }
    value
}

/// What a comparison came to.
pub(super) fn comparison(found: &Comparison, seconds: f64) -> Value {
    let mut value = json!({
        "event": "summary",
        "files": found.files,
        "size_bytes": found.bytes,
        "changed": found.changed,
        "missing": found.missing,
        "extra": found.extra,
        "proven": counts(&found.proofs),
        "seconds": seconds,
    });
    if let Some(tree) = &found.tree {
        value["tree_sha256"] = json!(tree.to_string());
    }
    value
}

/// An audit log that is whole.
pub(super) fn checked_log(checked: &Checked) -> Value {
    json!({
        "records": checked.records,
        "hash": checked.hash.map(|hash| hash.to_string()),
        "unfinished": checked.unfinished,
    })
}

fn counts(proofs: &BTreeMap<Proof, u64>) -> Map<String, Value> {
    proofs.iter().map(|(proof, count)| (proof.to_string(), json!(count))).collect()
}

pub(super) fn in_place(path: &Path) -> Value {
    let mut value = json!({ "event": "in-place" });
    insert_name(&mut value, "path", path.as_os_str().as_bytes());
    value
}

pub(super) fn row(row: &Listed) -> Value {
    let mut value = match &row.kind {
        ListedKind::File { size, modified } => {
            json!({ "type": "file", "size_bytes": size, "modified": modified.map(time) })
        }
        ListedKind::Refused(error) => json!({ "type": "refused", "error": error.to_string() }),
        _ => json!({ "type": "directory" }),
    };
    insert_name(&mut value, "path", row.path.as_bytes());
    value
}

pub(super) fn trails(parts: &[Resolved]) -> Value {
    let places = parts.iter().map(|part| {
        let hops: Vec<Value> =
            part.trail.hops().iter().map(|hop| json!({ "to": hop.to, "why": hop.why })).collect();
        let mut value = json!({
            "uri": part.target.location().map(|location| location.to_string()).unwrap_or_default(),
            "optional": part.target.optional,
            "warnings": part.target.warnings,
            "hops": hops,
        });
        insert_name(&mut value, "path", part.target.path.as_bytes());
        value
    });
    json!({ "places": places.collect::<Vec<_>>() })
}

fn file<const N: usize>(event: &str, path: &[u8], more: [(&str, Value); N]) -> Value {
    let mut value = json!({ "event": event });
    insert_name(&mut value, "path", path);
    for (name, content) in more {
        value[name] = content;
    }
    value
}

/// A name as text; where it is not UTF-8, its exact bytes too, in hexadecimal.
fn insert_name(value: &mut Value, name: &str, bytes: &[u8]) {
    use std::fmt::Write as _;
    value[name] = json!(String::from_utf8_lossy(bytes));
    if std::str::from_utf8(bytes).is_err() {
        let hex = bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        value[format!("{name}_hex")] = json!(hex);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_text_keeps_its_bytes() {
        let value = file("fetched", b"a\xff", [("size_bytes", json!(1))]);
        assert_eq!(
            value.to_string(),
            "{\"event\":\"fetched\",\"path\":\"a\u{fffd}\",\"path_hex\":\"61ff\",\"size_bytes\":1}"
        );
    }
}
