//! HDFS's checksums, where the server gives them.

use std::sync::atomic::Ordering;

use mlfetch_store::{Checksum, Key, Result, Retry};

use super::WebHdfsStore;
use super::read::{MAX_BLOCKS_BYTES, MAX_FACTS_BYTES};
use crate::checksum::{FileSum, sizes_of};
use crate::request::{Call, Operation};
use crate::wire;

impl WebHdfsStore {
    /// The checksum of a file. A server that refuses it leaves the file without this proof; what may
    /// pass is passed on, to be asked again.
    pub(super) async fn file_sum(&self, key: &Key) -> Result<Option<FileSum>> {
        let call = Call::new(Operation::Checksum, "read", key)?;
        let answered = match self.session.ask_datanode(&call).await {
            Ok(answered) => answered,
            Err(refusal) if refusal.error.retry() == Retry::Never => return Ok(None),
            Err(refusal) => return Err(refusal.error),
        };
        let body = answered.answer.bytes(MAX_FACTS_BYTES).await?;
        Ok(wire::file_checksum(&body).as_ref().and_then(FileSum::parse))
    }

    /// The checksum with what it covers. One over several blocks is of use only with their sizes: an
    /// appended file has short ones in its middle.
    pub(super) async fn checksums_of(
        &self,
        key: &Key,
        sum: Option<FileSum>,
        size: u64,
    ) -> Result<Vec<Checksum>> {
        let Some(sum) = sum else { return Ok(Vec::new()) };
        let sizes = match sum {
            FileSum::Blocks { many: true, .. } => self.block_sizes(key, size).await?,
            _ => Some(vec![size]),
        };
        Ok(sizes.map(|sizes| sum.over(sizes)).into_iter().collect())
    }

    async fn block_sizes(&self, key: &Key, size: u64) -> Result<Option<Vec<u64>>> {
        if self.tells_no_blocks.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let call = Call::new(Operation::Blocks, "read", key)?;
        let call = call.with("offset", "0").with("length", size.to_string());
        match self.session.ask(&call, MAX_BLOCKS_BYTES).await {
            Ok(body) => Ok(wire::block_locations(&body).and_then(|all| sizes_of(&all, size))),
            Err(refusal) if refusal.is_unknown_operation() => {
                self.tells_no_blocks.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(refusal) if refusal.error.retry() == Retry::Never => Ok(None),
            Err(refusal) => Err(refusal.error),
        }
    }
}
