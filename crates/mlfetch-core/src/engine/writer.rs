//! Bytes on their way to the disk: a batch at a time, never by a thread that waits for the network
//! meanwhile. Threads that did could all be taken by writers while a store's own reads, which may
//! need such a thread too, wait for one.

use std::fs::File;
use std::io::{Result, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::digest::Digests;
use super::hands::{Hands, Lent};
use super::steps::Steps;
use crate::destination::StagedFile;

/// What is written in one go: much against a change of threads, little against memory.
const BATCH_BYTES: usize = 256 * 1024;

/// What is written by one call. The kernel may take as large a page as a call has bytes for, and a
/// virtual machine may have to get large ones from its host first (docs/performance.md).
const CALL_BYTES: usize = 64 * 1024;

/// Takes bytes in order.
pub(super) trait Sink: Send + 'static {
    fn write(&mut self, chunk: &[u8]) -> Result<()>;
}

/// A file from its first byte to its last, digested on the way.
pub(super) struct Whole {
    pub(super) staged: StagedFile,
    pub(super) digest: Option<Digests>,
    /// Where somebody asked for it.
    pub(super) sha256: Option<Sha256>,
    pub(super) size: u64,
}

/// A range of a file.
pub(super) struct Range {
    pub(super) file: File,
    /// Held by the range that writes: the kernel lets one in at a time, and those who wait there
    /// burn a processor.
    pub(super) turn: Arc<Mutex<()>>,
    /// Where the next byte goes.
    pub(super) position: u64,
    pub(super) steps: Steps,
}

impl Sink for Whole {
    fn write(&mut self, chunk: &[u8]) -> Result<()> {
        chunk.chunks(CALL_BYTES).try_for_each(|bytes| self.staged.file().write_all(bytes))?;
        if let Some(digest) = &mut self.digest {
            digest.update(chunk);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(chunk);
        }
        self.size += chunk.len() as u64;
        Ok(())
    }
}

impl Sink for Range {
    fn write(&mut self, chunk: &[u8]) -> Result<()> {
        let turn = self.turn.lock();
        let written = chunk.chunks(CALL_BYTES).try_for_each(|bytes| {
            self.file.write_all_at(bytes, self.position)?;
            self.position += bytes.len() as u64;
            Result::Ok(())
        });
        drop(turn);
        written?;
        self.steps.passed(chunk);
        Ok(())
    }
}

/// Gathers a batch while the one before is written.
pub(super) struct Writer<S> {
    sink: Lent<S>,
    batch: Vec<Bytes>,
    batch_bytes: usize,
}

impl<S: Sink> Writer<S> {
    pub(super) fn new(hands: &Arc<Hands>, sink: S) -> Self {
        Self { sink: Lent::new(hands, sink), batch: Vec::new(), batch_bytes: 0 }
    }

    /// Takes the next bytes; may wait for the disk.
    pub(super) async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.batch_bytes += chunk.len();
        self.batch.push(chunk);
        if self.batch_bytes >= BATCH_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Writes the rest and gives back where it went to.
    pub(super) async fn finish(mut self) -> Result<S> {
        self.flush().await?;
        self.sink.back().await
    }

    async fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let write = move |sink: &mut S| batch.iter().try_for_each(|chunk| sink.write(chunk));
        self.sink.brief_work(write).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what it gets; fails at a `!`.
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Sink for Kept {
        fn write(&mut self, chunk: &[u8]) -> Result<()> {
            if chunk.first() == Some(&b'!') {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            self.0.lock().expect("not poisoned").extend_from_slice(chunk);
            Ok(())
        }
    }

    fn kept() -> (Writer<Kept>, Arc<Mutex<Vec<u8>>>) {
        let bytes = Arc::default();
        (Writer::new(&Arc::default(), Kept(Arc::clone(&bytes))), bytes)
    }

    #[tokio::test]
    async fn bytes_arrive_in_order_whatever_the_chunks() {
        let (mut writer, bytes) = kept();
        let mut expected = Vec::new();
        for (index, size) in
            [0, 1, BATCH_BYTES - 1, BATCH_BYTES, 7, 3 * BATCH_BYTES, 5].iter().enumerate()
        {
            let chunk = vec![u8::try_from(index).expect("few"); *size];
            expected.extend_from_slice(&chunk);
            writer.write(chunk.into()).await.expect("written");
        }
        writer.finish().await.expect("written");
        assert_eq!(*bytes.lock().expect("not poisoned"), expected);
    }

    #[tokio::test]
    async fn a_failure_is_told_by_the_next_call_and_by_those_after() {
        let (mut writer, _) = kept();
        writer.write(vec![b'!'; BATCH_BYTES].into()).await.expect("on its way");
        let error = writer.write(vec![b'a'; BATCH_BYTES].into()).await.expect_err("it failed");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        assert!(writer.finish().await.is_err());
    }
}
