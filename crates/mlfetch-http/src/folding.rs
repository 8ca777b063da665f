//! Servers that take `a//b` for `a/b`.
//!
//! A key with empty segments is sent as it is, because object stores behind HTTP keep it apart. Web
//! servers over a file system do not: nginx, Apache and Python answer `a//b` with the bytes of
//! `a/b`. So what such a key gives counts only if the key without empty segments gives something
//! else, or nothing.

use mlfetch_store::{Error, ErrorKind, Key, ObjectInfo};

/// The key that a server may take this one for: without its empty segments. `None` if it has none.
pub(crate) fn folded(key: &Key) -> Option<Key> {
    let mut folded: Vec<u8> = Vec::with_capacity(key.as_bytes().len());
    for byte in key.as_bytes() {
        // The root itself ends in `/`: a `/` at the beginning follows one as well.
        if *byte != b'/' || folded.last().is_some_and(|last| *last != b'/') {
            folded.push(*byte);
        }
    }
    let folded = Key::new(folded);
    (folded != *key).then_some(folded)
}

/// Whether two answers show that they are about different objects.
pub(crate) fn differ(one: &ObjectInfo, other: &ObjectInfo) -> bool {
    one.size != other.size || one.etag != other.etag || one.modified != other.modified
}

/// The error for a key that the server does not keep apart.
pub(crate) fn not_apart(operation: &'static str, key: &Key, folded: &Key) -> Error {
    Error::new(ErrorKind::InvalidKey, operation, key.to_string())
        .with_message(format!("the server gives the same for it as for `{folded}`"))
        .with_hint("this server folds `//` to `/`: ask for the name without empty segments")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_takes_out_empty_segments_and_nothing_else() {
        let rows = [
            ("a//b", Some("a/b")),
            ("a///b", Some("a/b")),
            ("/a", Some("a")),
            ("a//", Some("a/")),
            ("/", Some("")),
            ("a/", None),
            ("a/b", None),
            ("", None),
        ];
        for (key, expected) in rows {
            assert_eq!(folded(&Key::from(key)), expected.map(Key::from), "{key}");
        }
    }
}
