//! Indexes in JSON: nginx with `autoindex_format json`, and Caddy when it is asked for JSON.

use std::fmt;
use std::time::SystemTime;

use reqwest::Url;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use super::link::Link;
use super::row::RowKind;
use super::{NoIndex, Row};

/// One item, of either server.
#[derive(Deserialize)]
struct Item {
    /// nginx: the name as it is. Caddy: the name, as far as it is UTF-8.
    name: Bytes,
    /// nginx: `file`, `directory`, `other`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// nginx: as in HTTP.
    mtime: Option<String>,
    /// Caddy.
    is_dir: Option<bool>,
    /// Caddy: the name, percent-encoded.
    url: Option<String>,
    size: Option<u64>,
}

/// The rows of an index.
pub(super) fn rows(page: &[u8], directory: &Url) -> Result<Vec<Row>, NoIndex> {
    let items: Result<Vec<Item>, serde_json::Error> = serde_json::from_slice(page);
    let items =
        items.map_err(|error| if error.is_eof() { NoIndex::Cut } else { NoIndex::Other })?;
    let rows: Option<Vec<Row>> = items.into_iter().map(|item| row(item, directory)).collect();
    rows.ok_or(NoIndex::Other)
}

fn row(item: Item, directory: &Url) -> Option<Row> {
    let name = item.name.0;
    match (item.kind.as_deref(), item.is_dir) {
        (Some("file"), _) => Some(Row::object(name, item.size, time(item.mtime.as_deref()))),
        (Some("directory"), _) => Some(Row::directory(name)),
        (Some(_), _) => Some(Row::refused(name, "it is neither a file nor a directory")),
        (None, Some(is_directory)) => {
            let Link::Below(row) = Link::parse(item.url?.as_bytes(), directory) else {
                return None;
            };
            let is_kept = is_directory || matches!(row.kind, RowKind::Refused(_));
            Some(if is_kept { row } else { Row::object(row.name, item.size, None) })
        }
        (None, None) => None,
    }
}

fn time(text: Option<&str>) -> Option<SystemTime> {
    httpdate::parse_http_date(text?).ok()
}

/// A JSON string that need not be UTF-8: nginx writes names as the disk has them.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(page: &[u8]) -> Result<Vec<Row>, NoIndex> {
        rows(page, &Url::parse("http://h/").expect("a URL"))
    }

    #[test]
    fn a_name_need_not_be_utf8() {
        let page = b"[{ \"name\":\"latin-\xe9\\n\\u00e9\", \"type\":\"file\", \"size\":1 }]";
        let rows = read(page).expect("an index");
        assert_eq!(rows[0].name, b"latin-\xe9\n\xc3\xa9");
    }

    #[test]
    fn what_is_neither_file_nor_directory_is_refused() {
        let rows = read(br#"[{"name":"pipe","type":"other"}]"#).expect("an index");
        assert!(matches!(rows[0].kind, RowKind::Refused(_)));
    }

    #[test]
    fn a_file_whose_name_or_link_is_a_directory_s_is_refused() {
        for page in [
            r#"[{"name":"x/","type":"file","size":1}]"#,
            r#"[{"name":"x/","url":"./x/","is_dir":false,"size":1}]"#,
            r#"[{"name":"x","url":"./x#y","is_dir":false,"size":1}]"#,
        ] {
            let rows = read(page.as_bytes()).expect("an index");
            assert!(matches!(rows[0].kind, RowKind::Refused(_)), "{page}");
        }
    }

    #[test]
    fn an_empty_array_is_an_empty_directory() {
        assert_eq!(read(b"[\r\n]"), Ok(vec![]));
    }
}
