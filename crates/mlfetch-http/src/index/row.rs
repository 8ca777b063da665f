//! One row of an index.

use std::time::SystemTime;

use mlfetch_store::{Entry, Error, ErrorKind, Key, ObjectInfo, Refused};

/// One row of an index: a name below the directory, and what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The name, decoded; a directory's ends in `/`.
    pub(crate) name: Vec<u8>,
    /// What it names.
    pub(crate) kind: RowKind,
}

/// What a row names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// A file, with its size in bytes and time where the index tells them exactly.
    Object { size: Option<u64>, modified: Option<SystemTime> },
    /// A directory.
    Directory,
    /// Something that cannot be fetched under the name it has, and why.
    Refused(&'static str),
}

impl Row {
    /// A file, or a refusal if no URL below the directory can name it.
    pub(crate) fn object(name: Vec<u8>, size: Option<u64>, modified: Option<SystemTime>) -> Self {
        Self::checked(name, RowKind::Object { size, modified })
    }

    /// A directory, or a refusal if no URL below the directory can name it. `name` has no `/`.
    pub(crate) fn directory(name: Vec<u8>) -> Self {
        Self::checked(name, RowKind::Directory)
    }

    /// What cannot be fetched, and why.
    pub(crate) fn refused(name: Vec<u8>, why: &'static str) -> Self {
        Self { name, kind: RowKind::Refused(why) }
    }

    fn checked(mut name: Vec<u8>, kind: RowKind) -> Self {
        let end: &[u8] = if kind == RowKind::Directory { b"/" } else { b"" };
        let kind = problem(&name).map_or(kind, RowKind::Refused);
        name.extend_from_slice(end);
        Self { name, kind }
    }

    /// As an entry of a listing of `prefix`.
    pub(crate) fn to_entry(&self, prefix: &Key) -> Entry {
        let key = prefix.append(&self.name);
        match self.kind {
            RowKind::Object { size, modified } => {
                Entry::Object(ObjectInfo::new(key).with_size(size).with_modified(modified))
            }
            RowKind::Directory => Entry::Directory(key),
            RowKind::Refused(why) => {
                let error = Error::new(ErrorKind::InvalidKey, "list", key.to_string());
                Entry::Refused(Refused::new(key, error.with_message(why)))
            }
        }
    }
}

/// Why a name cannot be one segment of a URL's path.
fn problem(segment: &[u8]) -> Option<&'static str> {
    match segment {
        b"" => Some("the index gives it an empty name"),
        b"." | b".." => Some("URLs do not carry the name of a dot segment"),
        _ if segment.contains(&b'/') => Some("its name holds a `/`, which would name another"),
        _ if segment.contains(&0) => Some("its name holds a NUL"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_url_would_fold_is_refused_and_keeps_its_neighbours() {
        for name in ["..", ".", "", "a/b", "a/", "a\0b"] {
            let row = Row::object(name.into(), None, None);
            assert!(matches!(row.kind, RowKind::Refused(_)), "{name}");
            assert!(matches!(Row::directory(name.into()).kind, RowKind::Refused(_)), "{name}");
        }
        for name in ["...", "..a", "%2e", " "] {
            assert_eq!(Row::directory(name.into()).kind, RowKind::Directory, "{name}");
        }
    }
}
