//! Checksums of bytes as they pass: of a whole object, or of the parts that it was uploaded in.

use std::fmt;

use crc_fast::{CrcAlgorithm, Digest as CrcDigest};
use md5::{Digest as _, Md5};
use mlfetch_store::{Algorithm, Checksum, Coverage};
use sha1::Sha1;
use sha2::Sha256;

use super::blocks::BlocksDigest;

/// Computes a checksum as bytes pass.
#[derive(Clone)]
pub struct Digests(Kind);

#[derive(Clone)]
enum Kind {
    Whole(Whole),
    Parts(Parts),
    Blocks(Box<BlocksDigest>),
}

impl Digests {
    /// Begins what `sum` is compared with; `None` for an algorithm or a coverage that is not
    /// computed here.
    pub fn of(sum: &Checksum) -> Option<Self> {
        Some(Self(match &sum.coverage {
            Coverage::Object => Kind::Whole(Whole::new(sum.algorithm)?),
            Coverage::Parts(sizes) => Kind::Parts(Parts::new(sum.algorithm, sizes.clone())?),
            Coverage::Blocks(blocks) => {
                Kind::Blocks(Box::new(BlocksDigest::of(sum.algorithm, blocks)?))
            }
            _ => return None,
        }))
    }

    /// Begins the values of parts of these sizes, for [`Digests::values`].
    pub(super) fn of_parts(algorithm: Algorithm, sizes: Vec<u64>) -> Option<Self> {
        Some(Self(Kind::Parts(Parts::new(algorithm, sizes)?)))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Kind::Whole(whole) => whole.update(bytes),
            Kind::Parts(parts) => parts.update(bytes),
            Kind::Blocks(blocks) => blocks.update(bytes),
        }
    }

    /// The value, as [`Checksum::value`] holds it.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            Kind::Whole(whole) => whole.finish(),
            Kind::Parts(parts) => parts.finish(),
            Kind::Blocks(blocks) => blocks.finish(),
        }
    }

    /// The values of the parts, one after the other.
    pub(super) fn values(self) -> Vec<u8> {
        match self.0 {
            Kind::Whole(whole) => whole.finish(),
            Kind::Parts(parts) => parts.values(),
            Kind::Blocks(blocks) => blocks.finish(),
        }
    }
}

impl fmt::Debug for Digests {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Digests")
    }
}

/// One algorithm over bytes in order.
#[derive(Clone)]
enum Whole {
    Crc32(CrcDigest),
    Crc32c(CrcDigest),
    Crc64Nvme(CrcDigest),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Whole {
    fn new(algorithm: Algorithm) -> Option<Self> {
        Some(match algorithm {
            Algorithm::Crc32 => Self::Crc32(CrcDigest::new(CrcAlgorithm::Crc32IsoHdlc)),
            Algorithm::Crc32c => Self::Crc32c(CrcDigest::new(CrcAlgorithm::Crc32Iscsi)),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(CrcDigest::new(CrcAlgorithm::Crc64Nvme)),
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            _ => return None,
        })
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(digest) | Self::Crc32c(digest) | Self::Crc64Nvme(digest) => {
                digest.update(bytes);
            }
            Self::Md5(digest) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc32(digest) | Self::Crc32c(digest) => {
                digest.finalize().to_be_bytes()[4..].to_vec()
            }
            Self::Crc64Nvme(digest) => digest.finalize().to_be_bytes().to_vec(),
            Self::Md5(digest) => digest.finalize().to_vec(),
            Self::Sha1(digest) => digest.finalize().to_vec(),
            Self::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

/// S3's checksum of checksums: each part's own value, one after the other, digested once more
/// ("Checking object integrity", composite checksums).
#[derive(Clone)]
struct Parts {
    algorithm: Algorithm,
    sizes: std::vec::IntoIter<u64>,
    part: Option<Whole>,
    /// Bytes that the part of now still takes.
    left: u64,
    values: Vec<u8>,
    /// Bytes came that belong to no part: nothing is proven of those.
    too_many: bool,
}

impl Parts {
    fn new(algorithm: Algorithm, sizes: Vec<u64>) -> Option<Self> {
        let part = Some(Whole::new(algorithm)?);
        let mut sizes = sizes.into_iter();
        let left = sizes.next()?;
        Some(Self { algorithm, sizes, part, left, values: Vec::new(), too_many: false })
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.turn();
            let Some(part) = &mut self.part else {
                self.too_many = true;
                return;
            };
            let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            part.update(now);
            self.left -= now.len() as u64;
            bytes = later;
        }
    }

    /// Goes on to the part that takes the next byte, if there is one.
    fn turn(&mut self) {
        while self.left == 0 && self.part.is_some() {
            self.end_part();
            if let Some(size) = self.sizes.next() {
                self.left = size;
                self.part = Whole::new(self.algorithm);
            }
        }
    }

    fn end_part(&mut self) {
        if let Some(part) = self.part.take() {
            self.values.extend(part.finish());
        }
    }

    fn values(mut self) -> Vec<u8> {
        self.end_part();
        self.values
    }

    fn finish(self) -> Vec<u8> {
        let whole = Whole::new(self.algorithm).filter(|_| !self.too_many);
        whole.map_or_else(Vec::new, |mut whole| {
            whole.update(&self.values());
            whole.finish()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(Algorithm, &str); 6] = [
        (Algorithm::Crc32, "cbf43926"),
        (Algorithm::Crc32c, "e3069283"),
        (Algorithm::Crc64Nvme, "ae8b14860a799888"),
        (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
        (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
    ];

    fn digest(sum: &Checksum, chunks: &[&[u8]]) -> Vec<u8> {
        let mut digest = Digests::of(sum).expect("computed here");
        for chunk in chunks {
            digest.update(chunk);
        }
        digest.finish()
    }

    fn whole(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
        digest(&Checksum::new(algorithm, vec![]), &[bytes])
    }

    #[test]
    fn each_algorithm_gives_its_published_check_value() {
        for (algorithm, expected) in ALL {
            let sum = Checksum::new(algorithm, vec![]);
            let ours = Checksum::new(algorithm, digest(&sum, &[b"12345", b"6789"]));
            assert_eq!(ours.hex(), expected);
        }
    }

    #[test]
    fn a_checksum_of_parts_is_the_checksum_of_their_checksums() {
        for (algorithm, _) in ALL {
            let parts = [b"12".as_slice(), b"3456", b"", b"789"];
            let values: Vec<u8> = parts.iter().flat_map(|part| whole(algorithm, part)).collect();
            let expected = whole(algorithm, &values);
            let sum =
                Checksum::new(algorithm, vec![]).with_coverage(Coverage::Parts(vec![2, 4, 0, 3]));
            for chunks in [&[b"123456789".as_slice()][..], &[b"1", b"2345678", b"", b"9"]] {
                assert_eq!(digest(&sum, chunks), expected, "{algorithm}");
            }
        }
    }

    #[test]
    fn bytes_that_belong_to_no_part_have_no_checksum() {
        let sum = Checksum::new(Algorithm::Crc32, vec![]).with_coverage(Coverage::Parts(vec![2]));
        assert_eq!(digest(&sum, &[b"12"]).len(), 4);
        assert!(digest(&sum, &[b"12", b"345"]).is_empty());
    }
}
