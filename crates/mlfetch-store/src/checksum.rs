//! What a store says about the bytes it holds.

use std::fmt;

/// How a checksum was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// CRC-32 (ISO-HDLC, as in zip), 4 bytes, big-endian.
    Crc32,
    /// CRC-32C (Castagnoli), 4 bytes, big-endian.
    Crc32c,
    /// CRC-64/NVME, 8 bytes, big-endian.
    Crc64Nvme,
    /// MD5, 16 bytes.
    Md5,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl Algorithm {
    /// The name in reports: lower case, as the field writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The length of a value of this algorithm, in bytes.
    pub fn value_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a checksum covers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Coverage {
    /// The bytes of the whole object.
    #[default]
    Object,
    /// The checksums of the parts it was uploaded in, one after the other; the sizes of those
    /// parts in bytes, in order.
    Parts(Vec<u64>),
    /// The CRCs of the chunks of its blocks, as HDFS has them.
    Blocks(Blocks),
}

/// How HDFS comes to the checksum of a file: the file is cut into blocks and each of those into
/// chunks. The CRCs of a block's chunks, one after the other, are digested; so are then the blocks'
/// values, one after the other and filled up with zeros to 32 bytes, or as often twice that as it
/// takes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocks {
    /// The sizes of the blocks in bytes, in order.
    pub sizes: Vec<u64>,
    /// The CRC of a chunk: [`Algorithm::Crc32c`] or [`Algorithm::Crc32`].
    pub crc: Algorithm,
    /// The size of a chunk in bytes; the last one of a block may be shorter.
    pub chunk_bytes: u32,
}

impl Blocks {
    /// Blocks of these sizes in bytes, in chunks of `chunk_bytes`.
    pub fn new(sizes: Vec<u64>, crc: Algorithm, chunk_bytes: u32) -> Self {
        Self { sizes, crc, chunk_bytes }
    }
}

/// A checksum that a store gave for an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// The value, big-endian where it is a number.
    pub value: Vec<u8>,
    /// What it covers.
    pub coverage: Coverage,
}

impl Checksum {
    /// A checksum over the whole object.
    pub fn new(algorithm: Algorithm, value: impl Into<Vec<u8>>) -> Self {
        Self { algorithm, value: value.into(), coverage: Coverage::Object }
    }

    /// The same value, covering something else.
    #[must_use]
    pub fn with_coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = coverage;
        self
    }

    /// The value in lower-case hexadecimal.
    pub fn hex(&self) -> String {
        use std::fmt::Write as _;
        self.value.iter().fold(String::with_capacity(self.value.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
