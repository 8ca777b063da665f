//! Which names come through a tracking server unchanged.

use mlfetch_store::{Error, ErrorKind, Key};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How a name has to be asked for so that the server looks for that name and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// As it is.
    Plain,
    /// With a `/` behind it, which keeps the server from dropping its last character. Only a
    /// server that has the files on its own disk then still takes it for a file.
    WithSlash,
    /// Not at all.
    Never,
}

/// How the server's reading of paths treats `key`, without its trailing `/`.
///
/// MLflow 3.17 percent-decodes a path until nothing changes, parses it as a URI each time (which
/// deletes tab, newline, carriage return, a fragment or query or parameters that are empty, and
/// blanks at the beginning), writes control characters as `%1b`, and refuses `#`, `..` and a
/// leading `/`; a disk then also folds `.` and `//`. What all of that leaves alone is carried.
pub(super) fn carried(key: &Key) -> Carried {
    let Ok(text) = key.to_str() else { return Carried::Never };
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.is_empty() {
        return if key.is_root() { Carried::Plain } else { Carried::Never };
    }
    let parsed_away = text.contains('#')
        || text.chars().any(|character| character.is_ascii_control())
        || text.starts_with(' ')
        || begins_with_scheme(text);
    let folded = text.split('/').any(|segment| matches!(segment, "" | "." | ".."));
    if parsed_away || folded || has_encoded_byte(text) {
        Carried::Never
    } else if loses_its_end(text) {
        Carried::WithSlash
    } else {
        Carried::Plain
    }
}

/// A `%` that two hexadecimal digits follow: `100%` and `%zz` stay as they are.
fn has_encoded_byte(text: &str) -> bool {
    !percent_decode_str(text).eq(text.bytes())
}

/// Such a name might be put in lower case, or be read as a host.
fn begins_with_scheme(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    first.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|next| next.is_ascii_alphanumeric() || "+-.".contains(next))
    })
}

/// An empty query (`a?`) and empty parameters (`a;`) are dropped when a URI is put together again.
fn loses_its_end(text: &str) -> bool {
    let (path, query) = text.split_once('?').map_or((text, None), |(path, q)| (path, Some(q)));
    let last = path.rsplit('/').next().unwrap_or_default();
    let empty_parameters = last.find(';').is_some_and(|at| at + 1 == last.len());
    query == Some("") || empty_parameters
}

/// The error for a name that no route of the server carries.
pub(super) fn not_carried(operation: &'static str, key: &Key) -> Error {
    Error::new(ErrorKind::InvalidKey, operation, key.to_string())
        .with_message("an MLflow server reads this name as another one, so it cannot be asked for")
        .with_hint(
            "fetch it from where the files lie: `--via direct`, or a rewrite rule from the \
             server's artifacts to that place",
        )
}

/// A key as a URL's path, each segment encoded.
pub(super) fn encode_path(key: &Key) -> String {
    let segments = key.as_bytes().split(|byte| *byte == b'/').map(encode);
    segments.collect::<Vec<_>>().join("/")
}

/// Bytes as a query's value or one segment of a path.
pub(super) fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, ENCODED).to_string()
}

/// Whether a listing may hold this basename: anything else could lead out of the directory.
pub(super) fn is_basename(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_and_odd_names_are_carried_as_they_are() {
        for name in [
            "",
            "a b",
            "trailing ",
            "100%",
            "%",
            "%zz",
            "a?b",
            "?a",
            "a?b=c&d=e",
            "a;b",
            "a+b",
            "[a]",
            "a\\b",
            "größe",
            "a..",
            "...",
            "1/a:b",
            "d/ x",
            "a\u{85}b",
            "dir/",
            "?/f",
            "a;/",
        ] {
            let expected = if name == "a;/" { Carried::WithSlash } else { Carried::Plain };
            assert_eq!(carried(&Key::from(name)), expected, "{name:?}");
        }
    }

    #[test]
    fn names_that_lose_their_end_are_asked_for_with_a_slash() {
        for name in ["a?", "?", "d/a;", "d/?"] {
            assert_eq!(carried(&Key::from(name)), Carried::WithSlash, "{name:?}");
        }
    }

    #[test]
    fn names_that_the_server_takes_for_others_are_never_carried() {
        for name in [
            "%41.txt", "a%2Fb", "%25", "%ff", "a#b", "#", "a\tb", "a\nb", "a\u{1}b", "a\u{7f}b",
            "/a", "a//b", "./a", "a/../b", " lead", "A:b", "file:x", "/", "//", "a//",
        ] {
            assert_eq!(carried(&Key::from(name)), Carried::Never, "{name:?}");
        }
        assert_eq!(carried(&Key::new(b"a\xff".to_vec())), Carried::Never);
    }

    #[test]
    fn a_path_is_encoded_between_its_slashes() {
        assert_eq!(encode_path(&Key::from("a b/%?#+/ö")), "a%20b/%25%3F%23%2B/%C3%B6");
    }

    #[test]
    fn a_basename_is_one_segment() {
        assert!(is_basename("a\\b") && is_basename("..."));
        assert!(!["", ".", "..", "a/b", "/a", "../x"].into_iter().any(is_basename));
    }
}
