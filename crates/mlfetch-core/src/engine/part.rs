//! A big file in parts, several at once, each written at its own offset.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mlfetch_store::{Error, ErrorKind, ObjectInfo, ReadRequest, Retry, StatRequest, StoreInfo};
use rustix::fs::FallocateFlags;
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::FileError;
use super::transfer::{Content, Planned, Transferred, Transfers, join};
use super::verify::Digests;
use crate::destination::{DestinationError, StagedFile};

/// Files from this size on are fetched in parts.
const BIG_BYTES: u64 = 64 * 1024 * 1024;

/// The size of a part; large enough that the request does not count.
const PART_BYTES: u64 = 16 * 1024 * 1024;

/// Parts of one file on their way at once.
const PARTS_AT_ONCE: usize = 8;

/// Chunks that may wait for the disk, of one part.
const WAITING_CHUNKS: usize = 4;

/// What is read at a time when a finished file is digested.
const DIGEST_BYTES: usize = 1024 * 1024;

/// How a file is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    size: u64,
}

impl Parts {
    /// Cuts a file if that is worth it and safe: its size is known, the store reads ranges, and
    /// they can be tied to one version of the object.
    pub(super) fn of(planned: &Planned, store: &StoreInfo) -> Option<Self> {
        let size = planned.info.size.filter(|size| *size >= BIG_BYTES)?;
        let capabilities = &store.capabilities;
        (capabilities.ranges && capabilities.conditional_reads).then_some(Self { size })
    }

    fn ranges(self) -> impl Iterator<Item = Range<u64>> {
        (0..self.size.div_ceil(PART_BYTES)).map(move |index| {
            let start = index * PART_BYTES;
            start..self.size.min(start + PART_BYTES)
        })
    }
}

/// Fetches all parts; the staged file is whole, or there is an error.
pub(super) async fn transfer(
    transfers: &Transfers,
    planned: &Planned,
    parts: Parts,
) -> Result<Transferred, FileError> {
    let info = pinned(transfers, planned).await?;
    let planned = Planned { info, path: planned.path.clone(), replace: planned.replace };
    let staged = transfers.destination.stage(&planned.path)?;
    reserve(transfers, &planned, &staged, parts.size)?;
    let at_once = PARTS_AT_ONCE.min(transfers.settings.jobs.get());
    stream::iter(parts.ranges().map(Ok::<_, FileError>))
        .try_for_each_concurrent(at_once, |range| {
            let file = staged.share().map_err(|error| transfers.write_error(&planned, &error));
            let planned = &planned;
            async move { one_part(transfers, planned, file?, range).await }
        })
        .await?;
    finish(transfers, planned, staged, parts.size).await
}

/// What is known of the object now, with what ties the parts to it. Without a tie it comes in one
/// piece: parts of two versions must not be joined.
async fn pinned(transfers: &Transfers, planned: &Planned) -> Result<ObjectInfo, FileError> {
    let request = StatRequest::new().with_version(planned.info.version.clone()).with_checksums();
    let mut info = transfers.store.stat(&planned.info.key, request).await?;
    let changed = |one: &Option<String>, other: &Option<String>| {
        one.is_some() && other.is_some() && one != other
    };
    let key = || planned.info.key.to_string();
    if changed(&planned.info.etag, &info.etag) || planned.info.size != info.size {
        return Err(Error::new(ErrorKind::Changed, "read", key()).into());
    }
    info.etag = info.etag.or_else(|| planned.info.etag.clone());
    info.version = info.version.or_else(|| planned.info.version.clone());
    if info.etag.is_none() && info.version.is_none() {
        return Err(Error::new(ErrorKind::Unsupported, "read in parts", key()).into());
    }
    Ok(info)
}

/// Takes the space before the bytes come, where the file system can.
fn reserve(
    transfers: &Transfers,
    planned: &Planned,
    staged: &StagedFile,
    size: u64,
) -> Result<(), FileError> {
    let file = staged.share().map_err(|error| transfers.write_error(planned, &error))?;
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, size) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        Err(errno) => {
            let path = transfers.destination.path().join(planned.path.as_path());
            Err(DestinationError::from_errno(path, errno).into())
        }
    }
}

async fn one_part(
    transfers: &Transfers,
    planned: &Planned,
    file: File,
    range: Range<u64>,
) -> Result<(), FileError> {
    let request = ReadRequest::new().with_range(range.clone());
    let mut body = transfers.read(planned, request).await?.body;
    let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
    let writer = tokio::task::spawn_blocking(move || write_at(&file, range.start, receiver));
    let mut broken = None;
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => {
                transfers.progress.bytes(chunk.len());
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
    let written = join(writer.await)?.map_err(|error| transfers.write_error(planned, &error))?;
    if let Some(error) = broken {
        return Err(error.into());
    }
    if written != range.end {
        let key = planned.info.key.to_string();
        let error = Error::new(ErrorKind::Integrity, "read", key)
            .with_message(format!("a part ended at byte {written} instead of {}", range.end))
            .with_retry(Retry::Later);
        return Err(error.into());
    }
    Ok(())
}

/// Writes what comes from `offset` on; gives the offset behind the last byte.
fn write_at(
    file: &File,
    mut offset: u64,
    mut chunks: mpsc::Receiver<Bytes>,
) -> std::io::Result<u64> {
    while let Some(chunk) = chunks.blocking_recv() {
        file.write_all_at(&chunk, offset)?;
        offset += chunk.len() as u64;
    }
    Ok(offset)
}

/// Digests the whole file, in order: the store's checksum covers the object, not its parts.
async fn finish(
    transfers: &Transfers,
    planned: Planned,
    staged: StagedFile,
    size: u64,
) -> Result<Transferred, FileError> {
    let checksum = match transfers.checksum_to_check(&planned.info) {
        None => None,
        Some((sum, digest)) => {
            let file = staged.share().map_err(|error| transfers.write_error(&planned, &error))?;
            let digested = tokio::task::spawn_blocking(move || digest_file(&file, digest, size));
            let ours = join(digested.await)?;
            Some((sum, ours.map_err(|error| transfers.write_error(&planned, &error))?))
        }
    };
    let info = planned.info;
    Ok(Transferred { bytes: Content::Staged(staged), info, checksum, size })
}

/// Digests the first `size` bytes of a file.
pub(super) fn digest_file(file: &File, mut digest: Digests, size: u64) -> std::io::Result<Vec<u8>> {
    let mut buffer = vec![0; DIGEST_BYTES];
    let mut offset = 0;
    while offset < size {
        let room = usize::try_from(size - offset).unwrap_or(usize::MAX).min(buffer.len());
        let count = file.read_at(&mut buffer[..room], offset)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        digest.update(&buffer[..count]);
        offset += count as u64;
    }
    Ok(digest.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_file_once_and_in_order() {
        for size in [1, PART_BYTES, PART_BYTES + 1, 5 * PART_BYTES - 1] {
            let mut at = 0;
            for range in (Parts { size }).ranges() {
                assert_eq!(range.start, at);
                assert!(range.end > at);
                at = range.end;
            }
            assert_eq!(at, size);
        }
    }
}
