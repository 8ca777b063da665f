//! A bucket in memory that holds every key, as Amazon S3 does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use bytes::Bytes;
use mlfetch_store::Key;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::server::{Answer, Request, S3Answer};

/// Objects under exact names, below `/bucket/`.
#[derive(Debug, Default)]
pub(crate) struct MemoryBucket {
    objects: BTreeMap<Vec<u8>, Bytes>,
}

impl MemoryBucket {
    pub(crate) fn with(objects: &[(Key, Bytes)]) -> Self {
        let objects = objects.iter().map(|(key, bytes)| (key.as_bytes().to_vec(), bytes.clone()));
        Self { objects: objects.collect() }
    }

    /// What S3 would answer.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let path = request.target.split('?').next().unwrap_or_default();
        let Some(name) = path.strip_prefix("/bucket/") else {
            return Answer::error("404 Not Found", "NoSuchBucket", &[]);
        };
        if name.is_empty() {
            return self.list(request);
        }
        let key: Vec<u8> = percent_decode_str(name).collect();
        match self.objects.get(&key) {
            Some(bytes) => object(request, bytes),
            None if request.method == "HEAD" => Answer::head("404 Not Found", 0, &[]),
            None => Answer::error("404 Not Found", "NoSuchKey", &[]),
        }
    }

    fn list(&self, request: &Request) -> Answer {
        assert_eq!(request.parameter("list-type"), Some("2"));
        assert_eq!(request.parameter("encoding-type"), Some("url"));
        let parameter = |name| {
            let text = request.parameter(name).unwrap_or_default();
            percent_decode_str(text).collect::<Vec<u8>>()
        };
        let rows = self.rows(&parameter("prefix"), &parameter("delimiter"));
        let number = |name| String::from_utf8(parameter(name)).ok()?.parse::<usize>().ok();
        let start = number("continuation-token").unwrap_or(0);
        let end = rows.len().min(start + number("max-keys").unwrap_or(1000));
        let mut xml = String::from("<ListBucketResult><EncodingType>url</EncodingType>");
        for (name, bytes) in &rows[start..end] {
            let name = encoded(name);
            let _ = match bytes {
                Some(bytes) => write!(
                    xml,
                    "<Contents><Key>{name}</Key><Size>{}</Size><ETag>{}</ETag></Contents>",
                    bytes.len(),
                    etag(bytes)
                ),
                None => write!(xml, "<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"),
            };
        }
        let more = end < rows.len();
        let _ = write!(xml, "<IsTruncated>{more}</IsTruncated>");
        if more {
            let _ = write!(xml, "<NextContinuationToken>{end}</NextContinuationToken>");
        }
        Answer::new("200 OK", &[], xml + "</ListBucketResult>")
    }

    /// Names below a prefix; with a delimiter those that hold it further on are folded into one.
    fn rows(&self, prefix: &[u8], delimiter: &[u8]) -> Vec<(Vec<u8>, Option<&Bytes>)> {
        let mut rows: Vec<(Vec<u8>, Option<&Bytes>)> = Vec::new();
        for (key, bytes) in &self.objects {
            let Some(rest) = key.strip_prefix(prefix) else { continue };
            let slash = rest.iter().position(|byte| [*byte] == *delimiter);
            let row = match slash {
                Some(at) => (key[..=prefix.len() + at].to_vec(), None),
                None => (key.clone(), Some(bytes)),
            };
            if rows.last().is_none_or(|last| last.0 != row.0) {
                rows.push(row);
            }
        }
        rows
    }
}

/// As `encoding-type=url` writes names: a space becomes `+`, and `/` stays.
fn encoded(name: &[u8]) -> String {
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');
    percent_encode(name, ESCAPED).to_string().replace("%20", "+")
}

/// A tag that is no MD5.
fn etag(bytes: &Bytes) -> String {
    let sum = bytes.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
    format!("\"tag-{sum}\"")
}

fn object(request: &Request, bytes: &Bytes) -> Answer {
    let tag = etag(bytes);
    if request.header("if-match").is_some_and(|wanted| wanted != tag) {
        return Answer::error("412 Precondition Failed", "PreconditionFailed", &[]);
    }
    let tag = format!("ETag: {tag}");
    let Some(range) = request.header("range").map(|text| parse_range(text, bytes.len())) else {
        return match request.method.as_str() {
            "HEAD" => Answer::head("200 OK", bytes.len(), &[&tag]),
            _ => Answer::new("200 OK", &[&tag], bytes),
        };
    };
    if range.is_empty() {
        return Answer::error("416 Range Not Satisfiable", "InvalidRange", &[]);
    }
    let place = format!("Content-Range: bytes {}-{}/{}", range.start, range.end - 1, bytes.len());
    Answer::new("206 Partial Content", &[&tag, &place], &bytes[range])
}

fn parse_range(text: &str, size: usize) -> Range<usize> {
    let text = text.strip_prefix("bytes=").expect("a range in bytes");
    let (first, last) = text.split_once('-').expect("two ends");
    let (first, last): (usize, usize) =
        (first.parse().expect("digits"), last.parse().expect("digits"));
    first.min(size)..size.min(last + 1)
}
