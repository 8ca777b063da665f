//! Whether the tree that arrived is the one that was expected.

use mlfetch_store::{Error, ErrorKind};

use super::FetchSettings;
use crate::manifest::{Manifest, Sums};

/// Missing files that are named at most.
const MAX_NAMED: usize = 5;

/// Holds the whole tree to what is expected of it.
pub(super) fn expected(settings: &FetchSettings, manifest: Option<&Manifest>) -> Result<(), Error> {
    let Some(manifest) = manifest else { return Ok(()) };
    if let Some(sums) = &settings.sums {
        all_listed(sums, manifest, settings.filter.is_all())?;
    }
    let ours = manifest.tree_digest();
    match settings.tree {
        Some(expected) if expected != ours => Err(differs(&format!(
            "its tree digest is {ours} and {expected} was expected"
        ))
        .with_hint(
            "`mlfetch verify` with a manifest or list of the expected tree shows which files differ",
        )),
        _ => Ok(()),
    }
}

/// Each file of the list is there with its bytes. Those that arrived were held to it one by one;
/// patterns may leave others out.
fn all_listed(sums: &Sums, manifest: &Manifest, is_whole: bool) -> Result<(), Error> {
    let called = sums.called();
    let mut missing = Vec::new();
    for (path, expected) in sums.iter() {
        match manifest.get(path) {
            Some(row) if row.sha256 == *expected => {}
            Some(row) => {
                let ours = row.sha256;
                return Err(differs(&format!(
                    "the sha256 of `{path}` is {ours} and the {called} says {expected}"
                )));
            }
            None if is_whole => missing.push(format!("`{path}`")),
            None => {}
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let (count, named) = (missing.len(), missing[..missing.len().min(MAX_NAMED)].join(", "));
    let more = if count > MAX_NAMED { ", …" } else { "" };
    Err(differs(&format!("{count} files of the {called} did not come: {named}{more}"))
        .with_hint("names in the list count from the destination; take the list of this tree"))
}

fn differs(why: &str) -> Error {
    Error::new(ErrorKind::Integrity, "verify", "the tree").with_message(why.to_owned())
}
