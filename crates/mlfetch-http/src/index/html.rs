//! Indexes in HTML: nginx, Apache, lighttpd, Python's `http.server`, Caddy.

use reqwest::Url;

use super::link::Link;
use super::{NoIndex, Row};
use crate::html::{Piece, decode_entities, pieces, title};

/// How the titles of the indexes that are known begin, in lower case: those of nginx, Apache and
/// lighttpd, and that of Python.
const TITLES: [&[u8]; 2] = [b"index of ", b"directory listing for "];

/// Where Caddy's index links to in its footer; its title is the directory's name alone.
const CADDY: &[u8] = b"https://caddyserver.com";

/// What stands before the title of a page. One that ends there did not come to say what it is.
const BEFORE_TITLE: [&str; 5] = ["!doctype", "html", "head", "meta", "title"];

/// The rows of an index.
///
/// The page must say what it is. A directory's own `index.html` stands where the index would be, and
/// its links are not what is in the directory. All servers that are known end it in order.
pub(super) fn rows(page: &[u8], directory: &Url) -> Result<Vec<Row>, NoIndex> {
    let mut is_index = title(page).is_some_and(|title| {
        let title = title.to_ascii_lowercase();
        TITLES.iter().any(|known| title.starts_with(known))
    });
    let mut is_whole = false;
    let mut rows = Vec::new();
    for piece in pieces(page) {
        let Piece::Tag(tag) = piece else { continue };
        is_whole |= tag.is("/html");
        let Some(raw) = tag.attribute("href") else { continue };
        if tag.is("base") {
            // Its links would mean something else than they say.
            return Err(NoIndex::Other);
        }
        if !tag.is("a") {
            continue;
        }
        is_index |= raw == CADDY;
        let Some(link) = decode_entities(raw) else {
            let why = "the index writes its name with a character reference that is not known";
            rows.push(Row::refused(raw.to_vec(), why));
            continue;
        };
        if let Link::Below(row) = Link::parse(&link, directory) {
            rows.push(row);
        }
    }
    match (is_index, is_whole) {
        (true, true) => Ok(rows),
        (true, false) => Err(NoIndex::Cut),
        (false, false) if !is_begun(page) => Err(NoIndex::Cut),
        (false, _) => Err(NoIndex::Other),
    }
}

/// Whether anything stands behind the beginning that all pages share. A tag that is cut could be any.
fn is_begun(page: &[u8]) -> bool {
    let end = page.iter().rposition(|byte| *byte == b'>').map_or(0, |at| at + 1);
    let is_other = |piece| match piece {
        Piece::Tag(tag) => !BEFORE_TITLE.iter().any(|name| tag.is(name)),
        Piece::Text(_) => false,
    };
    !page.starts_with(b"<") || pieces(&page[..end]).any(is_other)
}

#[cfg(test)]
mod tests {
    use super::super::row::RowKind;
    use super::*;

    fn read(page: &str) -> Result<Vec<Row>, NoIndex> {
        let page = format!("{page}</html>");
        rows(page.as_bytes(), &Url::parse("http://h/e/").expect("a URL"))
    }

    #[test]
    fn an_empty_directory_has_no_rows() {
        let page = "<html><head><title>Index of /e/</title></head><a href=\"../\">../</a>";
        assert_eq!(read(page), Ok(vec![]));
    }

    #[test]
    fn a_page_with_another_base_is_no_index() {
        let page = "<base href=\"/other/\"><title>Index of /</title><a href=\"x\">";
        assert_eq!(read(page), Err(NoIndex::Other));
    }

    #[test]
    fn an_unknown_entity_refuses_its_row_only() {
        let page = "<title>Index of /</title><a href=\"caf&eacute;\"><a href=\"x\">";
        let rows = read(page).expect("an index");
        assert!(matches!(rows[0].kind, RowKind::Refused(_)));
        assert!(matches!(rows[1].kind, RowKind::Object { .. }));
    }
}
