//! What the bucket says.

use std::fmt::Write as _;

use super::request::Request;
use super::{NAME, Tree};
use crate::bench::trees::File;

/// As many as S3 gives in a page.
const ROWS: u64 = 1000;

/// The MD5 of 4096 zeros, which is the tag that a plain object of them has.
const PAGE_TAG: &str = "620f0b67a91f7f74151bc5be745b7110";

/// An answer: a head with a text after it, and then zeros.
pub(super) struct Answer {
    pub(super) head_and_text: Vec<u8>,
    pub(super) zeros: u64,
}

impl Answer {
    pub(super) fn to(request: &Request, trees: &[Tree]) -> Self {
        if !request.key.is_empty() {
            let found = trees.iter().find(|tree| tree.has(&request.key));
            return found.map_or_else(|| Self::missing(request), |tree| Self::bytes(request, tree));
        }
        if request.parameter("list-type").is_some() {
            return Self::text("200 OK", &page(request, trees), request);
        }
        // Whether the bucket is there, and where.
        Self::text("200 OK", "<LocationConstraint/>", request)
    }

    fn missing(request: &Request) -> Self {
        Self::text("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>", request)
    }

    fn text(status: &str, text: &str, request: &Request) -> Self {
        let mut head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        if !request.is_head {
            head.push_str(text);
        }
        Self { head_and_text: head.into_bytes(), zeros: 0 }
    }

    fn bytes(request: &Request, tree: &Tree) -> Self {
        let last = tree.size_bytes.saturating_sub(1);
        let (start, end) =
            request.range.clone().map_or((0, last), std::ops::RangeInclusive::into_inner);
        let end = end.min(last);
        let length = if tree.size_bytes == 0 { 0 } else { end + 1 - start.min(end) };
        let (status, mut lines) = ("200 OK", String::new());
        let status = if request.range.is_some() {
            let _ = write!(lines, "Content-Range: bytes {start}-{end}/{}\r\n", tree.size_bytes);
            "206 Partial Content"
        } else {
            status
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"{}\"\r\n{lines}Accept-Ranges: \
             bytes\r\nContent-Type: application/octet-stream\r\n\
             Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n",
            tree.tag()
        );
        Self { head_and_text: head.into_bytes(), zeros: if request.is_head { 0 } else { length } }
    }
}

fn page(request: &Request, trees: &[Tree]) -> String {
    let prefix = request.parameter("prefix").unwrap_or_default();
    let number = |name| request.parameter(name).and_then(|value| value.parse::<u64>().ok());
    let start = number("continuation-token").unwrap_or(0);
    let rows = number("max-keys").unwrap_or(ROWS).min(ROWS);
    let name = prefix.split('/').next().unwrap_or_default();
    let tree = trees.iter().find(|tree| tree.name == name);
    let count = tree.map_or(0, |tree| tree.count);
    let end = count.min(start + rows);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com\
         /doc/2006-03-01/\"><Name>{NAME}</Name><Prefix>{prefix}</Prefix><MaxKeys>{rows}</MaxKeys>\
         <KeyCount>{}</KeyCount><IsTruncated>{}</IsTruncated>",
        end.saturating_sub(start),
        end < count
    );
    if end < count {
        let _ = write!(text, "<NextContinuationToken>{end}</NextContinuationToken>");
    }
    if let Some(tree) = tree {
        for number in start..end {
            let _ = write!(
                text,
                "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>&quot;{}&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass>\
                 </Contents>",
                tree.key(number),
                tree.tag(),
                tree.size_bytes
            );
        }
    }
    text.push_str("</ListBucketResult>");
    text
}

impl Tree {
    /// In the order of their bytes, as S3 lists them.
    pub(in crate::bench) fn key(&self, number: u64) -> String {
        format!("{}/d{:05}/f{number:08}.bin", self.name, number / 100)
    }

    /// By their names below the tree.
    pub(in crate::bench) fn files(&self) -> Vec<File> {
        let prefix = self.name.len() + 1;
        let name = |number| self.key(number).split_off(prefix);
        let file = |number| File { name: name(number), size_bytes: self.size_bytes };
        (0..self.count).map(file).collect()
    }

    fn has(&self, key: &str) -> bool {
        let number = key.strip_suffix(".bin").and_then(|key| key.get(key.len() - 8..));
        let number = number.and_then(|digits| digits.parse().ok());
        number.is_some_and(|number| number < self.count && self.key(number) == key)
    }

    /// One that is not an MD5 says that nothing is known of the bytes, as after an upload in parts.
    fn tag(&self) -> &'static str {
        if self.size_bytes == 4096 { PAGE_TAG } else { "made-up-2" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREES: [Tree; 2] = [
        Tree { name: "many", count: 2500, size_bytes: 4096 },
        Tree { name: "huge", count: 1, size_bytes: 1 << 38 },
    ];

    fn ask(target: &str, range: &str) -> (String, u64) {
        let head = format!("GET {target} HTTP/1.1\r\n{range}\r\n\r\n");
        let answer = Answer::to(&Request::parse(&head), &TREES);
        (String::from_utf8(answer.head_and_text).expect("text"), answer.zeros)
    }

    #[test]
    fn pages_list_every_key_once() {
        let mut keys = Vec::new();
        let mut token = String::new();
        loop {
            let (text, _) = ask(&format!("/made-up/?list-type=2&prefix=many%2F{token}"), "");
            keys.extend(
                text.split("<Key>")
                    .skip(1)
                    .filter_map(|rest| rest.split('<').next().map(str::to_owned)),
            );
            let Some((_, rest)) = text.split_once("<NextContinuationToken>") else { break };
            token = format!("&continuation-token={}", rest.split('<').next().expect("a token"));
        }
        assert_eq!(keys.len(), 2500);
        assert!(keys.is_sorted() && keys.iter().all(|key| TREES[0].has(key)));
    }

    #[test]
    fn ranges_are_those_that_were_asked() {
        let key = TREES[1].key(0);
        let (head, zeros) = ask(&format!("/made-up/{key}"), "Range: bytes=16-31");
        assert!(head.starts_with("HTTP/1.1 206 ") && head.contains("bytes 16-31/274877906944"));
        assert_eq!(zeros, 16);
        assert_eq!(ask(&format!("/made-up/{key}"), "").1, 1 << 38);
    }

    #[test]
    fn what_is_not_there_is_missing() {
        for key in ["many", "many/d00000/f00000100.bin", "many/d00025/f00002500.bin", "other"] {
            assert!(ask(&format!("/made-up/{key}"), "").0.starts_with("HTTP/1.1 404 "), "{key}");
        }
    }
}
