//! Keys as names in directories: the ones that a file can have, and no others.

use mlfetch_store::Key;

use crate::error::Problem;

/// The names on the way to a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Segments<'a> {
    /// One for each level; none for the root.
    pub(crate) names: Vec<&'a [u8]>,
    /// Whether the key asks for a directory: it is empty or ends in `/`.
    pub(crate) directory: bool,
}

/// Splits a key at `/`. Nothing is collapsed: a key that a file system would read as another one is
/// no name here.
pub(crate) fn split(key: &Key) -> Result<Segments<'_>, Problem> {
    if key.is_root() {
        return Ok(Segments { names: Vec::new(), directory: true });
    }
    let bytes = key.as_bytes();
    let bytes = bytes.strip_suffix(b"/").unwrap_or(bytes);
    let names: Vec<&[u8]> = bytes.split(|byte| *byte == b'/').collect();
    match names.iter().find_map(|name| refusal(name)) {
        Some(why) => Err(Problem::Name(why)),
        None => Ok(Segments { names, directory: key.is_prefix() }),
    }
}

fn refusal(name: &[u8]) -> Option<&'static str> {
    match name {
        b"" => Some("no file can have an empty segment in its name"),
        b"." | b".." => Some("no file can have `.` or `..` as a segment of its name"),
        _ if name.contains(&0) => Some("no file can have a zero byte in its name"),
        _ => None,
    }
}

/// The key of names on the way.
pub(crate) fn join(names: &[&[u8]]) -> Key {
    Key::new(names.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_split_at_slashes_and_nothing_else_is_done() {
        let key = Key::from(" a\\b/%2F/c.");
        let names: Vec<&[u8]> = vec![b" a\\b", b"%2F", b"c."];
        assert_eq!(split(&key).expect("names"), Segments { names, directory: false });
    }

    #[test]
    fn a_key_that_asks_for_a_directory_says_so() {
        assert!(split(&Key::root()).expect("the root").directory);
        let key = Key::from("a/");
        let segments = split(&key).expect("names");
        assert_eq!((segments.names, segments.directory), (vec![b"a".as_slice()], true));
    }

    #[test]
    fn a_key_that_would_be_read_as_another_is_no_name() {
        for key in ["/", "//", "/a", "a//b", "a//", ".", "..", "a/.", "a/../b", "./a", "a\0b"] {
            assert!(matches!(split(&Key::from(key)), Err(Problem::Name(_))), "{key:?}");
        }
    }
}
