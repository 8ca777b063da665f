//! One digest for a whole tree, which everybody can compute again.

use sha2::{Digest as _, Sha256};

use super::{Sha256Sum, line};
use crate::RelativePath;

/// The digest of a tree: the SHA-256 of the list that `sha256sum` prints for its files, each named
/// `./path`, in the order of the paths' bytes. In a directory that holds the tree and nothing else
///
/// ```sh
/// find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum
/// ```
///
/// prints the same.
///
/// ```
/// use mlfetch_core::RelativePath;
/// use mlfetch_core::manifest::{Sha256Sum, TreeDigest};
/// let mut digest = TreeDigest::new();
/// digest.add(&RelativePath::new("a/b").unwrap(), &Sha256Sum::of(b"x"));
/// let list = format!("{}  ./a/b\n", Sha256Sum::of(b"x"));
/// assert_eq!(digest.finish(), Sha256Sum::of(list.as_bytes()));
/// ```
#[derive(Debug, Default)]
pub struct TreeDigest {
    digest: Sha256,
    line: Vec<u8>,
}

impl TreeDigest {
    /// Of a tree without files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next file. They must come in the order of their paths' bytes.
    pub fn add(&mut self, path: &RelativePath, sum: &Sha256Sum) {
        self.line.clear();
        line::write(&mut self.line, sum, &[b"./", path.as_bytes()].concat());
        self.digest.update(&self.line);
    }

    /// What it came to.
    pub fn finish(self) -> Sha256Sum {
        Sha256Sum::finish(self.digest)
    }
}
