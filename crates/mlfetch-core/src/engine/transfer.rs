//! One file: `Planned` → `Transferred` → `Verified` → committed. Each is a type, and only a
//! `Verified` can be committed.

use std::sync::Arc;

use mlfetch_store::{
    Algorithm, Checksum, Error, ErrorKind, Object, ObjectInfo, ReadRequest, Store, WantedChecksums,
};

use super::ahead::Lead;
use super::answer::{Broken, too_long, wrong_bytes};
use super::conflict::Course;
use super::digest::Digests;
use super::hands::Hands;
use super::journal::stem;
use super::lanes::Lanes;
use super::overwrite::Replacing;
use super::pace::Pace;
use super::part;
use super::parts::Parts;
use super::ranges::RangeSums;
use super::report::Meter;
use super::room::Room;
use super::turns::{Turn, Turns};
use super::verify::{Proof, Verify, mismatch};
use super::writer::{Whole, Writer};
use super::{FetchSettings, FileError, Sealed, Witness};
use crate::RelativePath;
use crate::destination::{Destination, StagedFile};
use crate::manifest::{ManifestRow, Sha256Sum};

/// Files up to this size are held in memory and written in one go: one thread hop a file.
pub(super) const SMALL_BYTES: u64 = 1024 * 1024;

/// Whole transfers of one file: a body that cannot be continued, or bytes that fail their check,
/// are fetched again from the start.
const MAX_TRANSFERS: u32 = 3;

/// A file that is to be fetched.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) info: ObjectInfo,
    pub(super) path: RelativePath,
    /// What may happen to a file of that name.
    pub(super) replacing: Replacing,
    pub(super) meter: Meter,
}

/// What all transfers of one part of a fetch share.
#[derive(Debug)]
pub(super) struct Transfers {
    pub(super) store: Arc<dyn Store>,
    pub(super) course: Course,
    /// Whether this part lies over one that arrived before.
    pub(super) laid_over: bool,
    pub(super) destination: Arc<Destination>,
    pub(super) settings: Arc<FetchSettings>,
    pub(super) room: Arc<Room>,
    pub(super) hands: Arc<Hands>,
    pub(super) pace: Option<Arc<Pace>>,
    pub(super) turns: Arc<Turns>,
    pub(super) lanes: Arc<Lanes>,
    pub(super) range_sums: RangeSums,
    pub(super) witness: Option<Arc<dyn Witness>>,
    pub(super) lead: Lead,
}

/// The bytes are here; nothing is known of them yet.
pub(super) struct Transferred {
    pub(super) bytes: Content,
    /// What the answer said of the object.
    pub(super) info: ObjectInfo,
    /// The store's checksum and ours, if it gave one.
    pub(super) checksum: Option<(Checksum, Vec<u8>)>,
    /// How the checksums of its ranges were computed, if all of them came with one, and agreed.
    pub(super) ranges: Option<Algorithm>,
    /// If it was taken on the way.
    pub(super) sha256: Option<Sha256Sum>,
    pub(super) size: u64,
}

/// Where the bytes are.
pub(super) enum Content {
    Memory(Vec<u8>),
    Staged(StagedFile),
}

/// The bytes are what the store says they are.
struct Verified {
    bytes: Content,
    info: ObjectInfo,
    size: u64,
    proof: Proof,
    sha256: Option<Sha256Sum>,
}

/// What is told of a file that arrived.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) size: u64,
    /// Bytes of it that an earlier fetch had brought.
    pub(super) kept: u64,
    pub(super) proof: Proof,
    /// For the manifest, where there is to be one.
    pub(super) row: Option<ManifestRow>,
}

impl Transfers {
    /// Fetches one file, from its first byte again where that can help.
    pub(super) async fn fetch(&self, planned: &Planned) -> Result<Committed, FileError> {
        let mut transfers = 1;
        // Until the bytes of a small file are on the disk.
        let mut turn = None;
        loop {
            // What does not agree may be the fault of what was taken for granted.
            let wanted =
                if transfers == 1 { WantedChecksums::Kept } else { WantedChecksums::Exact };
            match self.transfer_and_verify(planned, wanted, &mut turn).await {
                Ok(verified) => return self.commit(planned, verified).await,
                Err(Broken { again: true, .. }) if transfers < MAX_TRANSFERS => {
                    planned.meter.take_back();
                    transfers += 1;
                }
                Err(Broken { error, .. }) => return Err(error),
            }
        }
    }

    async fn transfer_and_verify<'a>(
        &'a self,
        planned: &Planned,
        wanted: WantedChecksums,
        turn: &mut Option<Turn<'a>>,
    ) -> Result<Verified, Broken> {
        let mut transferred = self.transfer(planned, wanted, turn).await?;
        transferred.sha256 = self.sha256(&transferred);
        self.verify(planned, transferred)
    }

    async fn transfer<'a>(
        &'a self,
        planned: &Planned,
        wanted: WantedChecksums,
        turn: &mut Option<Turn<'a>>,
    ) -> Result<Transferred, Broken> {
        if let Some(copied) = self.copy(planned).await? {
            return Ok(copied);
        }
        // Parts wait for turns of their own: nobody waits who holds one.
        *turn = None;
        // What an answer told of the object, where the listing had no size of it.
        let mut told = None;
        let mut has_ranges = true;
        loop {
            let known = told.as_ref().unwrap_or(&planned.info);
            let parts = self.parts(known).filter(|_| has_ranges);
            if let Some(parts) = parts {
                match part::transfer(self, planned, told.as_ref(), parts, wanted).await {
                    // The store said it has ranges and this object has none: all in one piece then.
                    Err(Broken { error: FileError::Store(error), .. })
                        if error.kind() == ErrorKind::Unsupported =>
                    {
                        planned.meter.take_back();
                        has_ranges = false;
                    }
                    done => return done,
                }
            }
            *turn = Some(self.turns.take(known.size).await);
            let object = self.read_whole(known).await?;
            if known.size.is_none() && self.is_big_and_tied(&object.info) {
                // In parts it can be continued. Of this answer a few buffers were on their way.
                *turn = None;
                told = Some(object.info);
                continue;
            }
            return match object.info.size {
                Some(size) if size <= SMALL_BYTES => self.to_memory(planned, object, size).await,
                _ => self.to_disk(planned, object).await,
            };
        }
    }

    /// Begins to read a file in one piece. What the server computed over these bytes covers the whole.
    async fn read_whole(&self, known: &ObjectInfo) -> Result<Object, Error> {
        let request = self.whole(known);
        if !request.checksum {
            return self.read(known, request).await;
        }
        match self.read(known, request).await {
            // It gives no ranges.
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                self.read(known, ReadRequest::new()).await
            }
            answer => {
                let mut object = answer?;
                self.range_sums.came(object.checksum.as_ref());
                object.info.checksums.extend(object.checksum.take());
                Ok(object)
            }
        }
    }

    fn is_big_and_tied(&self, info: &ObjectInfo) -> bool {
        let is_tied = info.etag.is_some() || info.version.is_some();
        is_tied && Parts::of(info, self.store.info()).is_some()
    }

    async fn to_memory(
        &self,
        planned: &Planned,
        object: Object,
        size: u64,
    ) -> Result<Transferred, Broken> {
        let Object { info, mut body, .. } = object;
        let checksum = self.checksum(&planned.info, &info).await?;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        while let Some(chunk) = self.next(&mut body, &info).await? {
            if (bytes.len() + chunk.len()) as u64 > size {
                return Err(too_long(&info, size));
            }
            bytes.extend_from_slice(&chunk);
            planned.meter.add(chunk.len());
        }
        let checksum = checksum.map(|(sum, mut digest)| {
            digest.update(&bytes);
            (sum, digest.finish())
        });
        let size = bytes.len() as u64;
        let bytes = Content::Memory(bytes);
        Ok(Transferred { bytes, info, checksum, ranges: None, sha256: None, size })
    }

    async fn to_disk(&self, planned: &Planned, object: Object) -> Result<Transferred, Broken> {
        let Object { info, mut body, .. } = object;
        let (sum, digest) = self.checksum(&planned.info, &info).await?.unzip();
        let staged = self.stage(planned).await?;
        let failed = |error: std::io::Error| self.destination.io_error(&planned.path, &error);
        // The listing may know the size where the answer does not.
        let announced = info.size.or(planned.info.size);
        let sha256 = self.begin_sha256(sum.as_ref());
        let mut writer = Writer::new(&self.hands, Whole { staged, digest, sha256, size: 0 });
        let mut size = 0;
        while let Some(chunk) = self.next(&mut body, &info).await? {
            size += chunk.len() as u64;
            if let Some(announced) = announced.filter(|announced| size > *announced) {
                return Err(too_long(&info, announced));
            }
            planned.meter.add(chunk.len());
            writer.write(chunk).await.map_err(failed)?;
        }
        let Whole { staged, digest, sha256, size } = writer.finish().await.map_err(failed)?;
        let checksum = sum.zip(digest.map(Digests::finish));
        let sha256 = sha256.map(Sha256Sum::finish);
        let bytes = Content::Staged(staged);
        Ok(Transferred { bytes, info, checksum, ranges: None, sha256, size })
    }

    /// A new staged file.
    pub(super) async fn stage(&self, planned: &Planned) -> Result<StagedFile, FileError> {
        let destination = Arc::clone(&self.destination);
        let path = planned.path.clone();
        self.hands.brief_step(move || destination.stage(&path, None)).await
    }

    /// A staged file for a big one; the one that an earlier fetch of the same object left, if there
    /// is one.
    pub(super) async fn stage_big(
        &self,
        planned: &Planned,
        info: &ObjectInfo,
        sum: Option<&Checksum>,
    ) -> Result<StagedFile, FileError> {
        let destination = Arc::clone(&self.destination);
        let path = planned.path.clone();
        let stem =
            self.resumes(sum.is_some()).then(|| stem(&self.store.info().root, info, sum, &path));
        self.hands.step(move || destination.stage(&path, stem.as_deref())).await
    }

    /// Whether a big file is continued. Where proof is required, what an earlier fetch brought needs a
    /// checksum of the whole, or a list.
    pub(super) fn resumes(&self, has_sum: bool) -> bool {
        let FetchSettings { resume, verify, sums, .. } = self.settings.as_ref();
        *resume && (has_sum || sums.is_some() || *verify != Verify::Required)
    }

    fn verify(&self, planned: &Planned, arrived: Transferred) -> Result<Verified, Broken> {
        match self.proof(planned, &arrived) {
            Ok(proof) => {
                let Transferred { bytes, info, sha256, size, .. } = arrived;
                Ok(Verified { bytes, info, size, proof, sha256 })
            }
            Err(broken) => {
                if let Content::Staged(staged) = arrived.bytes {
                    staged.discard();
                }
                Err(broken)
            }
        }
    }

    fn proof(&self, planned: &Planned, arrived: &Transferred) -> Result<Proof, Broken> {
        let Transferred { info, checksum, ranges, sha256, size, .. } = arrived;
        let expected = planned.info.size.or(info.size);
        if let Some(expected) = expected.filter(|expected| expected != size) {
            let message = format!("{size} bytes arrived and the store has {expected}");
            return Err(wrong_bytes(&planned.info, message));
        }
        Ok(match (checksum, ranges) {
            (Some((sum, ours)), _) if sum.value != *ours => {
                return Err(wrong_bytes(&planned.info, mismatch(sum, ours.clone())));
            }
            _ if self.hold_to_list(planned, sha256.as_ref())? => Proof::List,
            (Some((sum, _)), _) => Proof::Checksum(sum.algorithm),
            (None, Some(algorithm)) => Proof::Ranges(*algorithm),
            (None, None) if self.settings.verify == Verify::Required => {
                let key = planned.info.key.to_string();
                return Err(Error::new(ErrorKind::Integrity, "verify", key)
                    .with_message("the store gives no checksum and one is required")
                    .into());
            }
            (None, None) if expected.is_some() => Proof::Size,
            (None, None) => Proof::Transfer,
        })
    }

    async fn commit(&self, planned: &Planned, verified: Verified) -> Result<Committed, FileError> {
        self.witnessed(planned, &verified).await?;
        let Verified { bytes, info, size, proof, sha256 } = verified;
        // The listing's time first: it is what the next fetch will compare with, and some stores
        // tell fractions of a second there and not with the bytes.
        let modified = planned.info.modified.or(info.modified);
        let how = self.settings.commit(planned.replacing, modified);
        let destination = Arc::clone(&self.destination);
        let path = planned.path.clone();
        let commit = move || match bytes {
            Content::Staged(staged) => destination.commit(staged, &path, &how),
            Content::Memory(bytes) => destination.put(&path, &bytes, &how),
        };
        self.hands.brief_step(commit).await?;
        let row = sha256.map(|sha256| self.row(planned, info, sha256, size, &proof));
        Ok(Committed { size, kept: planned.meter.kept(), proof, row })
    }
}

impl Transfers {
    /// Lets somebody who takes part see the file before it gets its name.
    async fn witnessed(&self, planned: &Planned, verified: &Verified) -> Result<(), FileError> {
        let Some(witness) = &self.witness else { return Ok(()) };
        let (listed, answered) = (&planned.info, &verified.info);
        let source = self.source(listed);
        let file = Sealed {
            path: &planned.path,
            source: &source,
            size: verified.size,
            version: answered.version.as_deref().or(listed.version.as_deref()),
            etag: answered.etag.as_deref().or(listed.etag.as_deref()),
            proof: &verified.proof,
            sha256: verified.sha256.as_ref(),
        };
        witness.committing(&file).await
    }
}

#[cfg(test)]
impl Transfers {
    /// For tests of a single step.
    pub(super) fn over(store: Arc<dyn Store>, destination: &std::path::Path) -> Self {
        Self {
            store,
            course: Course { prefix: mlfetch_store::Key::root(), place: Vec::new() },
            laid_over: false,
            destination: Arc::new(Destination::open(destination).expect("opens")),
            settings: Arc::default(),
            room: Arc::default(),
            hands: Arc::default(),
            pace: None,
            turns: Arc::new(Turns::new(Some(1), None)),
            lanes: Arc::new(Lanes::new(Some(1))),
            range_sums: RangeSums::default(),
            witness: None,
            lead: Lead::new(&[], &FetchSettings::default(), Arc::new(super::NoObserver)),
        }
    }
}

#[cfg(test)]
impl Planned {
    /// For tests of a single step.
    pub(super) fn of(key: mlfetch_store::Key, size: u64) -> Self {
        let path = RelativePath::new(key.as_bytes()).expect("a path");
        let info = ObjectInfo::new(key).with_size(size);
        Self {
            info,
            path,
            replacing: Replacing::Theirs,
            meter: Meter::new(&Arc::default(), Some(size)),
        }
    }
}
