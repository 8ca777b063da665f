//! Names in a URL.

use std::fmt::Write as _;

use mlfetch_store::{Error, ErrorKind, Key, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters of a URL (RFC 3986, 2.3): servers along the way read meaning
/// into the rest, `;` and `+` among them.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The path of a key, with its leading `/`, escaped once.
///
/// # Errors
/// `InvalidKey` for what HDFS cannot hold: it would answer for another name.
pub(crate) fn path(operation: &'static str, key: &Key) -> Result<String> {
    let invalid = |why: &'static str| {
        Error::new(ErrorKind::InvalidKey, operation, key.to_string()).with_message(why)
    };
    let text = key.to_str().map_err(|_| invalid("a name in HDFS is UTF-8 text"))?;
    let mut path = String::with_capacity(text.len() + 16);
    for segment in text.strip_suffix('/').unwrap_or(text).split('/') {
        match segment {
            "" if text.is_empty() => {}
            "" => return Err(invalid("HDFS has no empty names, and takes `//` for `/`")),
            "." | ".." => return Err(invalid("HDFS has no names `.` and `..`")),
            _ => write!(path, "/{}", query(segment)).expect("a String takes all text"),
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    Ok(path)
}

/// A value in a query.
pub(crate) fn query(text: &str) -> percent_encoding::PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_escaped_once_and_keeps_its_slashes() {
        for (key, expected) in [
            ("", "/"),
            ("a/b", "/a/b"),
            ("a/", "/a"),
            ("50% + a;b", "/50%25%20%2B%20a%3Bb"),
            ("%41", "/%2541"),
            ("größe", "/gr%C3%B6%C3%9Fe"),
            (".snapshot/s1/x", "/.snapshot/s1/x"),
        ] {
            assert_eq!(path("read", &Key::from(key)).expect(key), expected);
        }
    }

    #[test]
    fn a_name_that_hdfs_would_take_for_another_is_refused() {
        for key in ["a//b", "/a", "a//", "/", "./a", "a/../b", "a/.", "a/.."] {
            let error = path("read", &Key::from(key)).expect_err(key);
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            assert!(error.to_string().contains(key), "{error}");
        }
        assert!(path("read", &Key::new(b"\xff".to_vec())).is_err());
    }
}
