//! Checks of the table itself, and of the page that tells its differences.

use std::collections::BTreeSet;
use std::fs;

use mlfetch_tests::repository;

use crate::difference::Difference;
use crate::row::{Expected, Row};
use crate::rows;

/// The fewest rows that the table may have.
const MIN_ROWS: usize = 150;

/// Counts rows and comparisons.
pub(crate) fn check_rows() {
    let mut cases = BTreeSet::new();
    for row in rows::all() {
        for store in row.stores {
            let case = format!("{}: {}", store.name(), row.name());
            assert!(!cases.contains(&case), "it is in the table twice: {case}");
            cases.insert(case);
        }
    }
    let names: BTreeSet<String> = rows::all().map(Row::name).collect();
    assert!(names.len() >= MIN_ROWS, "only {} rows", names.len());
    let differing: BTreeSet<String> =
        rows::all().filter(|row| difference(row).is_some()).map(Row::name).collect();
    say(&format!(
        "{} rows, {} of them with a named difference in a store, {} comparisons",
        names.len(),
        differing.len(),
        cases.len()
    ));
}

/// Compares the differences of the table with those of `docs/compatibility.md`.
pub(crate) fn check_differences() {
    let used: BTreeSet<Difference> = rows::all().filter_map(difference).collect();
    let known: BTreeSet<Difference> = Difference::ALL.iter().copied().collect();
    assert_eq!(used, known, "each difference has a row that shows it");
    let path = repository().join("docs/compatibility.md");
    let page = fs::read_to_string(&path).expect("docs/compatibility.md can be read");
    let told: Vec<&str> = page.lines().filter_map(told_by).collect();
    let mut ids: Vec<&str> = known.iter().map(|difference| difference.id()).collect();
    ids.sort_unstable();
    let mut sorted = told.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ids, "the page's tables tell each difference once, and no other");
}

fn difference(row: &Row) -> Option<Difference> {
    match row.expected {
        Expected::Differs { difference, .. } => Some(difference),
        Expected::Same | Expected::BothFail(_) | Expected::Usage => None,
    }
}

/// The name in the first column of a row like `| <a id="name"></a>`name` | … |`.
fn told_by(line: &str) -> Option<&str> {
    let (anchor, rest) = line.strip_prefix("| <a id=\"")?.split_once("\"></a>`")?;
    let (name, _) = rest.split_once('`')?;
    assert_eq!(anchor, name, "the anchor is the name: {line}");
    Some(name)
}

#[expect(clippy::print_stdout, reason = "the count belongs to the report of the tests")]
fn say(text: &str) {
    println!("{text}");
}
