//! What Cloud Storage says of an object's bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_http::header::{HeaderMap, HeaderName};
use mlfetch_store::{Algorithm, Checksum};

const HASH: HeaderName = HeaderName::from_static("x-goog-hash");

/// The checksum of an answer with bytes: `crc32c=…`, `md5=…`, in one header or in several.
pub(crate) fn of_headers(headers: &HeaderMap) -> Vec<Checksum> {
    let (mut crc32c, mut md5) = (None, None);
    let values = headers.get_all(HASH).into_iter().filter_map(|value| value.to_str().ok());
    for field in values.flat_map(|value| value.split(',')) {
        match field.trim().split_once('=') {
            Some(("crc32c", value)) => crc32c = Some(value),
            Some(("md5", value)) => md5 = Some(value),
            _ => {}
        }
    }
    chosen(crc32c, md5)
}

/// CRC32C, which every object of Google's has: it covers the whole object, and the values of ranges
/// that come side by side can be put together. MD5 takes ten times as long and needs the bytes in
/// order, so it counts only where a server tells nothing else.
pub(crate) fn chosen(crc32c: Option<&str>, md5: Option<&str>) -> Vec<Checksum> {
    let crc32c = crc32c.and_then(|value| read(value, Algorithm::Crc32c));
    let md5 = || md5.and_then(|value| read(value, Algorithm::Md5));
    crc32c.or_else(md5).into_iter().collect()
}

fn read(base64: &str, algorithm: Algorithm) -> Option<Checksum> {
    let value = STANDARD.decode(base64).ok()?;
    (value.len() == algorithm.value_bytes()).then(|| Checksum::new(algorithm, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRC: &str = "crc32c=4waSgw==";
    const MD5: &str = "md5=JfnnlDI7RTiF9RgfG2JNCw==";

    fn found(values: &[&str]) -> Vec<(Algorithm, String)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HASH, value.parse().expect("a value"));
        }
        of_headers(&headers).iter().map(|sum| (sum.algorithm, sum.hex())).collect()
    }

    #[test]
    fn crc32c_is_found_in_one_header_or_in_several() {
        let both = format!("{CRC},{MD5}");
        for values in [&[both.as_str()][..], &[MD5, CRC], &[CRC], &["x=y", CRC]] {
            assert_eq!(found(values), [(Algorithm::Crc32c, "e3069283".to_owned())], "{values:?}");
        }
    }

    #[test]
    fn md5_counts_where_there_is_nothing_else() {
        let md5 = "25f9e794323b453885f5181f1b624d0b".to_owned();
        assert_eq!(found(&[MD5]), [(Algorithm::Md5, md5.clone())]);
        assert_eq!(found(&["crc32c=no base64", MD5]), [(Algorithm::Md5, md5)]);
    }

    #[test]
    fn a_value_of_another_length_is_none() {
        for value in ["crc32c=", "crc32c=4waS", "md5=4waSgw==", "crc32c", ""] {
            assert_eq!(found(&[value]), [], "{value}");
        }
    }
}
