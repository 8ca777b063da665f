//! Files that stay where they are, where somebody wants to know what they are.

use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, ObjectInfo, WantedChecksums};

use super::answer::now;
use super::digest::Digests;
use super::sha256::{Digested, digest_all, not_of_list};
use super::transfer::{Planned, Transfers};
use super::verify::{Proof, strongest};
use super::{FileError, SkipReason};
use crate::RelativePath;
use crate::manifest::{ManifestRow, Sha256Sum};

/// What a file that stays is; `None` if its bytes are not what they should be and it may be
/// replaced: then it is to be fetched after all.
pub(super) async fn kept(
    transfers: &Transfers,
    listed: &ObjectInfo,
    path: &RelativePath,
    reason: SkipReason,
) -> Result<Option<ManifestRow>, FileError> {
    // Its version and checksums may not be in the listing.
    let info = now(transfers.store.as_ref(), listed, WantedChecksums::Kept).await?;
    let sums = listed.checksums.iter().chain(&info.checksums);
    let sum = strongest(sums).cloned();
    let digest = sum.as_ref().and_then(Digests::of);
    let destination = Arc::clone(&transfers.destination);
    let at = path.clone();
    let Digested { size, sha256, also } = transfers
        .hands
        .step(move || {
            let file = destination.open_existing(&at)?;
            digest_all(&file, digest).map_err(|error| destination.io_error(&at, &error))
        })
        .await?;
    let of_list = transfers.settings.sums.as_ref().and_then(|sums| sums.get(path));
    let differs = match (&sum, &also) {
        (Some(sum), Some(ours)) => sum.value != *ours,
        _ => listed.size.is_some_and(|listed| listed != size),
    };
    let is_other = of_list.is_some_and(|expected| *expected != sha256);
    if (differs || is_other) && reason == SkipReason::Unchanged {
        return Ok(None);
    }
    if let (Some(sums), Some(expected), true) = (&transfers.settings.sums, of_list, is_other) {
        return Err(stays(path, not_of_list(sums, expected, &sha256)).into());
    }
    let proof = match (of_list, sum) {
        (Some(_), _) => Proof::List,
        _ if differs => return Ok(Some(ManifestRow::unproven(size, sha256))),
        (None, Some(sum)) if also.is_some() => Proof::Checksum(sum.algorithm),
        // That the size agrees says little of a file that nobody compared.
        _ if listed.size.is_some() && reason == SkipReason::Unchanged => Proof::Size,
        _ => return Ok(Some(ManifestRow::unproven(size, sha256))),
    };
    let source = (!differs).then(|| transfers.source(&info));
    Ok(Some(ManifestRow {
        size,
        sha256,
        version: info.version.filter(|_| source.is_some()).map(Into::into),
        etag: info.etag.filter(|_| source.is_some()).map(Into::into),
        source,
        proven: proof.to_string().into(),
    }))
}

fn stays(path: &RelativePath, why: String) -> Error {
    Error::new(ErrorKind::Integrity, "keep", path.to_string())
        .with_message(why)
        .with_hint("use --overwrite if-changed to fetch it again")
}

impl Transfers {
    /// Where an object lies, safe to show.
    pub(super) fn source(&self, info: &ObjectInfo) -> Box<str> {
        let root = &self.store.info().root;
        let between = if root.ends_with(['/', ':']) { "" } else { "/" };
        format!("{root}{between}{}", info.key).into()
    }

    /// What the manifest says of a file that was fetched.
    pub(super) fn row(
        &self,
        planned: &Planned,
        answered: ObjectInfo,
        sha256: Sha256Sum,
        size: u64,
        proof: &Proof,
    ) -> ManifestRow {
        let Planned { info: listed, .. } = planned;
        ManifestRow {
            size,
            sha256,
            source: Some(self.source(listed)),
            version: answered.version.or_else(|| listed.version.clone()).map(Into::into),
            etag: answered.etag.or_else(|| listed.etag.clone()).map(Into::into),
            proven: proof.to_string().into(),
        }
    }
}

impl ManifestRow {
    /// Of a file that mlfetch wrote itself.
    pub(super) fn own(bytes: &[u8]) -> Self {
        let (size, sha256) = (bytes.len() as u64, Sha256Sum::of(bytes));
        Self { size, sha256, source: None, version: None, etag: None, proven: "written".into() }
    }

    /// Of a file that nothing was proven of: it stays as somebody left it.
    fn unproven(size: u64, sha256: Sha256Sum) -> Self {
        Self { size, sha256, source: None, version: None, etag: None, proven: "nothing".into() }
    }
}
