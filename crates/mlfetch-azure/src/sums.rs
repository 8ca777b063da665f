//! Checksums of ranges: computed by the service when it is asked, over up to 4 MiB.

use mlfetch_http::HttpResponse;
use mlfetch_store::{Algorithm, Checksum, Error, ErrorKind, ReadRequest, Result};

use crate::answer::{md5, text, value};

/// The longest range whose checksum the service computes, in bytes (Get Blob,
/// `x-ms-range-get-content-crc64`).
pub(crate) const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Which checksum the service is asked to compute over a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RangeChecksum {
    /// CRC-64: the polynomial and form of CRC-64/NVME, sent with its lowest byte first.
    #[default]
    Crc64,
    /// MD5: for emulators, which know no other.
    Md5,
}

impl RangeChecksum {
    /// Reads the setting `name`.
    ///
    /// # Errors
    /// `InvalidInput` for a name of neither.
    pub(crate) fn read(name: &'static str, text: &str) -> Result<Self> {
        match text {
            "crc64" => Ok(Self::Crc64),
            "md5" => Ok(Self::Md5),
            _ => Err(Error::new(ErrorKind::InvalidInput, "read the option", name)
                .with_message("it must be `crc64` or `md5`")),
        }
    }

    /// The header that asks for it, where the service would compute it: it refuses longer ranges.
    pub(crate) fn header(self, request: &ReadRequest) -> Option<&'static str> {
        let range = request.range.as_ref().filter(|_| request.checksum)?;
        let length = range.end.saturating_sub(range.start);
        (1..=MAX_BYTES).contains(&length).then_some(match self {
            Self::Crc64 => "x-ms-range-get-content-crc64",
            Self::Md5 => "x-ms-range-get-content-md5",
        })
    }

    /// What an answer to that says of its bytes. `Content-MD5` would be that of the whole blob where
    /// nobody asked.
    pub(crate) fn of(self, answer: &HttpResponse) -> Option<Checksum> {
        match self {
            Self::Crc64 => crc64(text(answer, "x-ms-content-crc64")?),
            Self::Md5 => md5(text(answer, "content-md5")?),
        }
    }
}

/// A CRC-64 in base64, lowest byte first; `None` if it is none.
fn crc64(text: &str) -> Option<Checksum> {
    let mut value = value(Algorithm::Crc64Nvme, text)?;
    value.reverse();
    Some(Checksum::new(Algorithm::Crc64Nvme, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value that Microsoft's library for C++ is tested with, of `Hello Azure!`. By the check value
    /// of the catalogue, `123456789` has ae8b14860a799888.
    #[test]
    fn a_crc_is_read_lowest_byte_first() {
        for (text, expected) in
            [("DtjZpL9/o8c=", "c7a37fbfa4d9d80e"), ("iJh5CoYUi64=", "ae8b14860a799888")]
        {
            assert_eq!(crc64(text).expect("a CRC").hex(), expected);
        }
        for text in ["", "AAAA", "DtjZpL9/o8cA", "not base64"] {
            assert_eq!(crc64(text), None, "{text}");
        }
    }

    #[test]
    fn only_short_ranges_are_asked_for_with_one() {
        let of = |range| {
            RangeChecksum::Crc64.header(&ReadRequest::new().with_range(range).with_checksum())
        };
        let name = Some("x-ms-range-get-content-crc64");
        assert_eq!(of(0..1), name);
        assert_eq!(of(7..7 + MAX_BYTES), name);
        assert_eq!(of(0..MAX_BYTES + 1), None);
        assert_eq!(of(5..5), None);
        let unasked = ReadRequest::new().with_range(0..1);
        assert_eq!(RangeChecksum::Md5.header(&unasked), None);
        assert_eq!(
            RangeChecksum::Md5.header(&unasked.with_checksum()),
            Some("x-ms-range-get-content-md5")
        );
        assert_eq!(RangeChecksum::Md5.header(&ReadRequest::new().with_checksum()), None);
    }
}
