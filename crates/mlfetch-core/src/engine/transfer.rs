//! One file: `Planned` → `Transferred` → `Verified` → committed. Each is a type, and only a
//! `Verified` can be committed.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use mlfetch_store::{
    Checksum, Error, ErrorKind, Object, ObjectInfo, ReadRequest, Result as StoreResult, Retry,
    StatRequest, Store,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::conflict::Course;
use super::part::{self, Parts};
use super::report::Meter;
use super::room::Room;
use super::verify::{Digests, Proof, Verify, strongest};
use super::writer::{Whole, Writer};
use super::{FetchSettings, FileError};
use crate::RelativePath;
use crate::destination::{Commit, Destination, DestinationError, StagedFile};

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
    /// Whether a file of that name may be replaced.
    pub(super) replace: bool,
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
    /// As many turns as there may be bodies on their way.
    pub(super) turns: Arc<Semaphore>,
}

/// The bytes are here; nothing is known of them yet.
pub(super) struct Transferred {
    pub(super) bytes: Content,
    /// What the answer said of the object.
    pub(super) info: ObjectInfo,
    /// The store's checksum and ours, if it gave one.
    pub(super) checksum: Option<(Checksum, Vec<u8>)>,
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
}

/// What is told of a file that arrived.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) size: u64,
    pub(super) proof: Proof,
}

/// Why a transfer came to nothing.
pub(super) struct Broken {
    pub(super) error: FileError,
    /// Whether the same from the first byte may come out right.
    pub(super) again: bool,
}

impl From<FileError> for Broken {
    fn from(error: FileError) -> Self {
        Self { error, again: false }
    }
}

/// A request that failed was repeated already where that could help, with its own patience.
impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        FileError::from(error).into()
    }
}

impl From<DestinationError> for Broken {
    fn from(error: DestinationError) -> Self {
        FileError::from(error).into()
    }
}

impl Transfers {
    /// Fetches one file, from its first byte again where that can help.
    pub(super) async fn fetch(&self, planned: &Planned) -> Result<Committed, FileError> {
        let mut transfers = 1;
        loop {
            match self.transfer_and_verify(planned).await {
                Ok(verified) => return self.commit(planned, verified).await,
                Err(Broken { again: true, .. }) if transfers < MAX_TRANSFERS => {
                    planned.meter.take_back();
                    transfers += 1;
                }
                Err(Broken { error, .. }) => return Err(error),
            }
        }
    }

    async fn transfer_and_verify(&self, planned: &Planned) -> Result<Verified, Broken> {
        let transferred = self.transfer(planned).await?;
        self.verify(planned, transferred)
    }

    async fn transfer(&self, planned: &Planned) -> Result<Transferred, Broken> {
        if let Some(parts) = Parts::of(&planned.info, self.store.info()) {
            match part::transfer(self, planned, parts).await {
                // The store said it has ranges and this object has none: all in one piece then.
                Err(Broken { error: FileError::Store(error), .. })
                    if error.kind() == ErrorKind::Unsupported =>
                {
                    planned.meter.take_back();
                }
                done => return done,
            }
        }
        let _turn = self.turn().await;
        let object = self.read(&planned.info, ReadRequest::new()).await?;
        match object.info.size {
            Some(size) if size <= SMALL_BYTES => self.to_memory(planned, object, size).await,
            _ => self.to_disk(planned, object).await,
        }
    }

    /// Waits until one more body may be on its way. The turns never close.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// Begins to read, tied to what is known of the object, and looks whether the answer is one to
    /// what was asked.
    pub(super) async fn read(
        &self,
        known: &ObjectInfo,
        request: ReadRequest,
    ) -> StoreResult<Object> {
        let pinned = self.store.info().capabilities.conditional_reads;
        let start = request.range.as_ref().map_or(0, |range| range.start);
        let request = request
            .with_if_match(known.etag.clone().filter(|_| pinned))
            .with_version(known.version.clone());
        let object = self.store.read(&known.key, request).await?;
        unchanged(known, &object.info)?;
        if object.start != start {
            return Err(Error::new(ErrorKind::Protocol, "read", known.key.to_string())
                .with_message(format!("byte {start} was asked for and {} came", object.start)));
        }
        Ok(object)
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
        Ok(Transferred { bytes: Content::Memory(bytes), info, checksum, size })
    }

    async fn to_disk(&self, planned: &Planned, object: Object) -> Result<Transferred, Broken> {
        let Object { info, mut body, .. } = object;
        let (sum, digest) = self.checksum(&planned.info, &info).await?.unzip();
        let staged = self.stage(planned, None).await?;
        let failed = |error: std::io::Error| self.destination.io_error(&planned.path, &error);
        let mut writer = Writer::new(Whole { staged, digest, size: 0 });
        let mut size = 0;
        while let Some(chunk) = self.next(&mut body, &info).await? {
            size += chunk.len() as u64;
            if let Some(announced) = info.size.filter(|announced| size > *announced) {
                return Err(too_long(&info, announced));
            }
            planned.meter.add(chunk.len());
            writer.write(chunk).await.map_err(failed)?;
        }
        let Whole { staged, digest, size } = writer.finish().await.map_err(failed)?;
        let checksum = sum.zip(digest.map(Digests::finish));
        Ok(Transferred { bytes: Content::Staged(staged), info, checksum, size })
    }

    /// The next bytes of a body.
    pub(super) async fn next(
        &self,
        body: &mut mlfetch_store::ObjectBody,
        info: &ObjectInfo,
    ) -> Result<Option<bytes::Bytes>, Broken> {
        body.try_next().await.map_err(|error| {
            let again = self.may_pass(&error, info);
            Broken { error: error.into(), again }
        })
    }

    /// Whether the same file from the start may come out right. A body that can be continued where
    /// it broke was continued as often as patience allows before its error got here.
    fn may_pass(&self, error: &Error, info: &ObjectInfo) -> bool {
        let capabilities = &self.store.info().capabilities;
        let is_tied = info.etag.is_some() || info.version.is_some();
        let was_continued =
            capabilities.ranges && capabilities.conditional_reads && is_tied && info.size.is_some();
        match error.retry() {
            Retry::Never => error.kind() == ErrorKind::Integrity,
            _ => !was_continued,
        }
    }

    /// A new staged file, off the threads that serve the network, with room for `size` bytes.
    pub(super) async fn stage(
        &self,
        planned: &Planned,
        size: Option<u64>,
    ) -> Result<StagedFile, FileError> {
        let destination = Arc::clone(&self.destination);
        let path = planned.path.clone();
        blocking(move || {
            let staged = destination.stage(&path)?;
            if let Some(size) = size {
                part::reserve(&destination, &path, &staged, size)?;
            }
            Ok(staged)
        })
        .await
    }

    /// The strongest checksum that the listing or the answer has, and a digest for it, unless none
    /// is wanted. One that costs a request is asked for only where one is required.
    pub(super) async fn checksum(
        &self,
        listed: &ObjectInfo,
        answered: &ObjectInfo,
    ) -> StoreResult<Option<(Checksum, Digests)>> {
        if self.settings.verify == Verify::Off {
            return Ok(None);
        }
        let known = strongest(listed.checksums.iter().chain(&answered.checksums)).cloned();
        let sum = match known {
            None if self.settings.verify == Verify::Required => self.ask_checksum(answered).await?,
            known => known,
        };
        Ok(sum.and_then(|sum| Digests::new(sum.algorithm).map(|digest| (sum, digest))))
    }

    async fn ask_checksum(&self, answered: &ObjectInfo) -> StoreResult<Option<Checksum>> {
        let request = StatRequest::new().with_version(answered.version.clone()).with_checksums();
        let info = self.store.stat(&answered.key, request).await?;
        unchanged(answered, &info)?;
        Ok(strongest(&info.checksums).cloned())
    }

    fn verify(&self, planned: &Planned, arrived: Transferred) -> Result<Verified, Broken> {
        let Transferred { bytes, info, checksum, size } = arrived;
        let expected = planned.info.size.or(info.size);
        if let Some(expected) = expected.filter(|expected| *expected != size) {
            let message = format!("{size} bytes arrived and the store has {expected}");
            return Err(wrong_bytes(&planned.info, message));
        }
        let proof = match checksum {
            Some((sum, ours)) if sum.value != ours => {
                let ours = Checksum::new(sum.algorithm, ours).hex();
                let message =
                    format!("its {} is {ours} and the store says {}", sum.algorithm, sum.hex());
                return Err(wrong_bytes(&planned.info, message));
            }
            Some((sum, _)) => Proof::Checksum(sum.algorithm),
            None if self.settings.verify == Verify::Required => {
                return Err(Error::new(
                    ErrorKind::Integrity,
                    "verify",
                    planned.info.key.to_string(),
                )
                .with_message("the store gives no checksum and one is required")
                .into());
            }
            None if expected.is_some() => Proof::Size,
            None => Proof::Transfer,
        };
        Ok(Verified { bytes, info, size, proof })
    }

    async fn commit(&self, planned: &Planned, verified: Verified) -> Result<Committed, FileError> {
        let Verified { bytes, info, size, proof } = verified;
        let how = Commit {
            replace: planned.replace,
            fsync: self.settings.fsync,
            // The listing's time first: it is what the next fetch will compare with, and some
            // stores tell fractions of a second there and not with the bytes.
            modified: planned.info.modified.or(info.modified),
        };
        let destination = Arc::clone(&self.destination);
        let path = planned.path.clone();
        blocking(move || match bytes {
            Content::Staged(staged) => destination.commit(staged, &path, how),
            Content::Memory(bytes) => destination.put(&path, &bytes, how),
        })
        .await?;
        Ok(Committed { size, proof })
    }
}

/// Whether an answer is still about the object that is known: no tag, version or size is another.
pub(super) fn unchanged(known: &ObjectInfo, answered: &ObjectInfo) -> StoreResult<()> {
    fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
        matches!((one, other), (Some(one), Some(other)) if one != other)
    }
    let changed = || Error::new(ErrorKind::Changed, "read", known.key.to_string());
    if let (Some(listed), Some(answered)) = (known.size, answered.size)
        && listed != answered
    {
        return Err(changed()
            .with_message(format!("it was {listed} bytes long, and the answer has {answered}")));
    }
    if differ(known.etag.as_ref(), answered.etag.as_ref())
        || differ(known.version.as_ref(), answered.version.as_ref())
    {
        return Err(changed());
    }
    Ok(())
}

fn wrong_bytes(info: &ObjectInfo, message: String) -> Broken {
    let error = Error::new(ErrorKind::Integrity, "verify", info.key.to_string());
    Broken { error: error.with_message(message).into(), again: true }
}

/// More bytes than were announced, which must not be written anywhere.
pub(super) fn too_long(info: &ObjectInfo, announced: u64) -> Broken {
    wrong_bytes(info, format!("more than the {announced} bytes arrived that were announced"))
}

/// Does something on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DestinationError> + Send + 'static,
) -> Result<T, FileError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        // The program ends, or the thread panicked.
        Err(cause) => {
            Err(Error::new(ErrorKind::Other, "write", "a file").with_source(cause).into())
        }
    }
}
