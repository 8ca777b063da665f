//! The SHA-256 of files, where somebody asked for it.

use std::fs::File;

use mlfetch_store::{Algorithm, Checksum, Coverage, Error, ErrorKind};
use sha2::{Digest as _, Sha256};

use super::FileError;
use super::answer::Broken;
use super::digest::Digests;
use super::follow::Follower;
use super::pass::pass;
use super::transfer::{Content, Planned, Transferred, Transfers};
use crate::RelativePath;
use crate::destination::StagedFile;
use crate::manifest::{Sha256Sum, Sums};

/// What a file on disk turned out to be.
pub(super) struct Digested {
    pub(super) size: u64,
    pub(super) sha256: Sha256Sum,
    /// The checksum that was wanted beside it.
    pub(super) also: Option<Vec<u8>>,
}

/// Reads a file to its end, once, and digests it.
pub(super) fn digest_all(file: &File, mut also: Option<Digests>) -> std::io::Result<Digested> {
    let mut digest = Sha256::new();
    let size = pass(file, 0..u64::MAX, |chunk| {
        digest.update(chunk);
        if let Some(also) = &mut also {
            also.update(chunk);
        }
    })?;
    let sha256 = Sha256Sum::finish(digest);
    Ok(Digested { size, sha256, also: also.map(Digests::finish) })
}

impl Transfers {
    /// A digest for bytes that will pass in order, unless the store's own checksum is the same one.
    pub(super) fn begin_sha256(&self, sum: Option<&Checksum>) -> Option<Sha256> {
        let is_known = sum.is_some_and(is_sha256_of_all);
        (self.settings.takes_sha256() && !is_known).then(Sha256::new)
    }

    /// The same for a file that comes in parts: it is read behind those who write it.
    pub(super) fn follow_sha256(
        &self,
        sum: Option<&Checksum>,
        staged: &StagedFile,
    ) -> std::io::Result<Option<Follower>> {
        let digest = self.begin_sha256(sum).and_then(|_| Digests::of(&sha256_of_all()));
        digest.map(|digest| Ok(Follower::new(&self.hands, staged.share()?, digest))).transpose()
    }

    /// What the bytes that arrived came to, if that is asked for. Those of a file on disk were
    /// digested as they passed.
    pub(super) fn sha256(&self, arrived: &Transferred) -> Option<Sha256Sum> {
        if !self.settings.takes_sha256() || arrived.sha256.is_some() {
            return arrived.sha256;
        }
        let of_store = arrived.checksum.as_ref().filter(|(sum, _)| is_sha256_of_all(sum));
        if let Some(sum) = of_store.and_then(|(_, ours)| Sha256Sum::from_bytes(ours)) {
            return Some(sum);
        }
        match &arrived.bytes {
            Content::Memory(bytes) => Some(Sha256Sum::of(bytes)),
            Content::Staged(_) => None,
        }
    }

    /// Whether a list names the file, before a byte of it is asked for: what a list does not name
    /// does not belong to the tree.
    pub(super) fn check_listed(&self, path: &RelativePath) -> Result<(), FileError> {
        match &self.settings.sums {
            Some(sums) if sums.get(path).is_none() => {
                let error = Error::new(ErrorKind::Integrity, "verify", path.to_string());
                let called = sums.called();
                Err(error
                    .with_message(format!("the {called} does not name it"))
                    .with_hint(sums.unlisted_hint())
                    .into())
            }
            _ => Ok(()),
        }
    }

    /// Holds the bytes that arrived to the list that was given; says whether there is one.
    pub(super) fn hold_to_list(
        &self,
        planned: &Planned,
        sha256: Option<&Sha256Sum>,
    ) -> Result<bool, Broken> {
        let Some(sums) = &self.settings.sums else { return Ok(false) };
        let Some(expected) = sums.get(&planned.path) else { return Ok(false) };
        let ours = sha256.expect("where there is a list, each file is digested");
        if expected == ours {
            return Ok(true);
        }
        let error = Error::new(ErrorKind::Integrity, "verify", planned.path.to_string())
            .with_message(not_of_list(sums, expected, ours))
            .with_hint(format!("if these bytes are meant, write the {} anew", sums.called()));
        // They may have changed on their way.
        Err(Broken { error: error.into(), again: true })
    }
}

pub(super) fn not_of_list(sums: &Sums, expected: &Sha256Sum, ours: &Sha256Sum) -> String {
    format!("its sha256 is {ours} and the {} says {expected}", sums.called())
}

/// The value of a follower, once all ranges were given to it.
pub(super) async fn followed(follower: Option<Follower>) -> std::io::Result<Option<Sha256Sum>> {
    Ok(match follower {
        Some(follower) => Sha256Sum::from_bytes(&follower.finish().await?),
        None => None,
    })
}

/// What a follower is to come to.
fn sha256_of_all() -> Checksum {
    Checksum::new(Algorithm::Sha256, Vec::new())
}

fn is_sha256_of_all(sum: &Checksum) -> bool {
    sum.algorithm == Algorithm::Sha256 && sum.coverage == Coverage::Object
}
