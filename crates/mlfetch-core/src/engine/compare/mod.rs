//! A directory of this disk, held to what it should be. Nothing is written, links are not followed,
//! several files are read at once, and what is in memory is the names that are expected and the
//! files that are being read.

mod expected;
mod local;
mod one;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use futures_util::{TryStreamExt as _, stream};
use mlfetch_store::{Error, ErrorKind, Key, Result};
use tokio::sync::mpsc;

pub use expected::ExpectedTree;
pub(super) use local::{Found, Local};
use one::{Compared, compare};

use super::Proof;
use crate::RelativePath;
use crate::manifest::{Sha256Sum, TreeDigest};

/// Names that are found before the files of before are read.
const AHEAD: usize = 1024;

/// How to compare.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CompareSettings {
    /// Files that are read at the same time.
    pub jobs: NonZeroUsize,
    /// Files of the directory that do not belong to the tree, such as its own manifest.
    pub ignored: Vec<RelativePath>,
    /// Take the digest of the whole, too; every file is read then.
    pub takes_tree_digest: bool,
}

impl Default for CompareSettings {
    fn default() -> Self {
        let jobs = NonZeroUsize::new(16).unwrap_or(NonZeroUsize::MIN);
        Self { jobs, ignored: Vec::new(), takes_tree_digest: false }
    }
}

impl CompareSettings {
    /// Sixteen files at the same time, no digest of the whole.
    pub fn new() -> Self {
        Self::default()
    }
}

/// In what a directory differs from what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The exact path below the directory; of something that cannot lie there its key in the store.
    pub path: Key,
    /// In what.
    pub kind: DifferenceKind,
}

/// In what a file differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Its bytes are others, or it is no file; and how that was seen.
    Changed(String),
    /// It is not there.
    Missing,
    /// Nobody expects it.
    Extra,
}

/// What a comparison came to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Comparison {
    /// Files that are what they should be.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that are others.
    pub changed: u64,
    /// Files that are not there.
    pub missing: u64,
    /// Files that nobody expects.
    pub extra: u64,
    /// Their bytes.
    pub extra_bytes: u64,
    /// What was proven, and of how many files.
    pub proofs: BTreeMap<Proof, u64>,
    /// The digest of the directory as it is, if it was asked for. What is no plain file has no part
    /// in it, as with `find -type f`.
    pub tree: Option<Sha256Sum>,
}

/// Compares a directory with what it should be, and tells each difference in the order of paths;
/// files that are missing come last.
///
/// # Errors
/// `NotFound`, `PermissionDenied`, `InvalidInput`, `Io` of the directory; of a store that is asked
/// for checksums what it says.
///
/// ```
/// use mlfetch_core::engine::{CompareSettings, ExpectedTree, compare_tree};
/// use mlfetch_core::manifest::{Sha256Sum, Sums};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mlfetch_store::Error> {
/// # let directory = tempfile::tempdir().unwrap();
/// std::fs::write(directory.path().join("a"), "x").unwrap();
/// let list = format!("{}  a\n", Sha256Sum::of(b"x"));
/// let expected = ExpectedTree::from(&Sums::parse(list.as_bytes(), "a list")?);
/// let settings = CompareSettings::new();
/// let found = compare_tree(directory.path(), expected, &settings, |_| ()).await?;
/// assert_eq!((found.files, found.changed), (1, 0));
/// # Ok(())
/// # }
/// ```
pub async fn compare_tree(
    directory: &Path,
    mut expected: ExpectedTree,
    settings: &CompareSettings,
    mut tell: impl FnMut(&Difference),
) -> Result<Comparison> {
    let local = Arc::new(Local::open(directory)?);
    let takes_digest = settings.takes_tree_digest;
    let mut tree = TreeDigest::new();
    let mut comparison = Comparison::default();
    let rows = walked(&local).try_filter(|found| {
        let is_ignored = matches!(found, Found::File(path) if settings.ignored.contains(path));
        std::future::ready(!is_ignored)
    });
    let compared = rows.map_ok(|found| {
        let expected = match &found {
            Found::File(path) | Found::Other(path) => expected.files.remove(path),
            Found::Odd(_) => None,
        };
        let local = Arc::clone(&local);
        async move {
            match found {
                Found::File(path) => {
                    compare(local, path, expected, takes_digest).await.map(Row::Compared)
                }
                Found::Other(path) if expected.is_some() => Ok(Row::NoFile(key(&path))),
                Found::Other(path) => Ok(Row::Extra(key(&path))),
                Found::Odd(name) => Ok(Row::Extra(name)),
            }
        }
    });
    let mut compared = Box::pin(compared.try_buffered(settings.jobs.get()));
    while let Some(row) = compared.try_next().await? {
        if let Row::Compared(Compared { path, sha256: Some(sum), .. }) = &row {
            tree.add(path, sum);
        }
        if let Some(difference) = comparison.count(row) {
            tell(&difference);
        }
    }
    drop(compared);
    for path in expected.files.keys().map(key).chain(expected.odd) {
        comparison.missing += 1;
        tell(&Difference { path, kind: DifferenceKind::Missing });
    }
    comparison.tree = takes_digest.then(|| tree.finish());
    Ok(comparison)
}

fn key(path: &RelativePath) -> Key {
    Key::new(path.as_bytes())
}

/// What came of a row of the directory.
enum Row {
    Compared(Compared),
    /// A file is expected there, and it is none.
    NoFile(Key),
    Extra(Key),
}

impl Comparison {
    /// Whether nothing was changed, is missing or too much.
    pub fn is_same(&self) -> bool {
        self.changed + self.missing + self.extra == 0
    }

    fn count(&mut self, row: Row) -> Option<Difference> {
        let (path, kind) = match row {
            Row::Compared(Compared { verdict: Some(Ok(proof)), size, .. }) => {
                self.files += 1;
                self.bytes += size;
                *self.proofs.entry(proof).or_default() += 1;
                return None;
            }
            Row::Compared(Compared { path, verdict: Some(Err(why)), .. }) => {
                (key(&path), DifferenceKind::Changed(why))
            }
            Row::NoFile(path) => (path, DifferenceKind::Changed("it is no plain file".into())),
            Row::Compared(Compared { path, size, .. }) => {
                self.extra_bytes += size;
                (key(&path), DifferenceKind::Extra)
            }
            Row::Extra(path) => (path, DifferenceKind::Extra),
        };
        match kind {
            DifferenceKind::Extra => self.extra += 1,
            _ => self.changed += 1,
        }
        Some(Difference { path, kind })
    }
}

/// All that is below a directory, found on a thread of its own, a little ahead.
fn walked(local: &Arc<Local>) -> impl futures_util::Stream<Item = Result<Found>> + use<> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let local = Arc::clone(local);
    tokio::task::spawn_blocking(move || {
        let done = local.walk(b"", |found| sender.blocking_send(Ok(found)).is_ok());
        if let Err(error) = done {
            // Nobody listens any more if this fails.
            let _ = sender.blocking_send(Err(error));
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|found| (found, receiver))
    })
}

/// The path of a file in a directory, if it lies there: what compares a directory with a file in it
/// leaves that file out.
///
/// # Errors
/// `NotFound` or `Io` if one of the two cannot be found.
pub fn path_in(directory: &Path, file: &Path) -> Result<Option<RelativePath>> {
    use std::os::unix::ffi::OsStrExt as _;
    let real = |path: &Path| {
        path.canonicalize().map_err(|cause| {
            let kind = match cause.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Io,
            };
            let shown = mlfetch_store::escape(path.as_os_str().as_bytes());
            let error = Error::new(kind, "find", shown).with_source(cause);
            error.with_hint("check the path")
        })
    };
    let (directory, file) = (real(directory)?, real(file)?);
    let below = file.strip_prefix(directory).ok();
    Ok(below.and_then(|below| RelativePath::new(below.as_os_str().as_bytes()).ok()))
}
