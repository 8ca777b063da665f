//! HDFS's checksum of a file, and what it covers.

use mlfetch_store::{Algorithm, Blocks, Checksum, Coverage};

use crate::wire::{BlockLocation, FileChecksum};

/// What a file's checksum was computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileSum {
    /// A CRC of the whole file (`COMPOSITE-CRC32C`).
    Whole(Checksum),
    /// The MD5 of the blocks' MD5s, each over the CRCs of its chunks (`MD5-of-…MD5-of-…CRC32C`).
    Blocks {
        /// The value.
        value: Vec<u8>,
        /// The CRC of a chunk.
        crc: Algorithm,
        /// The size of a chunk in bytes.
        chunk_bytes: u32,
        /// Whether the file has more than one block.
        many: bool,
    },
}

impl FileSum {
    /// Reads what a server says; `None` for a form that is not known, and for that of an empty file,
    /// which proves nothing.
    pub(crate) fn parse(sum: &FileChecksum) -> Option<Self> {
        let bytes = unhex(&sum.bytes)?;
        let bytes = bytes.get(..sum.length)?;
        if let Some(crc) = sum.algorithm.strip_prefix("COMPOSITE-") {
            let checksum = Checksum::new(crc_of(crc)?, bytes);
            return (bytes.len() == 4).then_some(Self::Whole(checksum));
        }
        let (_, crc) = sum.algorithm.strip_prefix("MD5-of-")?.rsplit_once("MD5-of-")?;
        let crc = crc_of(crc.trim_start_matches(|digit: char| digit.is_ascii_digit()))?;
        // `MD5MD5CRC32FileChecksum`: chunk size, chunks in a block, the value.
        let (chunk_bytes, rest) = bytes.split_first_chunk::<4>()?;
        let (chunks, value) = rest.split_first_chunk::<8>()?;
        let chunk_bytes = u32::from_be_bytes(*chunk_bytes);
        (chunk_bytes > 0 && value.len() == 16).then(|| Self::Blocks {
            value: value.to_vec(),
            crc,
            chunk_bytes,
            many: u64::from_be_bytes(*chunks) > 0,
        })
    }

    /// The checksum of a file whose blocks have these sizes.
    pub(crate) fn over(self, sizes: Vec<u64>) -> Checksum {
        match self {
            Self::Whole(checksum) => checksum,
            Self::Blocks { value, crc, chunk_bytes, .. } => {
                let blocks = Blocks::new(sizes, crc, chunk_bytes);
                Checksum::new(Algorithm::Md5, value).with_coverage(Coverage::Blocks(blocks))
            }
        }
    }
}

/// The sizes of a file's blocks, if together they are the file.
pub(crate) fn sizes_of(blocks: &[BlockLocation], size: u64) -> Option<Vec<u64>> {
    let mut at = 0_u64;
    for block in blocks {
        if block.offset != at {
            return None;
        }
        at = at.checked_add(block.length)?;
    }
    (at == size).then(|| blocks.iter().map(|block| block.length).collect())
}

fn crc_of(name: &str) -> Option<Algorithm> {
    match name {
        "CRC32C" => Some(Algorithm::Crc32c),
        "CRC32" => Some(Algorithm::Crc32),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok());
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn parse(text: &str) -> Option<FileSum> {
        FileSum::parse(&wire::file_checksum(text.as_bytes()).expect("a checksum"))
    }

    fn answer(algorithm: &str, bytes: &str, length: usize) -> String {
        format!(
            r#"{{"FileChecksum":{{"algorithm":"{algorithm}","bytes":"{bytes}","length":{length}}}}}"#
        )
    }

    const MANY: &str = "000002000000000000000800054e846259433ffa00e6e3d37da3552800000000";

    #[test]
    fn a_checksum_of_blocks_is_read() {
        let FileSum::Blocks { value, crc, chunk_bytes, many } =
            parse(&answer("MD5-of-2048MD5-of-512CRC32C", MANY, 28)).expect("known")
        else {
            panic!("it is one of blocks");
        };
        assert_eq!((crc, chunk_bytes, many), (Algorithm::Crc32c, 512, true));
        assert_eq!(value[..4], [0x05, 0x4e, 0x84, 0x62]);
    }

    #[test]
    fn the_older_crc_is_another() {
        let sum = parse(&answer("MD5-of-0MD5-of-512CRC32", &MANY.replace("0800", "0000"), 28));
        let Some(FileSum::Blocks { crc, many, .. }) = sum else { panic!("it is known") };
        assert_eq!((crc, many), (Algorithm::Crc32, false));
    }

    #[test]
    fn a_composite_one_is_a_crc_of_the_whole() {
        let sum = parse(&answer("COMPOSITE-CRC32C", "2c8e476d", 4));
        let expected = Checksum::new(Algorithm::Crc32c, [0x2c, 0x8e, 0x47, 0x6d]);
        assert_eq!(sum, Some(FileSum::Whole(expected)));
    }

    #[test]
    fn what_proves_nothing_is_none() {
        let empty = "00000000000000000000000070bc8f4b72a86921468bf8e8441dce5100000000";
        for text in [
            answer("MD5-of-0MD5-of-0CRC32", empty, 28),
            answer("MD5-of-0MD5-of-512CRC64", MANY, 28),
            answer("SHA-512", MANY, 28),
            answer("MD5-of-2048MD5-of-512CRC32C", MANY, 60),
            answer("MD5-of-2048MD5-of-512CRC32C", "zz", 1),
            answer("COMPOSITE-CRC32C", "2c8e47", 3),
        ] {
            assert_eq!(parse(&text), None, "{text}");
        }
    }

    #[test]
    fn blocks_count_only_if_they_are_the_file() {
        let block =
            |offset, length| BlockLocation { offset, length, hosts: Vec::new(), names: Vec::new() };
        assert_eq!(sizes_of(&[block(0, 4), block(4, 2)], 6), Some(vec![4, 2]));
        assert_eq!(sizes_of(&[block(0, 4), block(4, 2)], 7), None);
        assert_eq!(sizes_of(&[block(0, 4), block(5, 2)], 6), None);
        assert_eq!(sizes_of(&[block(0, u64::MAX), block(u64::MAX, 2)], 1), None);
    }
}
