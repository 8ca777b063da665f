//! One file of this disk, held to what it should be.

use std::fs::File;
use std::sync::Arc;

use mlfetch_store::{Checksum, Error, ErrorKind, ObjectInfo, Result, Store, WantedChecksums};
use sha2::{Digest as _, Sha256};

use super::expected::ExpectedFile;
use super::local::Local;
use crate::RelativePath;
use crate::engine::Proof;
use crate::engine::answer::now;
use crate::engine::digest::Digests;
use crate::engine::pass::pass;
use crate::engine::verify::{mismatch, strongest};
use crate::manifest::Sha256Sum;

/// What was proven, or in what it differs; nothing of a file that nobody expects.
pub(super) type Verdict = Option<std::result::Result<Proof, String>>;

/// What came of a file.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) path: RelativePath,
    pub(super) size: u64,
    pub(super) verdict: Verdict,
    /// Where it was asked for.
    pub(super) sha256: Option<Sha256Sum>,
}

/// What is to be read of a file.
#[derive(Clone)]
struct Reading {
    local: Arc<Local>,
    path: RelativePath,
    size: Option<u64>,
    against: Against,
    /// Take the SHA-256 in any case.
    takes_sha256: bool,
}

/// What its bytes are held to.
#[derive(Clone, PartialEq, Eq)]
enum Against {
    Nothing,
    Size,
    Sha256(Sha256Sum, Proof),
    Checksum(Checksum),
}

/// Compares a file; `None` expects nothing of it.
pub(super) async fn compare(
    local: Arc<Local>,
    path: RelativePath,
    expected: Option<ExpectedFile>,
    takes_sha256: bool,
) -> Result<Compared> {
    let mut object = None;
    let (size, against) = match expected {
        None => (None, Against::Nothing),
        Some(ExpectedFile::Row { size, sha256 }) => {
            let proof = Proof::Checksum(mlfetch_store::Algorithm::Sha256);
            (Some(size), Against::Sha256(sha256, proof))
        }
        Some(ExpectedFile::Listed(sha256)) => (None, Against::Sha256(sha256, Proof::List)),
        Some(ExpectedFile::Object { store, info }) => {
            let against = of_object(store.as_ref(), &info, WantedChecksums::Kept).await?;
            let size = info.size;
            object = Some((store, info));
            (size, against)
        }
    };
    let reading = Reading { local, path, size, against, takes_sha256 };
    let compared = reading.on_its_thread().await?;
    let Some((store, info)) = object.filter(|_| matches!(compared.verdict, Some(Err(_)))) else {
        return Ok(compared);
    };
    // What does not agree may be the fault of what was taken for granted.
    let exact = of_object(store.as_ref(), &info, WantedChecksums::Exact).await?;
    if exact == reading.against {
        return Ok(compared);
    }
    Reading { against: exact, ..reading }.on_its_thread().await
}

/// The strongest checksum that the store gives, also where that costs a request.
async fn of_object(
    store: &dyn Store,
    info: &ObjectInfo,
    wanted: WantedChecksums,
) -> Result<Against> {
    let listed = strongest(&info.checksums).cloned();
    let sum = match listed {
        None => strongest(&now(store, info, wanted).await?.checksums).cloned(),
        listed => listed,
    };
    Ok(sum.map_or(Against::Size, Against::Checksum))
}

impl Reading {
    async fn on_its_thread(&self) -> Result<Compared> {
        let reading = self.clone();
        tokio::task::spawn_blocking(move || reading.run()).await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Other, "read", "a file").with_source(cause))
        })
    }

    fn run(self) -> Result<Compared> {
        let Some((file, size)) = self.local.file(&self.path)? else {
            let verdict = Some(Err("it is no plain file any more".into()));
            return Ok(Compared { path: self.path, size: 0, verdict, sha256: None });
        };
        let (verdict, sha256) = self.verdict(&file, size)?;
        Ok(Compared { path: self.path, size, verdict, sha256 })
    }

    fn verdict(&self, file: &File, size: u64) -> Result<(Verdict, Option<Sha256Sum>)> {
        let other_size = self.size.filter(|expected| *expected != size);
        let other_size =
            other_size.map(|expected| format!("it has {size} bytes instead of {expected}"));
        let reads = !matches!(self.against, Against::Nothing | Against::Size);
        // Another size says it all.
        if !self.takes_sha256 && (other_size.is_some() || !reads) {
            return Ok((self.without_reading(other_size), None));
        }
        let wants_sha256 = self.takes_sha256 || matches!(self.against, Against::Sha256(..));
        let mut sha256 = wants_sha256.then(Sha256::new);
        let mut other = match &self.against {
            Against::Checksum(sum) => Digests::of(sum),
            _ => None,
        };
        pass(file, 0..u64::MAX, |chunk| {
            if let Some(digest) = &mut sha256 {
                digest.update(chunk);
            }
            if let Some(digest) = &mut other {
                digest.update(chunk);
            }
        })
        .map_err(|cause| self.local.unreadable(&self.path, cause))?;
        let sha256 = sha256.map(Sha256Sum::finish);
        let verdict = match (&self.against, sha256, other.map(Digests::finish)) {
            _ if other_size.is_some() => self.without_reading(other_size),
            (Against::Sha256(expected, proof), Some(ours), _) => Some(if ours == *expected {
                Ok(proof.clone())
            } else {
                Err(format!("its sha256 is {ours} instead of {expected}"))
            }),
            (Against::Checksum(sum), _, Some(ours)) => Some(if ours == sum.value {
                Ok(Proof::Checksum(sum.algorithm))
            } else {
                Err(mismatch(sum, ours))
            }),
            _ => self.without_reading(None),
        };
        Ok((verdict, sha256.filter(|_| self.takes_sha256)))
    }

    /// What the size alone says.
    fn without_reading(&self, other_size: Option<String>) -> Verdict {
        match (&self.against, other_size) {
            (Against::Nothing, _) => None,
            (_, Some(why)) => Some(Err(why)),
            _ => Some(Ok(if self.size.is_some() { Proof::Size } else { Proof::Transfer })),
        }
    }
}
