//! Names on their way into a URL, and out of a listing.

use std::borrow::Cow;

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode, utf8_percent_encode,
};

/// What stands as it is in a query: letters, digits, `-`, `_`, `.`, `~`. All else is escaped, once,
/// by a signature's own rules.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The same in a path, where `/` stands as it is too.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// A key as it stands in a path. Nothing is collapsed: `a//b` and `a/../b` stay what they are.
pub(crate) fn path(key: &str) -> PercentEncode<'_> {
    utf8_percent_encode(key, PATH)
}

/// A value as it stands in a query.
pub(crate) fn query(value: &str) -> PercentEncode<'_> {
    utf8_percent_encode(value, QUERY)
}

/// A name of a listing that was asked for with `encoding-type=url`: decoded exactly once. A space
/// comes as `+`, and a `+` as `%2B`.
pub(crate) fn decode(name: &str) -> Vec<u8> {
    let name = if name.contains('+') { name.replace('+', " ").into() } else { Cow::Borrowed(name) };
    percent_decode(name.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_escaped_once_and_otherwise_left_alone() {
        for (key, expected) in [
            ("a b+c", "a%20b%2Bc"),
            ("%41", "%2541"),
            ("a//b/../c/.", "a//b/../c/."),
            ("/a/", "/a/"),
            ("größe", "gr%C3%B6%C3%9Fe"),
            ("a\u{1}?#&=", "a%01%3F%23%26%3D"),
            ("~-_.", "~-_."),
        ] {
            assert_eq!(path(key).to_string(), expected);
        }
        assert_eq!(query("a/b c").to_string(), "a%2Fb%20c");
    }

    #[test]
    fn a_listed_name_is_decoded_once() {
        for (name, expected) in [
            ("a+b", "a b"),
            ("a%2Bb", "a+b"),
            ("a%20b", "a b"),
            ("%2541", "%41"),
            ("100%25", "100%"),
            ("a%01b/%0A", "a\u{1}b/\n"),
        ] {
            assert_eq!(decode(name), expected.as_bytes(), "{name}");
        }
    }
}
