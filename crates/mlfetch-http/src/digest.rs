//! Checksums that servers send in headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_store::{Algorithm, Checksum};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Asks for a digest of the whole (RFC 9530, 4).
pub(crate) const WANT_REPR_DIGEST: (HeaderName, HeaderValue) =
    (HeaderName::from_static("want-repr-digest"), HeaderValue::from_static("sha-256=10, md5=1"));

/// The checksums of an answer that cover the whole object, each algorithm once.
///
/// `Repr-Digest` (RFC 9530, 3) and its forerunner `Digest` (RFC 3230, 4.3.2) cover the whole also in
/// the answer to a range; `Content-Digest` (RFC 9530, 2) and `Content-MD5` (RFC 1864) cover what is
/// sent, which is the whole only in a `200`.
pub(crate) fn checksums(status: StatusCode, headers: &HeaderMap) -> Vec<Checksum> {
    let mut all = dictionary(headers, "repr-digest");
    all.extend(list(headers, "digest"));
    if status == StatusCode::OK {
        all.extend(dictionary(headers, "content-digest"));
        let values = texts(headers, "content-md5");
        all.extend(values.filter_map(|value| checksum("md5", value)));
    }
    let mut each: Vec<Checksum> = Vec::new();
    for checksum in all {
        if !each.iter().any(|known| known.algorithm == checksum.algorithm) {
            each.push(checksum);
        }
    }
    each
}

/// A dictionary of byte sequences: `sha-256=:…:, md5=:…:` (RFC 8941, 3.2 and 3.3.5).
fn dictionary(headers: &HeaderMap, name: &str) -> Vec<Checksum> {
    let members = texts(headers, name).flat_map(|text| text.split(','));
    let sequences = members.filter_map(|member| {
        let (algorithm, value) = member.trim().split_once('=')?;
        let (value, _parameters) = value.strip_prefix(':')?.split_once(':')?;
        checksum(algorithm, value)
    });
    sequences.collect()
}

/// A list of `SHA-256=…,MD5=…`.
fn list(headers: &HeaderMap, name: &str) -> Vec<Checksum> {
    let members = texts(headers, name).flat_map(|text| text.split(','));
    let pairs = members.filter_map(|member| member.trim().split_once('='));
    pairs.filter_map(|(algorithm, value)| checksum(algorithm, value)).collect()
}

fn texts<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

/// `None` for an algorithm that is not used here, and for a value that is none of it.
fn checksum(algorithm: &str, value: &str) -> Option<Checksum> {
    let algorithm = match algorithm.to_ascii_lowercase().as_str() {
        "sha-256" => Algorithm::Sha256,
        "sha" => Algorithm::Sha1,
        "md5" => Algorithm::Md5,
        _ => return None,
    };
    let value = STANDARD.decode(value.trim()).ok()?;
    (value.len() == algorithm.value_bytes()).then(|| Checksum::new(algorithm, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the empty object.
    const MD5: &str = "1B2M2Y8AsgTpgAmY7PhCfg==";
    const SHA_256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn read(status: u16, headers: &[(&'static str, String)]) -> Vec<&'static str> {
        let pairs = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), value.parse().expect("a header's value"))
        });
        let status = StatusCode::from_u16(status).expect("a status");
        let found = checksums(status, &pairs.collect());
        found.iter().map(|checksum| checksum.algorithm.name()).collect()
    }

    #[test]
    fn a_digest_of_the_whole_counts_in_every_answer() {
        let repr = ("repr-digest", format!("md5=:{MD5}:, sha-256=:{SHA_256}:;x=1"));
        let digest = ("digest", format!("SHA-256={SHA_256},MD5={MD5}"));
        for status in [200, 206] {
            assert_eq!(read(status, std::slice::from_ref(&repr)), ["md5", "sha256"]);
            assert_eq!(read(status, std::slice::from_ref(&digest)), ["sha256", "md5"]);
        }
    }

    #[test]
    fn a_digest_of_what_is_sent_does_not_count_for_a_range() {
        let md5 = ("content-md5", MD5.to_owned());
        assert_eq!(read(200, std::slice::from_ref(&md5)), ["md5"]);
        assert!(read(206, &[md5]).is_empty());
        assert!(read(206, &[("content-digest", format!("md5=:{MD5}:"))]).is_empty());
    }

    #[test]
    fn a_value_that_is_no_checksum_is_passed_over() {
        for value in ["", "x", "Zm9v", "====", "sha-256=:Zm9v:", "md5=::", "md5", "unixsum=1"] {
            for name in ["repr-digest", "digest", "content-md5"] {
                assert!(read(200, &[(name, value.to_owned())]).is_empty(), "{name}: {value}");
            }
        }
    }

    #[test]
    fn each_algorithm_comes_once() {
        let both = [("repr-digest", format!("md5=:{MD5}:")), ("content-md5", MD5.to_owned())];
        assert_eq!(read(200, &both), ["md5"]);
    }
}
