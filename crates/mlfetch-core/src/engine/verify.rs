//! What is proven of the bytes.

use std::fmt;

use mlfetch_store::{Algorithm, Checksum, Coverage};

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
    /// Checksums that the store computed over its ranges, each of them as it was sent.
    Ranges(Algorithm),
    /// The store's own checksum.
    Checksum(Algorithm),
    /// The SHA-256 of a list that the user gave.
    List,
}

impl fmt::Display for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transfer => formatter.write_str("transfer"),
            Self::Size => formatter.write_str("size"),
            Self::Ranges(algorithm) => write!(formatter, "{algorithm}-ranges"),
            Self::Checksum(algorithm) => algorithm.fmt(formatter),
            Self::List => formatter.write_str("list"),
        }
    }
}

/// The strongest checksum of a list that can be computed: over the whole, or over parts of which
/// the sizes are known.
pub(super) fn strongest<'a>(
    checksums: impl IntoIterator<Item = &'a Checksum>,
) -> Option<&'a Checksum> {
    let is_whole = |sum: &Checksum| sum.value.len() == sum.algorithm.value_bytes();
    let is_known = |sum: &Checksum| match &sum.coverage {
        Coverage::Object => true,
        Coverage::Parts(sizes) => !sizes.is_empty(),
        Coverage::Blocks(blocks) => !blocks.sizes.is_empty(),
        _ => false,
    };
    let usable = |sum: &&Checksum| is_whole(sum) && is_known(sum);
    checksums.into_iter().filter(usable).max_by_key(|sum| strength(sum.algorithm))
}

/// What is said of bytes whose checksum is not the store's.
pub(super) fn mismatch(sum: &Checksum, ours: Vec<u8>) -> String {
    let ours = Checksum::new(sum.algorithm, ours).hex();
    format!("its {} is {ours} and the store says {}", sum.algorithm, sum.hex())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_that_can_be_computed_is_chosen() {
        let crc = || Checksum::new(Algorithm::Crc32c, vec![0; 4]);
        let over = |sizes: &[u64]| {
            Checksum::new(Algorithm::Sha256, vec![0; 32])
                .with_coverage(Coverage::Parts(sizes.to_vec()))
        };
        let chosen = |sums: &[Checksum]| strongest(sums).map(|sum| sum.algorithm);
        assert_eq!(chosen(&[crc(), over(&[5, 4])]), Some(Algorithm::Sha256));
        assert_eq!(chosen(&[crc(), over(&[])]), Some(Algorithm::Crc32c));
        assert_eq!(chosen(&[Checksum::new(Algorithm::Md5, vec![0; 3])]), None);
    }
}
