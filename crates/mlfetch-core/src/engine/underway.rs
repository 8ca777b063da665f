//! The paths of the files that are on their way, and whether one would be in the way of another.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::RelativePath;

/// Paths of files that are on their way.
#[derive(Debug, Default)]
pub(super) struct Underway(BTreeSet<Vec<u8>>);

impl Underway {
    pub(super) fn insert(&mut self, path: &RelativePath) {
        self.0.insert(path.as_bytes().to_vec());
    }

    pub(super) fn remove(&mut self, path: &RelativePath) {
        self.0.remove(path.as_bytes());
    }

    /// Whether a file on its way has this path, or one above or below it.
    pub(super) fn meets(&self, path: &RelativePath) -> bool {
        let path = path.as_bytes();
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        if ends.chain([path.len()]).any(|end| self.0.contains(&path[..end])) {
            return true;
        }
        let below = [path, b"/"].concat();
        let from = (Bound::Included(below.as_slice()), Bound::Unbounded);
        self.0.range::<[u8], _>(from).next().is_some_and(|other| other.starts_with(&below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_path_and_what_lies_above_or_below_it_meet() {
        let path = |path: &str| RelativePath::new(path).expect("a path");
        let mut underway = Underway::default();
        for there in ["a/b", "a/b!", "a/b0", "c/d/e"] {
            underway.insert(&path(there));
        }
        for (meets, other) in [
            (true, "a/b"),
            (true, "a/b/c/d"),
            (true, "a"),
            (true, "c/d"),
            (true, "c"),
            (true, "c/d/e/f"),
            (false, "a/c"),
            (false, "a/b-"),
            (false, "a/b!!"),
            (false, "c/d/f"),
            (false, "c/d0"),
            (false, "b"),
        ] {
            assert_eq!(underway.meets(&path(other)), meets, "{other}");
        }
        underway.remove(&path("a/b"));
        assert!(!underway.meets(&path("a/b/c")));
    }
}
