//! What is proven of the bytes.

use std::fmt;

use crc_fast::{CrcAlgorithm, Digest as CrcDigest};
use md5::{Digest as _, Md5};
use mlfetch_store::{Algorithm, Checksum, Coverage};
use sha1::Sha1;
use sha2::Sha256;

/// What must be proven of the bytes before a file gets its name. That the size agrees is always
/// checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// The size only.
    Off,
    /// The strongest checksum that the store gives, if it gives one.
    #[default]
    IfPresent,
    /// A checksum; a file without one fails.
    Required,
}

/// What was proven of a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Proof {
    /// Nothing beyond a complete transfer: the store told no size.
    Transfer,
    /// As many bytes as the store said.
    Size,
    /// The store's own checksum.
    Checksum(Algorithm),
}

impl fmt::Display for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transfer => formatter.write_str("transfer"),
            Self::Size => formatter.write_str("size"),
            Self::Checksum(algorithm) => algorithm.fmt(formatter),
        }
    }
}

/// The strongest checksum of a list that can be computed from the bytes alone.
pub(super) fn strongest<'a>(
    checksums: impl IntoIterator<Item = &'a Checksum>,
) -> Option<&'a Checksum> {
    let usable = |sum: &&Checksum| {
        sum.coverage == Coverage::Object && sum.value.len() == sum.algorithm.value_bytes()
    };
    checksums.into_iter().filter(usable).max_by_key(|sum| strength(sum.algorithm))
}

fn strength(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha256 => 6,
        Algorithm::Sha1 => 5,
        Algorithm::Md5 => 4,
        Algorithm::Crc64Nvme => 3,
        Algorithm::Crc32c => 2,
        Algorithm::Crc32 => 1,
        _ => 0,
    }
}

/// Computes one checksum as bytes pass.
pub struct Digests(Inner);

enum Inner {
    Crc32(CrcDigest),
    Crc32c(CrcDigest),
    Crc64Nvme(CrcDigest),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Digests {
    /// Begins a checksum; `None` for an algorithm that is not computed here.
    pub fn new(algorithm: Algorithm) -> Option<Self> {
        Some(Self(match algorithm {
            Algorithm::Crc32 => Inner::Crc32(CrcDigest::new(CrcAlgorithm::Crc32IsoHdlc)),
            Algorithm::Crc32c => Inner::Crc32c(CrcDigest::new(CrcAlgorithm::Crc32Iscsi)),
            Algorithm::Crc64Nvme => Inner::Crc64Nvme(CrcDigest::new(CrcAlgorithm::Crc64Nvme)),
            Algorithm::Md5 => Inner::Md5(Md5::new()),
            Algorithm::Sha1 => Inner::Sha1(Sha1::new()),
            Algorithm::Sha256 => Inner::Sha256(Sha256::new()),
            _ => return None,
        }))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Crc32(digest) | Inner::Crc32c(digest) | Inner::Crc64Nvme(digest) => {
                digest.update(bytes);
            }
            Inner::Md5(digest) => digest.update(bytes),
            Inner::Sha1(digest) => digest.update(bytes),
            Inner::Sha256(digest) => digest.update(bytes),
        }
    }

    /// The value, as [`Checksum::value`] holds it.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            Inner::Crc32(digest) | Inner::Crc32c(digest) => {
                digest.finalize().to_be_bytes()[4..].to_vec()
            }
            Inner::Crc64Nvme(digest) => digest.finalize().to_be_bytes().to_vec(),
            Inner::Md5(digest) => digest.finalize().to_vec(),
            Inner::Sha1(digest) => digest.finalize().to_vec(),
            Inner::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

impl fmt::Debug for Digests {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Digests")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(algorithm: Algorithm) -> String {
        let mut digest = Digests::new(algorithm).expect("computed here");
        digest.update(b"12345");
        digest.update(b"6789");
        Checksum::new(algorithm, digest.finish()).hex()
    }

    #[test]
    fn each_algorithm_gives_its_published_check_value() {
        assert_eq!(digest(Algorithm::Crc32), "cbf43926");
        assert_eq!(digest(Algorithm::Crc32c), "e3069283");
        assert_eq!(digest(Algorithm::Crc64Nvme), "ae8b14860a799888");
        assert_eq!(digest(Algorithm::Md5), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!(digest(Algorithm::Sha1), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        assert_eq!(
            digest(Algorithm::Sha256),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
        );
    }

    #[test]
    fn the_strongest_that_covers_the_object_is_chosen() {
        let parts = Checksum::new(Algorithm::Sha256, vec![0; 32])
            .with_coverage(Coverage::Parts(vec![5, 4]));
        let sums = [Checksum::new(Algorithm::Crc32c, vec![0; 4]), parts];
        assert_eq!(strongest(&sums).map(|sum| sum.algorithm), Some(Algorithm::Crc32c));
        let cut = [Checksum::new(Algorithm::Md5, vec![0; 3])];
        assert!(strongest(&cut).is_none());
    }
}
