//! What S3 says of an object's bytes in the headers of an answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_http::header::{ETAG, HeaderMap};
use mlfetch_store::{Algorithm, Checksum};

/// The headers that carry a checksum, base64 (S3 API, `GetObject`).
const HEADERS: [(&str, Algorithm); 5] = [
    ("x-amz-checksum-crc32", Algorithm::Crc32),
    ("x-amz-checksum-crc32c", Algorithm::Crc32c),
    ("x-amz-checksum-crc64nvme", Algorithm::Crc64Nvme),
    ("x-amz-checksum-sha1", Algorithm::Sha1),
    ("x-amz-checksum-sha256", Algorithm::Sha256),
];

/// The checksums over the whole object; those over parts are left out, because the answer does not
/// say how long the parts are.
pub(super) fn of(headers: &HeaderMap) -> Vec<Checksum> {
    let composite = text(headers, "x-amz-checksum-type").is_some_and(|kind| kind == "COMPOSITE");
    let mut checksums: Vec<Checksum> = HEADERS
        .iter()
        .filter(|_| !composite)
        .filter_map(|(name, algorithm)| decode(text(headers, name)?, *algorithm))
        .collect();
    checksums.extend(md5_of_tag(headers));
    checksums
}

/// A composite value ends in `-<parts>`, which is no base64 of the algorithm's length.
fn decode(text: &str, algorithm: Algorithm) -> Option<Checksum> {
    let value = STANDARD.decode(text).ok()?;
    (value.len() == algorithm.value_bytes()).then(|| Checksum::new(algorithm, value))
}

/// The tag of an object that was put in one piece is its MD5, unless it is encrypted with a key of
/// KMS or of the customer (S3 API, `Object`). Only S3 is asked: other servers' tags may be 32
/// hexadecimal digits too, MLflow's own among them.
fn md5_of_tag(headers: &HeaderMap) -> Option<Checksum> {
    let from_s3 = headers.contains_key("x-amz-request-id");
    let encryption = text(headers, "x-amz-server-side-encryption").unwrap_or("AES256");
    let customer = headers.contains_key("x-amz-server-side-encryption-customer-algorithm");
    if !from_s3 || encryption != "AES256" || customer {
        return None;
    }
    let tag = headers.get(ETAG)?.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?;
    Some(Checksum::new(Algorithm::Md5, hexadecimal(tag).filter(|value| value.len() == 16)?))
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|it| u8::try_from(it).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use mlfetch_http::header::{HeaderName, HeaderValue};

    use super::*;

    const TAG: (&str, &str) = ("etag", "\"781e5e245d69b566979b86e28d23f2c7\"");
    const S3: (&str, &str) = ("x-amz-request-id", "1");

    fn found(pairs: &[(&'static str, &'static str)]) -> Vec<String> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        of(&pairs.collect::<HeaderMap>())
            .iter()
            .map(|it| format!("{} {}", it.algorithm, it.hex()))
            .collect()
    }

    #[test]
    fn a_tag_of_one_piece_is_an_md5() {
        assert_eq!(found(&[S3, TAG]), ["md5 781e5e245d69b566979b86e28d23f2c7"]);
        assert_eq!(found(&[S3, ("etag", "\"781e5e245d69b566979b86e28d23f2c7-2\"")]), [""; 0]);
        assert_eq!(found(&[S3, ("etag", "781e5e245d69b566979b86e28d23f2c7")]), [""; 0]);
    }

    #[test]
    fn a_tag_proves_nothing_for_other_servers_and_kms() {
        assert_eq!(found(&[TAG]), [""; 0]);
        assert_eq!(found(&[S3, TAG, ("x-amz-server-side-encryption", "aws:kms")]), [""; 0]);
        let customer = ("x-amz-server-side-encryption-customer-algorithm", "AES256");
        assert_eq!(found(&[S3, TAG, customer]), [""; 0]);
    }

    #[test]
    fn checksums_of_the_whole_object_are_read_and_those_of_parts_are_not() {
        let crc = ("x-amz-checksum-crc32c", "4waSgw==");
        assert_eq!(found(&[crc]), ["crc32c e3069283"]);
        assert_eq!(found(&[crc, ("x-amz-checksum-type", "FULL_OBJECT")]), ["crc32c e3069283"]);
        assert_eq!(found(&[crc, ("x-amz-checksum-type", "COMPOSITE")]), [""; 0]);
        assert_eq!(found(&[("x-amz-checksum-crc32c", "4waSgw==-2")]), [""; 0]);
    }
}
