//! HDFS's checksum of a file: the MD5 of its blocks' MD5s, each over the CRCs of the block's chunks.

use crc_fast::{CrcAlgorithm, Digest as CrcDigest};
use md5::{Digest as _, Md5};
use mlfetch_store::{Algorithm, Blocks};

/// Hadoop digests its whole buffer of values, which begins with so many bytes and doubles.
const MIN_VALUES_BYTES: usize = 32;

/// Computes it as bytes pass.
#[derive(Clone)]
pub(super) struct BlocksDigest {
    crc: CrcAlgorithm,
    chunk_bytes: u64,
    /// Blocks that come yet.
    sizes: std::vec::IntoIter<u64>,
    chunk: CrcDigest,
    block: Md5,
    /// Bytes that the chunk and the block of now still take.
    chunk_left: u64,
    block_left: u64,
    values: Vec<u8>,
    /// Bytes came that belong to no block: nothing is proven of those.
    too_many: bool,
}

impl BlocksDigest {
    /// `None` for algorithms and sizes that HDFS has not.
    pub(super) fn of(algorithm: Algorithm, blocks: &Blocks) -> Option<Self> {
        let crc = match blocks.crc {
            Algorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
            Algorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
            _ => return None,
        };
        let sizes = &blocks.sizes;
        let is_known = algorithm == Algorithm::Md5 && blocks.chunk_bytes > 0;
        if !is_known || sizes.is_empty() || sizes.contains(&0) {
            return None;
        }
        let mut digest = Self {
            crc,
            chunk_bytes: blocks.chunk_bytes.into(),
            sizes: sizes.clone().into_iter(),
            chunk: CrcDigest::new(crc),
            block: Md5::new(),
            chunk_left: 0,
            block_left: 0,
            values: Vec::with_capacity(16 * sizes.len()),
            too_many: false,
        };
        digest.next_block();
        Some(digest)
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.block_left == 0 {
                self.too_many = true;
                return;
            }
            let room = usize::try_from(self.chunk_left).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.chunk.update(now);
            self.chunk_left -= now.len() as u64;
            self.block_left -= now.len() as u64;
            self.turn();
            bytes = later;
        }
    }

    /// Ends the chunk and the block that are full.
    fn turn(&mut self) {
        if self.chunk_left == 0 {
            let chunk = std::mem::replace(&mut self.chunk, CrcDigest::new(self.crc));
            self.block.update(&chunk.finalize().to_be_bytes()[4..]);
            self.chunk_left = self.chunk_bytes.min(self.block_left);
        }
        if self.block_left == 0 {
            let block = std::mem::take(&mut self.block);
            self.values.extend_from_slice(&block.finalize());
            self.next_block();
        }
    }

    fn next_block(&mut self) {
        self.block_left = self.sizes.next().unwrap_or(0);
        self.chunk_left = self.chunk_bytes.min(self.block_left);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        // Bytes that are missing prove as little as those that are too many.
        if self.too_many || self.block_left > 0 {
            return Vec::new();
        }
        let whole = self.values.len().next_power_of_two().max(MIN_VALUES_BYTES);
        self.values.resize(whole, 0);
        Md5::digest(&self.values).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use mlfetch_store::{Checksum, Coverage};

    use super::*;
    use crate::engine::digest::Digests;

    /// Always the same bytes, without a pattern.
    fn noise(length: usize) -> Vec<u8> {
        let mut state: u32 = 1;
        let bytes = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        bytes.take(length).collect()
    }

    fn digest(bytes: &[u8], sizes: &[u64], crc: Algorithm, chunk_bytes: u32, by: usize) -> String {
        let blocks = Blocks::new(sizes.to_vec(), crc, chunk_bytes);
        let sum = Checksum::new(Algorithm::Md5, vec![]).with_coverage(Coverage::Blocks(blocks));
        let mut digest = Digests::of(&sum).expect("computed here");
        for chunk in bytes.chunks(by) {
            digest.update(chunk);
        }
        Checksum::new(Algorithm::Md5, digest.finish()).hex()
    }

    /// The values are those of `hdfs dfs -checksum`, version 3.4.2, for files of these blocks.
    #[test]
    fn files_have_the_checksums_that_hadoop_gave_them() {
        use Algorithm::{Crc32, Crc32c};
        let rows: &[(usize, &[u64], Algorithm, u32, &str)] = &[
            (1, &[1], Crc32c, 512, "dc80c06fb420c48a16a65a536b5a040c"),
            (100_000, &[100_000], Crc32c, 512, "0e91d414058de666bb1463c889164380"),
            (10_000, &[4096, 4096, 1808], Crc32c, 512, "a3e6de4d6cfe0fc23dc8f14542ee3af4"),
            (
                10_000,
                &[2048, 2048, 2048, 2048, 1808],
                Crc32,
                512,
                "50498a4d766b389a1cb7b2908ecf1b16",
            ),
            (12_288, &[4096, 4096, 4096], Crc32c, 512, "c4313653fcf35783093260baf63822da"),
            (
                20_001,
                &[4000, 4000, 4000, 4000, 4000, 1],
                Crc32c,
                1000,
                "2652a3d9f9bdfd50fd0b36d43834f5d8",
            ),
        ];
        for (size, sizes, crc, chunk_bytes, expected) in rows {
            for by in [1 << 20, 4096, 1000, 7] {
                let ours = digest(&noise(*size), sizes, *crc, *chunk_bytes, by);
                assert_eq!(ours, *expected, "{size} bytes by {by}");
            }
        }
    }

    #[test]
    fn bytes_that_are_not_the_blocks_have_no_checksum() {
        for size in [9, 11] {
            assert!(digest(&noise(size), &[4, 6], Algorithm::Crc32c, 3, 2).is_empty(), "{size}");
        }
    }

    #[test]
    fn what_hdfs_has_not_is_not_computed() {
        let of = |algorithm, sizes: &[u64], crc, chunk_bytes| {
            BlocksDigest::of(algorithm, &Blocks::new(sizes.to_vec(), crc, chunk_bytes)).is_some()
        };
        assert!(of(Algorithm::Md5, &[1], Algorithm::Crc32, 512));
        assert!(!of(Algorithm::Sha1, &[1], Algorithm::Crc32, 512));
        assert!(!of(Algorithm::Md5, &[1], Algorithm::Md5, 512));
        assert!(!of(Algorithm::Md5, &[1], Algorithm::Crc32, 0));
        assert!(!of(Algorithm::Md5, &[1, 0], Algorithm::Crc32, 512));
        assert!(!of(Algorithm::Md5, &[], Algorithm::Crc32, 512));
    }
}
