//! Where a link of an index leads.

use percent_encoding::percent_decode;
use reqwest::Url;

use super::Row;

/// Where a link leads, seen from the directory whose index it stands in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// To a name directly below the directory.
    Below(Row),
    /// To the directory itself, its parent, another order of the rows, elsewhere.
    Elsewhere,
}

impl Link {
    /// Reads a link, entities decoded, as it stands in the index of `directory`.
    pub(super) fn parse(link: &[u8], directory: &Url) -> Self {
        // Browsers drop the white space around a link (URL standard, 4.4).
        let Some(relative) = relative_to(link.trim_ascii(), directory) else {
            return Self::Elsewhere;
        };
        let relative = relative.strip_prefix(b"./").unwrap_or(relative);
        let name_end = relative.iter().position(|byte| matches!(byte, b'?' | b'#'));
        let (name, more) = relative.split_at(name_end.unwrap_or(relative.len()));
        let segment = name.strip_suffix(b"/").unwrap_or(name);
        if segment.is_empty() || segment.contains(&b'/') || matches!(segment, b"." | b"..") {
            return Self::Elsewhere;
        }
        if !more.is_empty() {
            // It may be a name that the server did not encode: neither guessed nor dropped.
            let why = "the index links it with a query or fragment, which no name can have";
            return Self::Below(Row::refused(relative.to_vec(), why));
        }
        let decoded: Vec<u8> = percent_decode(segment).collect();
        Self::Below(if name.ends_with(b"/") {
            Row::directory(decoded)
        } else {
            Row::object(decoded, None, None)
        })
    }
}

/// The part of a link behind the directory; `None` if it leads elsewhere.
fn relative_to<'a>(link: &'a [u8], directory: &Url) -> Option<&'a [u8]> {
    let origin = directory.origin().ascii_serialization();
    let mut rest = link.strip_prefix(origin.as_bytes()).unwrap_or(link);
    if has_scheme(rest) || rest.starts_with(b"//") {
        return None;
    }
    if !rest.starts_with(b"/") {
        // `http://host.evil/` begins with `http://host` and is not of that origin.
        return (rest.len() == link.len()).then_some(rest);
    }
    for segment in directory.path().split_inclusive('/') {
        let end = rest.iter().position(|byte| *byte == b'/')? + 1;
        // The same segment may be encoded in two ways.
        if !percent_decode(&rest[..end]).eq(percent_decode(segment.as_bytes())) {
            return None;
        }
        rest = &rest[end..];
    }
    Some(rest)
}

/// Whether a link begins with a scheme (RFC 3986, 3.1).
fn has_scheme(link: &[u8]) -> bool {
    let end = link.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte));
    end.is_some_and(|end| end > 0 && link[end] == b':' && link[0].is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::super::row::RowKind;
    use super::*;

    fn directory(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    fn name(link: &str) -> Option<Vec<u8>> {
        match Link::parse(link.as_bytes(), &directory("http://h:81/a%20b/c/")) {
            Link::Below(row) => Some(row.name),
            Link::Elsewhere => None,
        }
    }

    #[test]
    fn a_name_one_level_below_is_decoded_exactly_once() {
        let rows: [(&str, &[u8]); 10] = [
            ("x", b"x"),
            ("./x", b"x"),
            ("./a:b", b"a:b"),
            ("x/", b"x/"),
            ("%2541", b"%41"),
            ("%ff", b"\xff"),
            ("a+b", b"a+b"),
            ("100%", b"100%"),
            ("/a%20b/c/x", b"x"),
            ("http://h:81/a%20b/c/x", b"x"),
        ];
        for (link, decoded) in rows {
            assert_eq!(name(link).as_deref(), Some(decoded), "{link}");
        }
    }

    #[test]
    fn links_that_lead_elsewhere_are_not_taken() {
        for link in [
            "../",
            "..",
            "./",
            ".",
            "",
            "/",
            "?C=M;O=A",
            "/a%20b/c/?C=M",
            "#top",
            "x/y",
            "x//",
            "../c/x",
            "/a%20b/x",
            "/a%20b/c",
            "/other/c/x",
            "//evil/a%20b/c/x",
            "http://evil/a%20b/c/x",
            "http://h/a%20b/c/x",
            "http://h:810/a%20b/c/x",
            "mailto:x",
            "javascript:x",
            "C:x",
        ] {
            assert_eq!(name(link), None, "{link}");
        }
    }

    #[test]
    fn a_name_that_would_name_something_else_is_refused_not_dropped() {
        for link in ["%2e%2e", "..%2fx", "%00", "x?y", "x#y", "%2e/"] {
            let Link::Below(row) = Link::parse(link.as_bytes(), &directory("http://h/")) else {
                panic!("{link}")
            };
            assert!(matches!(row.kind, RowKind::Refused(_)), "{link}");
        }
    }

    #[test]
    fn the_directory_s_own_path_may_be_encoded_in_another_way() {
        assert_eq!(name("/%61%20b/c/x").as_deref(), Some(b"x".as_slice()));
        assert_eq!(name("/a b/c/x").as_deref(), Some(b"x".as_slice()));
    }
}
