//! What S3 says of an object's bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use mlfetch_store::{Algorithm, Checksum};

const HEADERS: [(&str, Algorithm); 5] = [
    ("x-amz-checksum-crc64nvme", Algorithm::Crc64Nvme),
    ("x-amz-checksum-crc32c", Algorithm::Crc32c),
    ("x-amz-checksum-crc32", Algorithm::Crc32),
    ("x-amz-checksum-sha256", Algorithm::Sha256),
    ("x-amz-checksum-sha1", Algorithm::Sha1),
];

/// What an answer carries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Over the bytes of the object.
    pub(crate) whole: Vec<Checksum>,
    /// Over the checksums of so many parts.
    pub(crate) composite: Option<(Checksum, usize)>,
}

/// The checksums of an answer about a whole object.
pub(crate) fn found(headers: &HeaderMap) -> Found {
    let mut found = Found::default();
    for (name, algorithm) in HEADERS {
        let Some(text) = text(headers, name) else { continue };
        match read(text, algorithm) {
            Some((checksum, None)) => found.whole.push(checksum),
            Some((checksum, Some(parts))) => found.composite = Some((checksum, parts)),
            None => {}
        }
    }
    if found.whole.is_empty() && found.composite.is_none() {
        found.whole.extend(md5_of_etag(headers));
    }
    found
}

/// A value in base64; `-3` behind it says that it covers the checksums of three parts.
fn read(text: &str, algorithm: Algorithm) -> Option<(Checksum, Option<usize>)> {
    let (value, parts) = match text.split_once('-') {
        Some((value, parts)) => (value, Some(parts.parse().ok()?)),
        None => (text, None),
    };
    let value = STANDARD.decode(value).ok()?;
    let right = value.len() == algorithm.value_bytes();
    right.then(|| (Checksum::new(algorithm, value), parts))
}

/// The entity tag of an object that was stored in one piece and is not encrypted with a key of its
/// own is the MD5 of its bytes. That is custom rather than promise, and the slowest to compute: it
/// counts only where there is nothing else.
fn md5_of_etag(headers: &HeaderMap) -> Option<Checksum> {
    let encryption = text(headers, "x-amz-server-side-encryption");
    let other_key = encryption.is_some_and(|name| name != "AES256")
        || headers.contains_key("x-amz-server-side-encryption-customer-algorithm");
    // In directory buckets, whose objects say this of themselves, a tag is any text.
    let express = text(headers, "x-amz-storage-class") == Some("EXPRESS_ONEZONE");
    if other_key || express {
        return None;
    }
    let hex = text(headers, "etag")?.strip_prefix('"')?.strip_suffix('"')?;
    Some(Checksum::new(Algorithm::Md5, bytes_of_hex(hex).filter(|bytes| bytes.len() == 16)?))
}

fn bytes_of_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        hex.bytes().map(|byte| char::from(byte).to_digit(16)?.try_into().ok()).collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const MD5: &str = "\"d41d8cd98f00b204e9800998ecf8427e\"";

    fn found_in(pairs: &[(&'static str, &'static str)]) -> Found {
        let pairs = pairs.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        found(&pairs.collect())
    }

    fn algorithms(pairs: &[(&'static str, &'static str)]) -> Vec<Algorithm> {
        found_in(pairs).whole.iter().map(|checksum| checksum.algorithm).collect()
    }

    #[test]
    fn each_header_gives_its_algorithm_and_bytes() {
        let found = found_in(&[
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
            ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
            ("etag", MD5),
        ]);
        let hex: Vec<String> = found.whole.iter().map(Checksum::hex).collect();
        assert_eq!(hex[..3], ["ae8b14860a799888", "e3069283", "cbf43926"]);
        assert!(hex[3].ends_with("bc8c3312448eb225") && hex[4].ends_with("ccc34ca7ae3441"));
        assert_eq!(found.composite, None);
    }

    #[test]
    fn a_value_with_a_number_of_parts_covers_parts() {
        let found = found_in(&[("x-amz-checksum-crc32", "y/Q5Jg==-3"), ("etag", MD5)]);
        assert!(found.whole.is_empty());
        let (checksum, parts) = found.composite.expect("a composite checksum");
        assert_eq!((checksum.hex().as_str(), parts), ("cbf43926", 3));
    }

    #[test]
    fn a_value_of_another_length_is_none() {
        for value in ["", "y/Q5", "y/Q5Jg==-x", "not base64"] {
            assert!(algorithms(&[("x-amz-checksum-crc32", value)]).is_empty(), "{value}");
        }
    }

    #[test]
    fn the_tag_of_a_plain_object_is_its_md5() {
        assert_eq!(algorithms(&[("etag", MD5)]), [Algorithm::Md5]);
        let own_keys = ("x-amz-server-side-encryption", "AES256");
        assert_eq!(algorithms(&[("etag", MD5), own_keys]), [Algorithm::Md5]);
    }

    #[test]
    fn the_tag_of_other_objects_is_no_checksum() {
        for other in [
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-storage-class", "EXPRESS_ONEZONE"),
        ] {
            assert!(algorithms(&[("etag", MD5), other]).is_empty(), "{other:?}");
        }
        for tag in ["\"d41d8cd98f00b204e9800998ecf8427e-2\"", "\"abc\"", "\"\"", "W/\"x\""] {
            assert!(algorithms(&[("etag", tag)]).is_empty(), "{tag}");
        }
    }
}
