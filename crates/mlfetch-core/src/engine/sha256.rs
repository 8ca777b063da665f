//! The SHA-256 of files, where somebody asked for it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use mlfetch_store::{Algorithm, Checksum, Coverage, Error, ErrorKind};
use sha2::{Digest as _, Sha256};

use super::FileError;
use super::answer::Broken;
use super::digest::Digests;
use super::transfer::{Content, Planned, Transferred, Transfers, blocking};
use crate::RelativePath;
use crate::manifest::Sha256Sum;

/// What is read of a file at a time.
const READ_BYTES: usize = 256 * 1024;

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
    let size = pass(file, |chunk| {
        digest.update(chunk);
        if let Some(also) = &mut also {
            also.update(chunk);
        }
    })?;
    let sha256 = Sha256Sum::finish(digest);
    Ok(Digested { size, sha256, also: also.map(Digests::finish) })
}

/// Passes all bytes of a file on, in order, and counts them.
pub(super) fn pass(file: &File, mut to: impl FnMut(&[u8])) -> std::io::Result<u64> {
    let mut buffer = vec![0; READ_BYTES];
    let mut size = 0;
    loop {
        match file.read_at(&mut buffer, size) {
            Ok(0) => return Ok(size),
            Ok(count) => {
                to(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Transfers {
    /// A digest for bytes that will pass in order, unless the store's own checksum is the same one.
    pub(super) fn begin_sha256(&self, sum: Option<&Checksum>) -> Option<Sha256> {
        let is_known = sum.is_some_and(is_sha256_of_all);
        (self.settings.takes_sha256() && !is_known).then(Sha256::new)
    }

    /// What the bytes that arrived came to, if that is asked for. Those that passed in order were
    /// digested then; a file that came in parts is read once.
    pub(super) async fn sha256(
        &self,
        planned: &Planned,
        arrived: &Transferred,
    ) -> Result<Option<Sha256Sum>, FileError> {
        if !self.settings.takes_sha256() || arrived.sha256.is_some() {
            return Ok(arrived.sha256);
        }
        let of_store = arrived.checksum.as_ref().filter(|(sum, _)| is_sha256_of_all(sum));
        if let Some(sum) = of_store.and_then(|(_, ours)| Sha256Sum::from_bytes(ours)) {
            return Ok(Some(sum));
        }
        let staged = match &arrived.bytes {
            Content::Memory(bytes) => return Ok(Some(Sha256Sum::of(bytes))),
            Content::Staged(staged) => staged,
        };
        let destination = Arc::clone(&self.destination);
        let path = planned.path.clone();
        let file = staged.share().map_err(|error| destination.io_error(&path, &error))?;
        let digest =
            move || digest_all(&file, None).map_err(|error| destination.io_error(&path, &error));
        Ok(Some(blocking(digest).await?.sha256))
    }

    /// Whether a list names the file, before a byte of it is asked for: what a list does not name
    /// does not belong to the tree.
    pub(super) fn check_listed(&self, path: &RelativePath) -> Result<(), FileError> {
        match &self.settings.sums {
            Some(sums) if sums.get(path).is_none() => {
                let error = Error::new(ErrorKind::Integrity, "verify", path.to_string());
                Err(error
                    .with_message("the list of checksums does not name it")
                    .with_hint("leave it out with --exclude, or add its line to the list")
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
        let expected = self.settings.sums.as_ref().and_then(|sums| sums.get(&planned.path));
        match (expected, sha256) {
            (Some(expected), Some(ours)) if expected == ours => Ok(true),
            (Some(expected), Some(ours)) => {
                let error = Error::new(ErrorKind::Integrity, "verify", planned.path.to_string())
                    .with_message(not_of_list(expected, ours))
                    .with_hint("if these bytes are meant, write the list anew");
                // They may have changed on their way.
                Err(Broken { error: error.into(), again: true })
            }
            _ => Ok(false),
        }
    }
}

pub(super) fn not_of_list(expected: &Sha256Sum, ours: &Sha256Sum) -> String {
    format!("its sha256 is {ours} and the list of checksums says {expected}")
}

fn is_sha256_of_all(sum: &Checksum) -> bool {
    sum.algorithm == Algorithm::Sha256 && sum.coverage == Coverage::Object
}
