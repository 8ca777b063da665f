//! Directory indexes: the pages that web servers make of a directory.

mod cache;
mod html;
mod json;
mod link;
mod row;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use reqwest::Url;

pub(crate) use cache::{IndexCache, Position};
pub(crate) use row::Row;

/// A directory's index, read.
#[derive(Debug)]
pub(crate) struct Index {
    /// Its rows in the server's order, each name once.
    pub(crate) rows: Vec<Row>,
    /// Differs when the names differ: pages of two indexes are never mixed.
    pub(crate) fingerprint: u64,
}

/// Why a page is not taken for a directory's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoIndex {
    /// It is some other page or file, which may hold links and is still no list of what is in the
    /// directory.
    Other,
    /// It has no end: rows may be missing, or all of it.
    Cut,
}

impl Index {
    /// Reads a page that came from the URL `directory`.
    pub(crate) fn parse(page: &[u8], directory: &Url) -> Result<Self, NoIndex> {
        let rows = match page.trim_ascii_start().first() {
            None => return Err(NoIndex::Cut),
            Some(b'[') => json::rows(page, directory)?,
            _ => html::rows(page, directory)?,
        };
        Ok(Self::new(rows))
    }

    fn new(mut rows: Vec<Row>) -> Self {
        let mut seen = std::collections::HashSet::new();
        // Apache links a file twice when its icon is a link as well.
        rows.retain(|row| seen.insert(row.name.clone()));
        let mut hasher = DefaultHasher::new();
        for row in &rows {
            row.name.hash(&mut hasher);
        }
        Self { rows, fingerprint: hasher.finish() }
    }
}

#[cfg(test)]
mod tests {
    use super::row::RowKind;
    use super::*;

    fn parse(page: &[u8]) -> Result<Index, NoIndex> {
        Index::parse(page, &Url::parse("http://h/odd/").expect("a URL"))
    }

    /// The same directory, as each server showed it.
    fn recorded() -> [(&'static str, &'static [u8]); 7] {
        [
            ("nginx.html", include_bytes!("../../tests/data/nginx.html")),
            ("nginx.json", include_bytes!("../../tests/data/nginx.json")),
            ("apache.html", include_bytes!("../../tests/data/apache.html")),
            ("apache-plain.html", include_bytes!("../../tests/data/apache-plain.html")),
            ("python.html", include_bytes!("../../tests/data/python.html")),
            ("caddy.html", include_bytes!("../../tests/data/caddy.html")),
            ("caddy.json", include_bytes!("../../tests/data/caddy.json")),
        ]
    }

    #[test]
    fn each_server_s_index_gives_the_same_names() {
        let mut names: Vec<&[u8]> = vec![
            b"\"q\"",
            b"%41.txt",
            b"100%",
            b"<a>",
            b"a b",
            b"a#b",
            b"a%2Fb",
            b"a&amp;b",
            b"a+b",
            b"a.txt",
            b"a:b",
            b"a;b",
            b"a?b=c&d",
            b"a\\b",
            b"a\nb",
            b"caf\xc3\xa9",
            b"d ir/",
            b"dir/",
            b"it's",
            b"~",
        ];
        names.sort_unstable();
        for (server, page) in recorded() {
            let index = parse(page).expect(server);
            let mut found: Vec<&[u8]> = index.rows.iter().map(|row| row.name.as_slice()).collect();
            found.sort_unstable();
            assert_eq!(found, names, "{server}");
            assert!(!index.rows.iter().any(|row| matches!(row.kind, RowKind::Refused(_))));
        }
    }

    #[test]
    fn only_json_tells_sizes() {
        for (server, page) in recorded() {
            let index = parse(page).expect(server);
            let row = index.rows.iter().find(|row| row.name == b"a.txt").expect("a row");
            let RowKind::Object { size, .. } = row.kind else { panic!("an object") };
            assert_eq!(size, server.ends_with("json").then_some(3), "{server}");
        }
    }

    #[test]
    fn a_page_that_is_not_an_index_is_none_however_many_links_it_has() {
        for page in [
            "<title>My report</title><a href=\"a.txt\">",
            "{\"name\": 1}",
            "[1, 2]",
            "[{\"name\": \"a\"}]",
            "plain text",
            "\u{1f}\u{8b}",
        ] {
            assert_eq!(parse(page.as_bytes()).expect_err(page), NoIndex::Other);
        }
    }

    /// HTTP may call a page whole of which a part is missing.
    #[test]
    fn an_index_without_its_end_is_none_wherever_it_is_cut() {
        for (server, page) in recorded() {
            let end = page.trim_ascii_end().len();
            for cut in (0..end - 1).rev().step_by(5) {
                let why = parse(&page[..cut]).expect_err("it is cut");
                // What comes first in Caddy's page could be anybody's.
                let is_known = why == NoIndex::Cut || server == "caddy.html";
                assert!(is_known, "{server} cut at byte {cut}: {why:?}");
            }
            parse(&page[..end]).expect(server);
        }
        assert_eq!(parse(b"<title>Index of /</title><a href=a>").expect_err("cut"), NoIndex::Cut);
    }

    #[test]
    fn other_names_make_another_fingerprint() {
        let index =
            |page: &str| parse(format!("{page}</html>").as_bytes()).expect("an index").fingerprint;
        let one = index("<title>Index of /</title><a href=a><a href=b>");
        assert_eq!(one, index("<title>Index of /</title><a href=a><a href=b><hr>"));
        assert_ne!(one, index("<title>Index of /</title><a href=a><a href=c>"));
    }
}
