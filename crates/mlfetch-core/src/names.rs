//! From exact keys to local paths: a total function. What cannot be a path is refused by name.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use mlfetch_store::escape;

use crate::destination::is_staging_name;
use crate::layout::join;

/// The longest name of a file or directory, in bytes (every file system in common use).
const MAX_SEGMENT_BYTES: usize = 255;

/// The deepest path. S3's longest key has no more segments; nobody means a deeper one.
const MAX_SEGMENTS: usize = 512;

/// Why a name cannot become a path below the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameRefusal {
    /// `a//b`, `/a`, or nothing at all.
    #[error("it has an empty segment, which no directory can hold")]
    EmptySegment,
    /// `a/` with bytes; without bytes it stands for a directory.
    #[error("it ends in `/`, which only a directory's name can, and it holds bytes")]
    TrailingSlash,
    /// `.` or `..`.
    #[error("it has a `.` or `..` segment, which means another place on disk")]
    DotSegment,
    /// A zero byte.
    #[error("it holds a zero byte")]
    Nul,
    /// More than 255 bytes between two slashes.
    #[error("a segment is longer than 255 bytes")]
    TooLong,
    /// More than 512 segments.
    #[error("it is more than 512 directories deep")]
    TooDeep,
    /// The form of the names of mlfetch's own staging directories.
    #[error("names of that form are mlfetch's own, for files that are not whole yet")]
    Reserved,
    /// `a/b` where `a` is an object too.
    #[error("another object has the name of its directory, and a file cannot hold files")]
    BesideFile,
    /// `a` where something lies below `a/` too.
    #[error("there is a directory of the same name too, and only one of them can have it")]
    BesideDirectory,
}

/// A path below the destination: one or more plain segments, no `.`, no `..`, never absolute. There
/// is no other way to make one than through the checks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(Box<[u8]>);

impl RelativePath {
    /// Splits at `/` and at nothing else, decodes nothing, and checks every segment.
    ///
    /// # Errors
    /// The first rule that the name breaks.
    ///
    /// ```
    /// use mlfetch_core::{NameRefusal, RelativePath};
    /// assert!(RelativePath::new(b"model/%41 #1.txt").is_ok());
    /// assert_eq!(RelativePath::new(b"a/../b"), Err(NameRefusal::DotSegment));
    /// ```
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, NameRefusal> {
        let bytes = bytes.into();
        let whole = bytes.strip_suffix(b"/").filter(|rest| !rest.is_empty()).unwrap_or(&bytes);
        for (depth, segment) in whole.split(|byte| *byte == b'/').enumerate() {
            check(segment)?;
            if depth >= MAX_SEGMENTS {
                return Err(NameRefusal::TooDeep);
            }
        }
        if whole.len() < bytes.len() {
            return Err(NameRefusal::TrailingSlash);
        }
        Ok(Self(bytes.into_boxed_slice()))
    }

    /// The same below a directory; below the destination itself if that is empty.
    pub(crate) fn below(self, directory: &[u8]) -> Result<Self, NameRefusal> {
        if directory.is_empty() { Ok(self) } else { Self::new(join(directory, &self.0)) }
    }

    /// The segments, in order; at least one.
    pub fn segments(&self) -> impl Iterator<Item = &OsStr> {
        self.0.split(|byte| *byte == b'/').map(OsStr::from_bytes)
    }

    /// The directory it lies in, if that is not the destination itself, and its own name.
    pub fn split(&self) -> (Option<Self>, &OsStr) {
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (Some(Self(self.0[..at].into())), OsStr::from_bytes(&self.0[at + 1..])),
            None => (None, OsStr::from_bytes(&self.0)),
        }
    }

    /// The directories it lies in, the nearest first, without the destination itself.
    pub(crate) fn directories(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.split().0, |directory| directory.split().0)
    }

    /// As a path, to be joined to the destination.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// The exact bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn check(segment: &[u8]) -> Result<(), NameRefusal> {
    match segment {
        b"" => Err(NameRefusal::EmptySegment),
        b"." | b".." => Err(NameRefusal::DotSegment),
        long if long.len() > MAX_SEGMENT_BYTES => Err(NameRefusal::TooLong),
        odd if odd.contains(&0) => Err(NameRefusal::Nul),
        ours if is_staging_name(ours) => Err(NameRefusal::Reserved),
        _ => Ok(()),
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&escape(&self.0))
    }
}

impl fmt::Debug for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RelativePath({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_rule_has_its_refusal() {
        let deep = "a/".repeat(512) + "a";
        let rows: [(&[u8], NameRefusal); 11] = [
            (b"", NameRefusal::EmptySegment),
            (b"/a", NameRefusal::EmptySegment),
            (b"a//b", NameRefusal::EmptySegment),
            (b"a//", NameRefusal::EmptySegment),
            (b"/", NameRefusal::EmptySegment),
            (b"a/", NameRefusal::TrailingSlash),
            (b"a/./b", NameRefusal::DotSegment),
            (b"../a", NameRefusal::DotSegment),
            (b"a\0b", NameRefusal::Nul),
            (&[b'a'; 256], NameRefusal::TooLong),
            (deep.as_bytes(), NameRefusal::TooDeep),
        ];
        for (name, refusal) in rows {
            assert_eq!(RelativePath::new(name), Err(refusal));
        }
    }

    #[test]
    fn odd_names_pass_unchanged() {
        for name in ["a b", " a", "%41", "a#b", "a?b", "a\\b", "é", "\t", "...", "-rf", ".mlfetch"]
        {
            assert_eq!(RelativePath::new(name).expect(name).as_bytes(), name.as_bytes());
        }
        let longest = ["a".repeat(255), "a/".repeat(511) + "a"];
        for name in longest {
            assert!(RelativePath::new(name).is_ok());
        }
    }

    #[test]
    fn the_names_of_staging_directories_are_reserved_at_every_level() {
        let ours = ".mlfetch-0123abcd-12-345-0123456789abcdef";
        for name in [ours.to_owned(), format!("a/{ours}"), format!("{ours}/a")] {
            assert_eq!(RelativePath::new(name), Err(NameRefusal::Reserved));
        }
        assert!(RelativePath::new(format!("{ours}.txt")).is_ok());
    }

    #[test]
    fn directories_come_from_the_nearest_to_the_outermost() {
        let path = RelativePath::new("a/b/c").expect("a path");
        let shown: Vec<String> = path.directories().map(|path| path.to_string()).collect();
        assert_eq!(shown, ["a/b", "a"]);
    }

    proptest! {
        #[test]
        fn a_path_never_leaves_the_directory_it_is_joined_to(bytes: Vec<u8>) {
            if let Ok(path) = RelativePath::new(bytes.clone()) {
                use std::path::Component;
                prop_assert!(path.as_path().components().all(|c| matches!(c, Component::Normal(_))));
                prop_assert_eq!(path.as_bytes(), bytes.as_slice());
            }
        }

        /// Two keys meet at no path. Where one is the directory of the other they are in each
        /// other's way, which the engine reports (`tests/engine/names.rs`).
        #[test]
        fn two_keys_never_have_the_same_path(one in "[ab./]{1,5}", other in "[ab./]{1,5}") {
            let at = |key: &str| {
                let path = RelativePath::new(key).ok()?;
                Some(Path::new("/destination").join(path.as_path()))
            };
            if let (Some(one_path), Some(other_path)) = (at(&one), at(&other)) {
                prop_assert_eq!(one == other, one_path == other_path);
            }
        }
    }
}
