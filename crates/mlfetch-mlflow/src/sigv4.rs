//! AWS Signature Version 4, as a pure function.

use std::fmt::Write as _;
use std::time::SystemTime;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mlfetch_http::Url;
use mlfetch_store::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

/// What stands as it is in a canonical request: letters, digits, `-`, `_`, `.`, `~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An access key.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) token: Option<Secret>,
}

/// What a signature is good for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) at: SystemTime,
}

/// The headers that carry a signature.
pub(crate) struct Signed {
    pub(crate) authorization: String,
    pub(crate) date: String,
}

/// Signs a request that carries the headers `host`, `x-amz-date` and, with temporary keys,
/// `x-amz-security-token`.
pub(crate) fn sign(keys: &Keys, scope: &Scope<'_>, method: &str, url: &Url, body: &[u8]) -> Signed {
    let date = timestamp(scope.at);
    let day = &date[..8];
    let (headers, names) = canonical_headers(keys, url, &date);
    let request = format!(
        "{method}\n{}\n{}\n{headers}\n{names}\n{}",
        canonical_path(url),
        canonical_query(url),
        hex(&Sha256::digest(body))
    );
    let scope_text = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let hashed = hex(&Sha256::digest(request));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope_text}\n{hashed}");
    let mut key = hmac(format!("AWS4{}", keys.secret.expose()).as_bytes(), day);
    for part in [scope.region, scope.service, "aws4_request", &to_sign] {
        key = hmac(&key, part);
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope_text}, SignedHeaders={names}, Signature={}",
        keys.id,
        hex(&key)
    );
    Signed { authorization, date }
}

/// The signed headers in order, each with its line end, and their names.
fn canonical_headers(keys: &Keys, url: &Url, date: &str) -> (String, String) {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut headers = format!("host:{host}{port}\nx-amz-date:{date}\n");
    let mut names = "host;x-amz-date".to_owned();
    if let Some(token) = &keys.token {
        // Writing to a String cannot fail.
        let _ = writeln!(headers, "x-amz-security-token:{}", token.expose());
        names.push_str(";x-amz-security-token");
    }
    (headers, names)
}

/// The path as it is sent, each segment encoded once more, as every service but S3 wants it.
fn canonical_path(url: &Url) -> String {
    let segments = url.path().split('/').map(|segment| utf8_percent_encode(segment, ESCAPED));
    segments.map(|segment| segment.to_string()).collect::<Vec<_>>().join("/")
}

/// The query's pairs, decoded, encoded in one way, and sorted.
fn canonical_query(url: &Url) -> String {
    let encode = |text: &str| {
        let decoded: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&decoded, ESCAPED).to_string()
    };
    let query = url.query().unwrap_or_default();
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(&name.replace('+', " ")), encode(&value.replace('+', " "))))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `20150830T123600Z`.
fn timestamp(at: SystemTime) -> String {
    let at = humantime::format_rfc3339_seconds(at.max(SystemTime::UNIX_EPOCH));
    at.to_string().replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The keys, scope and date of AWS's published test suite.
    fn signature(method: &str, url: &str) -> String {
        let keys = Keys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            token: None,
        };
        let at = SystemTime::UNIX_EPOCH + Duration::from_mins(24_015_636);
        let scope = Scope { region: "us-east-1", service: "service", at };
        let url = Url::parse(url).expect("a URL");
        let signed = sign(&keys, &scope, method, &url, b"");
        assert_eq!(signed.date, "20150830T123600Z");
        let (head, signature) = signed.authorization.rsplit_once('=').expect("a signature");
        assert!(head.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date"
        ));
        signature.to_owned()
    }

    #[test]
    fn the_published_vectors_are_met() {
        let host = "https://example.amazonaws.com/";
        let rows = [
            ("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                "GET",
                "?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ];
        for (method, rest, expected) in rows {
            assert_eq!(signature(method, &format!("{host}{rest}")), expected, "{method} {rest}");
        }
    }

    #[test]
    fn a_path_is_encoded_once_more_and_a_query_only_once() {
        let url = Url::parse("https://h/a%20b/~c?x=a%2Fb&empty&x=a+b").expect("a URL");
        assert_eq!(canonical_path(&url), "/a%2520b/~c");
        assert_eq!(canonical_query(&url), "empty=&x=a%20b&x=a%2Fb");
    }

    #[test]
    fn dates_around_leap_days_are_right() {
        let day = |days: u64| timestamp(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * days));
        assert_eq!(day(0), "19700101T000000Z");
        assert_eq!(day(11_016), "20000229T000000Z");
        assert_eq!(day(19_782), "20240229T000000Z");
        assert_eq!(day(20_088), "20241231T000000Z");
    }
}
