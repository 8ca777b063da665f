//! A bucket in memory that answers as Google's own does where the emulator does not: it counts
//! directories among the rows of a page, and holds a read to its condition.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use mlfetch_store::Key;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::server::{Answer, GcsAnswer, Request};

const OBJECTS: &str = "/storage/v1/b/bucket/o";

/// Objects under exact names.
#[derive(Debug, Default)]
pub(crate) struct MemoryBucket {
    objects: BTreeMap<String, Bytes>,
}

/// A row of a listing: an object, or a directory.
type Row<'a> = (String, Option<&'a Bytes>);

impl MemoryBucket {
    /// With these objects, whose names are text.
    pub(crate) fn with(objects: &[(Key, Bytes)]) -> Result<Self, mlfetch_store::Error> {
        let objects =
            objects.iter().map(|(key, bytes)| Ok((key.to_str()?.to_owned(), bytes.clone())));
        Ok(Self { objects: objects.collect::<Result<_, _>>()? })
    }

    /// What Cloud Storage would answer.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let Some(name) = request.path().strip_prefix(OBJECTS) else {
            return Answer::error(
                "404 Not Found",
                "notFound",
                "The specified bucket does not exist.",
            );
        };
        let Some(name) = name.strip_prefix('/') else { return self.list(request) };
        assert!(!name.contains('/'), "a key is one segment: {name}");
        let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
        match self.objects.get(&name) {
            None => Answer::error("404 Not Found", "notFound", "No such object"),
            Some(bytes) if request.decoded_parameter("alt").is_none() => {
                Answer::json("200 OK", &resource(&name, bytes))
            }
            Some(bytes) => media(request, bytes),
        }
    }

    fn list(&self, request: &Request) -> Answer {
        let parameter = |name| request.decoded_parameter(name).unwrap_or_default();
        let rows = self.rows(&parameter("prefix"), &parameter("delimiter"));
        let start = parameter("pageToken").parse().unwrap_or(0);
        let end = rows.len().min(start + parameter("maxResults").parse().unwrap_or(1000));
        let mut page = json!({ "kind": "storage#objects" });
        let (mut items, mut prefixes) = (Vec::new(), Vec::new());
        for (name, bytes) in &rows[start..end] {
            match bytes {
                Some(bytes) => items.push(resource(name, bytes)),
                None => prefixes.push(name.clone()),
            }
        }
        page["items"] = items.into();
        page["prefixes"] = prefixes.into();
        if end < rows.len() {
            page["nextPageToken"] = end.to_string().into();
        }
        Answer::json("200 OK", &page)
    }

    /// Names below a prefix; with a delimiter those that hold it further on are folded into one.
    fn rows(&self, prefix: &str, delimiter: &str) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for (name, bytes) in &self.objects {
            let Some(rest) = name.strip_prefix(prefix) else { continue };
            let slash = rest.find(delimiter).filter(|_| !delimiter.is_empty());
            let row = match slash {
                Some(at) => (name[..=prefix.len() + at].to_owned(), None),
                None => (name.clone(), Some(bytes)),
            };
            if rows.last().is_none_or(|last| last.0 != row.0) {
                rows.push(row);
            }
        }
        rows
    }
}

/// The same bytes are the same generation here, and others another.
fn generation(bytes: &Bytes) -> String {
    let sum = bytes.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
    (1_764_000_000_000_000 + sum % 1_000_000_000_000).to_string()
}

fn resource(name: &str, bytes: &Bytes) -> Value {
    let size = bytes.len().to_string();
    json!({ "name": name, "size": size, "generation": generation(bytes) })
}

fn media(request: &Request, bytes: &Bytes) -> Answer {
    assert_eq!(request.header("accept-encoding"), Some("gzip"));
    let current = generation(bytes);
    if request.decoded_parameter("ifGenerationMatch").is_some_and(|wanted| wanted != current) {
        return Answer::error("412 Precondition Failed", "conditionNotMet", "At least one");
    }
    let generation = format!("x-goog-generation: {current}");
    let Some(range) = request.header("range").map(|text| parse_range(text, bytes.len())) else {
        return Answer::new("200 OK", &[&generation], bytes);
    };
    if range.is_empty() {
        return Answer::new("416 Range Not Satisfiable", &[&generation], "");
    }
    let place = format!("Content-Range: bytes {}-{}/{}", range.start, range.end - 1, bytes.len());
    Answer::new("206 Partial Content", &[&generation, &place], &bytes[range])
}

fn parse_range(text: &str, size: usize) -> Range<usize> {
    let text = text.strip_prefix("bytes=").expect("a range in bytes");
    let (first, last) = text.split_once('-').expect("two ends");
    let (first, last): (usize, usize) =
        (first.parse().expect("digits"), last.parse().expect("digits"));
    first.min(size)..size.min(last + 1)
}
