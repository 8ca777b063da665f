//! Exact object names.

use std::fmt;

use crate::{Error, ErrorKind, escape};

/// The exact name of an object in a store: bytes, `/` between segments by convention only.
///
/// A key is never trimmed, decoded, collapsed or normalised: `a//b`, `a/./b`, `/a`, `%41` and `A`
/// are five different keys. A *prefix* is a key too; the prefix of a directory ends in `/`, the
/// prefix of a whole store is empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key(Box<[u8]>);

impl Key {
    /// The empty key: the prefix of everything in a store.
    pub fn root() -> Self {
        Self::default()
    }

    /// A key of exactly these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into().into_boxed_slice())
    }

    /// The bytes as they are.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key as text, for stores whose names are text.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when the bytes are not UTF-8.
    pub fn to_str(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.0).map_err(|cause| {
            Error::new(ErrorKind::InvalidKey, "name", self.to_string())
                .with_message("the name is not UTF-8, which this storage requires")
                .with_source(cause)
        })
    }

    /// Whether this is the prefix of everything.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the key has the shape of a directory prefix: empty, or ending in `/`.
    pub fn is_prefix(&self) -> bool {
        self.0.last().is_none_or(|last| *last == b'/')
    }

    /// The prefix of what lies below this key: itself if it has that shape, else with one `/` added.
    #[must_use]
    pub fn to_prefix(&self) -> Self {
        if self.is_prefix() { self.clone() } else { self.append(b"/") }
    }

    /// These bytes with `more` after them; no separator is added.
    #[must_use]
    pub fn append(&self, more: impl AsRef<[u8]>) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len() + more.as_ref().len());
        bytes.extend_from_slice(&self.0);
        bytes.extend_from_slice(more.as_ref());
        Self::new(bytes)
    }

    /// What follows `prefix` in this key, if the key begins with it.
    pub fn strip_prefix(&self, prefix: &Self) -> Option<&[u8]> {
        self.0.strip_prefix(prefix.as_bytes())
    }

    /// The prefix this key lies in, and its last segment: `a/b` gives `a/` and `b`. A trailing `/`
    /// belongs to the last segment's left: `a/b/` gives `a/b/` and nothing.
    pub fn split_last(&self) -> (Self, &[u8]) {
        let cut = self.0.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        (Self::new(&self.0[..cut]), &self.0[cut..])
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

/// Readable and harmless: control characters and bytes that are not UTF-8 are escaped.
impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&escape(&self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_every_byte() {
        for odd in ["a//b", "/a", "a/", "./a", "%41", " a ", "a\u{301}", "a\0b"] {
            assert_eq!(Key::from(odd).as_bytes(), odd.as_bytes());
        }
    }

    #[test]
    fn a_prefix_gets_one_slash_and_only_when_it_has_none() {
        assert_eq!(Key::from("a").to_prefix(), Key::from("a/"));
        assert_eq!(Key::from("a/").to_prefix(), Key::from("a/"));
        assert_eq!(Key::root().to_prefix(), Key::root());
    }

    #[test]
    fn split_last_cuts_behind_the_last_slash() {
        assert_eq!(Key::from("a/b").split_last(), (Key::from("a/"), b"b".as_slice()));
        assert_eq!(Key::from("b").split_last(), (Key::root(), b"b".as_slice()));
        assert_eq!(Key::from("a/b/").split_last(), (Key::from("a/b/"), b"".as_slice()));
    }

    #[test]
    fn display_shows_no_raw_control_bytes() {
        assert_eq!(Key::new(b"a\x1b[31m\xff".to_vec()).to_string(), "a\\u{1b}[31m\\xff");
    }
}
