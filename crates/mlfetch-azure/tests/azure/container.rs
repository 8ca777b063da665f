//! A container in memory that holds every name that Azure can hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use bytes::Bytes;
use mlfetch_store::Key;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::server::{Answer, AzureAnswer, Request};

/// Blobs under exact names, below `/account/container/`.
#[derive(Debug, Default)]
pub(crate) struct MemoryContainer {
    blobs: BTreeMap<Vec<u8>, Bytes>,
}

impl MemoryContainer {
    pub(crate) fn with(blobs: &[(Key, Bytes)]) -> Self {
        let blobs = blobs.iter().map(|(key, bytes)| (key.as_bytes().to_vec(), bytes.clone()));
        Self { blobs: blobs.collect() }
    }

    /// What Azure would answer.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let path = request.target.split('?').next().unwrap_or_default();
        let Some(name) = path.strip_prefix("/account/container") else {
            return Answer::error("404 The specified container", "ContainerNotFound", &[]);
        };
        if name.is_empty() {
            return self.list(request);
        }
        let key: Vec<u8> = percent_decode_str(&name[1..]).collect();
        match self.blobs.get(&key) {
            Some(bytes) => blob(request, bytes),
            None if request.method == "HEAD" => {
                Answer::head("404 Not Found", 0, &["x-ms-error-code: BlobNotFound"])
            }
            None => Answer::error("404 Not Found", "BlobNotFound", &[]),
        }
    }

    fn list(&self, request: &Request) -> Answer {
        assert_eq!(request.parameter("restype"), Some("container"));
        assert_eq!(request.parameter("comp"), Some("list"));
        let parameter = |name| {
            let text = request.parameter(name).unwrap_or_default();
            percent_decode_str(text).collect::<Vec<u8>>()
        };
        let rows = self.rows(&parameter("prefix"), &parameter("delimiter"));
        let number = |name| String::from_utf8(parameter(name)).ok()?.parse::<usize>().ok();
        let start = number("marker").unwrap_or(0);
        let end = rows.len().min(start + number("maxresults").unwrap_or(5000));
        let mut xml = String::from("\u{feff}<?xml version=\"1.0\"?><EnumerationResults><Blobs>");
        for (name, bytes) in &rows[start..end] {
            let name = encoded(name);
            let _ = match bytes {
                Some(bytes) => write!(
                    xml,
                    "<Blob>{name}<Properties><Content-Length>{}</Content-Length><Etag>{}</Etag>\
                     </Properties></Blob>",
                    bytes.len(),
                    etag(bytes).trim_matches('"')
                ),
                None => write!(xml, "<BlobPrefix>{name}</BlobPrefix>"),
            };
        }
        let marker = if end < rows.len() { end.to_string() } else { String::new() };
        let _ = write!(xml, "</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>");
        Answer::new("200 OK", &[], xml)
    }

    /// Names below a prefix; with a delimiter those that hold it further on are folded into one.
    fn rows(&self, prefix: &[u8], delimiter: &[u8]) -> Vec<(Vec<u8>, Option<&Bytes>)> {
        let mut rows: Vec<(Vec<u8>, Option<&Bytes>)> = Vec::new();
        for (key, bytes) in &self.blobs {
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

/// A name in XML: escaped where XML cannot hold it, and then it says so.
fn encoded(name: &[u8]) -> String {
    let text = std::str::from_utf8(name).expect("names are text");
    let is_fit =
        |character: char| character >= ' ' && !('\u{fffe}'..='\u{ffff}').contains(&character);
    if text.chars().all(is_fit) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        return format!("<Name>{text}</Name>");
    }
    format!("<Name Encoded=\"true\">{}</Name>", percent_encode(name, NON_ALPHANUMERIC))
}

/// A tag that is no MD5.
fn etag(bytes: &Bytes) -> String {
    let sum = bytes.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
    format!("\"tag-{sum}\"")
}

fn blob(request: &Request, bytes: &Bytes) -> Answer {
    let tag = etag(bytes);
    if request.header("if-match").is_some_and(|wanted| wanted != tag) {
        return Answer::error("412 Precondition Failed", "ConditionNotMet", &[]);
    }
    let tag = format!("ETag: {tag}");
    let kind = "x-ms-blob-type: BlockBlob";
    let Some(range) = request.header("range").map(|text| parse_range(text, bytes.len())) else {
        return match request.method.as_str() {
            "HEAD" => Answer::head("200 OK", bytes.len(), &[&tag, kind]),
            _ => Answer::new("200 OK", &[&tag, kind], bytes),
        };
    };
    if range.is_empty() {
        return Answer::error("416 Range Not Satisfiable", "InvalidRange", &[]);
    }
    let place = format!("Content-Range: bytes {}-{}/{}", range.start, range.end - 1, bytes.len());
    Answer::new("206 Partial Content", &[&tag, kind, &place], &bytes[range])
}

fn parse_range(text: &str, size: usize) -> Range<usize> {
    let text = text.strip_prefix("bytes=").expect("a range in bytes");
    let (first, last) = text.split_once('-').expect("two ends");
    let (first, last): (usize, usize) =
        (first.parse().expect("digits"), last.parse().expect("digits"));
    first.min(size)..size.min(last + 1)
}
