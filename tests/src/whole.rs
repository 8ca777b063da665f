//! A run behind a tracking server, fetched whole.

use crate::{Desk, Ran, Tree};

/// Fetches `uri`, whose last segment is `dir`, with more arguments; it must come to this tree.
///
/// # Panics
/// If it fails, or the tree is another.
#[track_caller]
pub fn fetch_whole(
    uri: &str,
    server: &str,
    expected: &Tree,
    more: &[&str],
    environment: &[(&str, &str)],
) -> Ran {
    let desk = Desk::new();
    let first = ["get", uri, "-d", "out", "-v", "--tracking-uri", server];
    let ran = desk.run(&[&first, more].concat(), environment);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut whole = Tree::default();
    whole.put_all("out/dir", expected);
    assert_eq!(whole.differences(&desk.tree()), [""; 0]);
    ran
}
