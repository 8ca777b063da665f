//! One file: `Planned` → `Transferred` → `Verified` → committed. Each is a type, and only a
//! `Verified` can be committed.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use mlfetch_store::{
    Checksum, Error, ErrorKind, Object, ObjectInfo, ReadRequest, Result as StoreResult, Retry,
    Store,
};
use tokio::sync::mpsc;

use super::part::{self, Parts};
use super::verify::{Digests, Proof, Verify, strongest};
use super::{FetchSettings, FileError, Progress};
use crate::RelativePath;
use crate::destination::{Destination, DestinationError, StagedFile};

/// Files up to this size are held in memory and written in one go: one thread hop a file.
pub(super) const SMALL_BYTES: u64 = 1024 * 1024;

/// Chunks that may wait for the disk, of one file.
const WAITING_CHUNKS: usize = 8;

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
}

/// What every transfer of a fetch shares.
#[derive(Debug)]
pub(super) struct Transfers {
    pub(super) store: Arc<dyn Store>,
    pub(super) destination: Arc<Destination>,
    pub(super) settings: Arc<FetchSettings>,
    pub(super) progress: Arc<Progress>,
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

impl Transfers {
    /// Fetches one file, from its first byte again where that can help.
    pub(super) async fn fetch(&self, planned: &Planned) -> Result<Committed, FileError> {
        let mut transfers = 1;
        loop {
            let verified = match self.transfer(planned).await {
                Ok(transferred) => self.verify(planned, transferred),
                Err(error) => Err(error),
            };
            match verified {
                Ok(verified) => return self.commit(planned, verified).await,
                Err(FileError::Store(error)) if transfers < MAX_TRANSFERS && may_pass(&error) => {
                    transfers += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn transfer(&self, planned: &Planned) -> Result<Transferred, FileError> {
        if let Some(parts) = Parts::of(planned, self.store.info()) {
            match part::transfer(self, planned, parts).await {
                // The store said it has ranges and this object has none: all in one piece then.
                Err(FileError::Store(error)) if error.kind() == ErrorKind::Unsupported => {}
                done => return done,
            }
        }
        let object = self.read(planned, ReadRequest::new()).await?;
        match object.info.size {
            Some(size) if size <= SMALL_BYTES => Ok(self.to_memory(object, size).await?),
            _ => self.to_disk(planned, object).await,
        }
    }

    /// Begins to read, tied to what was listed.
    pub(super) async fn read(
        &self,
        planned: &Planned,
        request: ReadRequest,
    ) -> StoreResult<Object> {
        let pinned = self.store.info().capabilities.conditional_reads;
        let request = request
            .with_if_match(planned.info.etag.clone().filter(|_| pinned))
            .with_version(planned.info.version.clone());
        let opened = self.store.read(&planned.info.key, request).await;
        // The store has retried by the policy already: another transfer would do it all again.
        let object = opened.map_err(|error| error.with_retry(Retry::Never))?;
        match (planned.info.size, object.info.size) {
            (Some(listed), Some(answered)) if listed != answered => {
                let key = planned.info.key.to_string();
                Err(Error::new(ErrorKind::Changed, "read", key).with_message(format!(
                    "it was listed with {listed} bytes and the answer has {answered}"
                )))
            }
            _ => Ok(object),
        }
    }

    async fn to_memory(&self, object: Object, size: u64) -> StoreResult<Transferred> {
        let Object { info, mut body, .. } = object;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        while let Some(chunk) = body.try_next().await? {
            bytes.extend_from_slice(&chunk);
            self.progress.bytes(chunk.len());
        }
        let checksum = self.checksum_to_check(&info).map(|(sum, mut digest)| {
            digest.update(&bytes);
            (sum, digest.finish())
        });
        let size = bytes.len() as u64;
        Ok(Transferred { bytes: Content::Memory(bytes), info, checksum, size })
    }

    async fn to_disk(&self, planned: &Planned, object: Object) -> Result<Transferred, FileError> {
        let Object { info, mut body, .. } = object;
        let staged = self.destination.stage(&planned.path)?;
        let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
        let (sum, digest) = self.checksum_to_check(&info).unzip();
        let writer = tokio::task::spawn_blocking(move || write_all(staged, digest, receiver));
        let mut broken = None;
        loop {
            match body.try_next().await {
                Ok(None) => break,
                Ok(Some(chunk)) => {
                    self.progress.bytes(chunk.len());
                    // A writer that is gone has its own error to tell.
                    if sender.send(chunk).await.is_err() {
                        break;
                    }
                }
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        drop(sender);
        let written = join(writer.await)?;
        if let Some(error) = broken {
            return Err(error.into());
        }
        let (staged, digest, size) = written.map_err(|error| self.write_error(planned, &error))?;
        let checksum = sum.zip(digest.map(Digests::finish));
        Ok(Transferred { bytes: Content::Staged(staged), info, checksum, size })
    }

    /// The store's strongest checksum and a digest for it, unless none is wanted.
    pub(super) fn checksum_to_check(&self, info: &ObjectInfo) -> Option<(Checksum, Digests)> {
        if self.settings.verify == Verify::Off {
            return None;
        }
        let sum = strongest(&info.checksums)?;
        Some((sum.clone(), Digests::new(sum.algorithm)?))
    }

    fn verify(&self, planned: &Planned, arrived: Transferred) -> Result<Verified, FileError> {
        let Transferred { bytes, info, checksum, size } = arrived;
        let fails = |kind, message: String| {
            let key = planned.info.key.to_string();
            Err(FileError::Store(Error::new(kind, "verify", key).with_message(message)))
        };
        let expected = planned.info.size.or(info.size);
        if let Some(expected) = expected.filter(|expected| *expected != size) {
            return fails(
                ErrorKind::Integrity,
                format!("{size} bytes arrived and the store has {expected}"),
            );
        }
        let proof = match checksum {
            Some((sum, ours)) if sum.value != ours => {
                let ours = Checksum::new(sum.algorithm, ours).hex();
                return fails(
                    ErrorKind::Integrity,
                    format!("its {} is {ours} and the store says {}", sum.algorithm, sum.hex()),
                );
            }
            Some((sum, _)) => Proof::Checksum(sum.algorithm),
            None if self.settings.verify == Verify::Required => {
                return fails(
                    ErrorKind::Unsupported,
                    "the store gives no checksum and one is required".into(),
                );
            }
            None if expected.is_some() => Proof::Size,
            None => Proof::Transfer,
        };
        Ok(Verified { bytes, info, size, proof })
    }

    async fn commit(&self, planned: &Planned, verified: Verified) -> Result<Committed, FileError> {
        let destination = Arc::clone(&self.destination);
        let path = planned.path.clone();
        let (replace, fsync) = (planned.replace, self.settings.fsync);
        let Verified { bytes, info, size, proof } = verified;
        let modified = info.modified.or(planned.info.modified);
        let work = move || -> Result<(), DestinationError> {
            let mut staged = match bytes {
                Content::Staged(staged) => staged,
                Content::Memory(bytes) => {
                    let mut staged = destination.stage(&path)?;
                    std::io::Write::write_all(staged.file(), &bytes)
                        .map_err(|error| failed(&destination, &path, &error))?;
                    staged
                }
            };
            if let Some(modified) = modified {
                // A file system without times keeps the file all the same.
                let _ = staged.set_modified(modified);
            }
            if fsync {
                staged.file().sync_all().map_err(|error| failed(&destination, &path, &error))?;
            }
            destination.commit(staged, &path, replace)
        };
        join(tokio::task::spawn_blocking(work).await)??;
        Ok(Committed { size, proof })
    }

    pub(super) fn write_error(&self, planned: &Planned, error: &std::io::Error) -> FileError {
        failed(&self.destination, &planned.path, error).into()
    }
}

fn failed(
    destination: &Destination,
    path: &RelativePath,
    error: &std::io::Error,
) -> DestinationError {
    DestinationError::from_io(destination.path().join(path.as_path()), error)
}

/// Writes what comes, in order, and digests it.
fn write_all(
    mut staged: StagedFile,
    mut digest: Option<Digests>,
    mut chunks: mpsc::Receiver<Bytes>,
) -> std::io::Result<(StagedFile, Option<Digests>, u64)> {
    let mut size = 0;
    while let Some(chunk) = chunks.blocking_recv() {
        std::io::Write::write_all(staged.file(), &chunk)?;
        if let Some(digest) = &mut digest {
            digest.update(&chunk);
        }
        size += chunk.len() as u64;
    }
    Ok((staged, digest, size))
}

/// A blocking task that was cancelled, because the program ends, or panicked.
pub(super) fn join<T>(joined: Result<T, tokio::task::JoinError>) -> Result<T, FileError> {
    joined
        .map_err(|cause| Error::new(ErrorKind::Other, "write", "a file").with_source(cause).into())
}

/// Whether the same file from the start may come out right.
fn may_pass(error: &Error) -> bool {
    error.kind() == ErrorKind::Integrity || error.retry() != Retry::Never
}
