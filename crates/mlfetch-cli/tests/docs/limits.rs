//! The table of limits and the constants in the code are the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::pages::{Page, code_spans, entries, root};

const PAGE: &str = "docs/concepts/limits.md";

/// Crates that never ship.
const HELPERS: [&str; 1] = ["mlfetch-conformance"];

/// A constant or field, and its file below `crates`.
type Limit = (String, String);

/// What is on the page and not in the code, and each `MAX_…` the other way round.
pub(crate) fn problems() -> Vec<String> {
    let on_page = on_page();
    let mut problems = Vec::new();
    for (name, file) in &on_page {
        let code = fs::read_to_string(root().join("crates").join(file)).unwrap_or_default();
        if !code.contains(&format!("{name}:")) {
            problems.push(format!("{PAGE}: `{name}` is not in {file}"));
        }
    }
    for (name, file) in in_code().difference(&on_page) {
        problems.push(format!("{PAGE}: `{name}` of {file} is not on the page"));
    }
    problems
}

/// The last cell of each row: `NAME`, crate/src/file.rs.
fn on_page() -> BTreeSet<Limit> {
    let page = Page::at(PAGE);
    let rows = page.prose().into_iter().filter(|(_, line)| line.starts_with('|'));
    let cells = rows.filter_map(|(_, line)| line.trim_end_matches('|').rsplit('|').next());
    let limits = cells.filter_map(|cell| {
        let file = cell.rsplit(", ").next()?.trim();
        Some((code_spans(cell).next()?.to_owned(), file.to_owned()))
    });
    let limits: BTreeSet<Limit> = limits.collect();
    assert!(limits.len() > 40, "the table is not read: {limits:?}");
    limits
}

fn in_code() -> BTreeSet<Limit> {
    let mut limits = BTreeSet::new();
    let mut folders: Vec<_> =
        entries(&root().join("crates")).iter().map(|folder| folder.join("src")).collect();
    folders
        .retain(|folder| !HELPERS.iter().any(|helper| folder.ends_with(format!("{helper}/src"))));
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else {
                limits.extend(in_file(&path));
            }
        }
    }
    limits
}

fn in_file(path: &Path) -> Vec<Limit> {
    let code = fs::read_to_string(path).unwrap_or_default();
    let file = path.strip_prefix(root().join("crates")).expect("it lies in a crate");
    let names = code.lines().filter_map(|line| {
        let rest = line.trim_start().rsplit_once("const MAX_")?.1;
        let (name, _) = rest.split_once(':')?;
        Some((format!("MAX_{name}"), file.display().to_string()))
    });
    names.collect()
}
