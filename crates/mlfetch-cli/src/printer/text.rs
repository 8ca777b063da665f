//! Text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use mlfetch::audit::Checked;
use mlfetch::{
    Comparison, Difference, DifferenceKind, Listed, ListedKind, Proof, Report, Resolved,
};

use crate::failure::Failure;

/// Rows of failed files that are shown at most.
const MAX_FAILURES: usize = 20;

pub(super) fn failure(failure: &Failure) -> String {
    let mut text = format!("error: {}", failure.message());
    let causes = failure.causes();
    for cause in causes.iter().take(MAX_FAILURES) {
        let _ = write!(text, "\n  {cause}");
    }
    if causes.len() > MAX_FAILURES {
        let _ = write!(text, "\n  and {} more; --json shows all", causes.len() - MAX_FAILURES);
    }
    if let Some(hint) = failure.hint() {
        let _ = write!(text, "\n  try: {hint}");
    }
    text
}

/// A name as it is, with bytes that are not text and control characters escaped.
pub(super) fn row(row: &Listed, long: bool) -> Vec<u8> {
    let name = mlfetch::escape(row.path.as_bytes());
    let mut line = String::new();
    if long {
        let (size, modified) = match &row.kind {
            ListedKind::File { size, modified } => (*size, *modified),
            _ => (None, None),
        };
        let size = size.map_or_else(|| "-".to_owned(), |size| size.to_string());
        let modified = modified.map_or_else(|| "-".to_owned(), time);
        let _ = write!(line, "{size:>12}  {modified:<20}  ");
    }
    line.push_str(&name);
    if let ListedKind::Refused(error) = &row.kind {
        let _ = write!(line, "  (cannot be fetched: {error})");
    }
    line.push('\n');
    line.into_bytes()
}

/// `changed  a/b (its sha256 is …)`.
pub(super) fn difference(difference: &Difference) -> String {
    let path = &difference.path;
    match &difference.kind {
        DifferenceKind::Changed(why) => format!("changed  {path} ({why})"),
        DifferenceKind::Missing => format!("missing  {path}"),
        DifferenceKind::Extra => format!("extra    {path}"),
    }
}

/// What a comparison came to, in a line.
pub(super) fn comparison(found: &Comparison, seconds: f64) -> String {
    let (count, bytes) = (files(found.files), size(found.bytes));
    let proven = if found.proofs.is_empty() { "read" } else { "as they should be" };
    let mut text = format!("{count} {proven}, {bytes} in {seconds:.1} s");
    push_proofs(&mut text, &found.proofs);
    if let Some(tree) = &found.tree {
        let _ = write!(text, "\ntree sha256 {tree}");
    }
    text
}

fn push_proofs(text: &mut String, proofs: &BTreeMap<Proof, u64>) {
    let proofs: Vec<String> =
        proofs.iter().map(|(proof, count)| format!("{proof} of {count}")).collect();
    if !proofs.is_empty() {
        let _ = write!(text, "; proven: {}", proofs.join(", "));
    }
}

/// `12 records, none changed`, and the hash to keep.
pub(super) fn checked_log(checked: &Checked) -> String {
    let records = checked.records;
    let mut text = format!("{records} records, each as it was written\n");
    if let Some(hash) = &checked.hash {
        let _ = writeln!(text, "the last has the hash {hash}");
    }
    if checked.unfinished > 0 {
        let _ = writeln!(text, "{} attempts have no end on record", checked.unfinished);
    }
    text
}

pub(super) fn trails(parts: &[Resolved]) -> String {
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        for (step, hop) in part.trail.hops().iter().enumerate() {
            let _ = if step == 0 {
                writeln!(text, "{}", hop.to)
            } else {
                writeln!(text, "  → {}  ({})", hop.to, hop.why)
            };
        }
    }
    text
}

/// What a fetch did, in a line.
pub(super) fn summary(report: &Report, seconds: f64) -> String {
    if report.planned > 0 {
        let mut text =
            format!("would fetch {}, {}", files(report.planned), size(report.planned_bytes));
        if report.deleted > 0 {
            let _ = write!(text, "; would delete {}", report.deleted);
        }
        return text;
    }
    let mut text =
        format!("{} fetched, {} in {seconds:.1} s", files(report.files), size(report.bytes));
    if report.resumed_bytes > 0 {
        let _ = write!(text, "; {} of it had come before", size(report.resumed_bytes));
    }
    if report.unchanged > 0 {
        let _ = write!(text, "; {} left alone", report.unchanged);
    }
    if report.deleted > 0 {
        let _ = write!(text, "; {} deleted", report.deleted);
    }
    push_proofs(&mut text, &report.proofs);
    if !report.failures.is_empty() {
        let _ = write!(text, "; {} failed", report.failures.len());
    }
    text
}

pub(super) fn files(count: u64) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// Binary units, as file sizes are counted.
pub(super) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// `2026-01-31T12:00:00Z`: UTC, to the second. Before 1970 it is 1970; `-` is a time that no
/// calendar of four digits has.
pub(super) fn time(time: SystemTime) -> String {
    let mut text = String::new();
    match write!(text, "{}", humantime::format_rfc3339_seconds(time.max(UNIX_EPOCH))) {
        Ok(()) => text,
        Err(_) => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_utc() {
        let rows = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, shown) in rows {
            assert_eq!(time(UNIX_EPOCH + Duration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn a_failure_says_what_why_and_what_next() {
        let shown = failure(&Failure::said("cannot do it", Some("do that")));
        assert_eq!(shown, "error: cannot do it\n  try: do that");
    }
}
