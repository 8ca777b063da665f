//! The manifest of a tree, and its form: JSON, one object a line, so that `diff` shows the files
//! that differ. The first line speaks of the whole.

use std::collections::BTreeMap;
use std::path::Path;

use mlfetch_store::{Error, ErrorKind, Result, escape};
use serde::{Deserialize, Serialize};

use super::row::WrittenRow;
use super::{ManifestRow, Sha256Sum, TreeDigest, read_file, save};
use crate::RelativePath;
use crate::destination::DestinationError;

/// The form that this version writes and reads.
const FORM: &str = "mlfetch/1";

/// What a tree is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest(BTreeMap<RelativePath, ManifestRow>);

/// The first line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    manifest: String,
    files: u64,
    size_bytes: u64,
    tree_sha256: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, `Io` if it cannot be read; those of [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read_file(path, "read the manifest")?;
        Self::parse(&bytes, &escape(path.as_os_str().as_encoded_bytes()))
    }

    /// Reads the lines of a manifest; `name` is what messages call it.
    ///
    /// # Errors
    /// `InvalidInput` if it is none; `Integrity` if its first line does not belong to the others.
    pub fn parse(text: &[u8], name: &str) -> Result<Self> {
        let error = |kind, why: String| {
            Error::new(kind, "read the manifest", name)
                .with_message(why)
                .with_hint("take one that `mlfetch get --manifest` wrote, as it wrote it")
        };
        let refuse = |why: String| error(ErrorKind::InvalidInput, why);
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let head: Head = lines
            .next()
            .and_then(|line| serde_json::from_slice(line).ok())
            .ok_or_else(|| refuse("its first line is not that of a manifest".into()))?;
        if head.manifest != FORM {
            let found = escape(head.manifest.as_bytes());
            return Err(refuse(format!("its form is `{found}`, and this version reads `{FORM}`")));
        }
        let mut rows = BTreeMap::new();
        for (number, line) in (2..).zip(lines) {
            let written = serde_json::from_slice::<WrittenRow>(line).map_err(|e| e.to_string());
            let (path, row) = written
                .and_then(WrittenRow::checked)
                .map_err(|why| refuse(format!("row {number}: {why}")))?;
            if rows.insert(path, row).is_some() {
                return Err(refuse(format!("row {number} names a file again")));
            }
        }
        let manifest = Self(rows);
        if manifest.head() != head {
            let why = "its first line does not belong to its rows: it was changed";
            return Err(error(ErrorKind::Integrity, why.into()));
        }
        Ok(manifest)
    }

    /// Its text: the first line, then a row for each file in the order of the paths' bytes.
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        push(&mut text, &self.head());
        for (path, row) in &self.0 {
            push(&mut text, &WrittenRow::of(path, row));
        }
        text
    }

    /// Writes it to `path`, in one step: whoever looks sees the one of before or the new one.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> std::result::Result<(), DestinationError> {
        save::save(path, &self.to_text())
    }

    /// The digest of the tree.
    pub fn tree_digest(&self) -> Sha256Sum {
        let mut digest = TreeDigest::new();
        self.0.iter().for_each(|(path, row)| digest.add(path, &row.sha256));
        digest.finish()
    }

    /// All rows, in the order of the paths' bytes.
    pub fn rows(&self) -> impl Iterator<Item = (&RelativePath, &ManifestRow)> {
        self.0.iter()
    }

    /// What it says of a file.
    pub fn get(&self, path: &RelativePath) -> Option<&ManifestRow> {
        self.0.get(path)
    }

    /// Takes a file; what lies over another takes its place.
    pub(crate) fn insert(&mut self, path: RelativePath, row: ManifestRow) {
        self.0.insert(path, row);
    }

    fn head(&self) -> Head {
        Head {
            manifest: FORM.to_owned(),
            files: self.0.len() as u64,
            // No tree is as large; rows that somebody wrote can say so.
            size_bytes: self.0.values().fold(0, |sum, row| sum.saturating_add(row.size)),
            tree_sha256: self.tree_digest().to_string(),
        }
    }
}

/// One line.
pub(super) fn push(text: &mut Vec<u8>, line: &impl Serialize) {
    serde_json::to_writer(&mut *text, line).expect("text and numbers can be written to memory");
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::super::Sums;
    use super::*;

    /// Rows as they may be: any path, any size, any text in the rest.
    fn any_manifest() -> impl Strategy<Value = Manifest> {
        let path =
            vec(any::<u8>(), 1..20).prop_filter_map("a path", |it| RelativePath::new(it).ok());
        let text = || proptest::option::of(any::<String>().prop_map(Box::<str>::from));
        let row = (any::<u64>(), any::<Vec<u8>>(), text(), text(), text(), any::<String>());
        let row = row.prop_map(|(size, bytes, source, version, etag, proven)| ManifestRow {
            size,
            sha256: Sha256Sum::of(&bytes),
            source,
            version,
            etag,
            proven: proven.into(),
        });
        btree_map(path, row, 0..6).prop_map(Manifest)
    }

    proptest! {
        #[test]
        fn any_manifest_is_read_as_it_was_written_and_so_is_its_list(written in any_manifest()) {
            let text = written.to_text();
            let read = Manifest::parse(&text, "m").expect("read");
            prop_assert_eq!(read.to_text(), text);
            prop_assert_eq!(&read, &written);
            let sums = Sums::from(&written);
            let mut list = Vec::new();
            for (path, sum) in sums.iter() {
                super::super::line::write(&mut list, sum, path.as_bytes());
            }
            let again = Sums::parse(&list, "list");
            // A name that looks like a comment is one; `sha256sum` never begins a line with a name.
            prop_assert!(again.expect("a list").iter().eq(sums.iter()));
        }

        #[test]
        fn a_changed_row_never_passes(written in any_manifest(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut text = written.to_text();
            let at = at.index(text.len());
            text[at] ^= 1 << bit;
            // Texts that are none of the bytes' own are no part of the digest.
            if let Ok(read) = Manifest::parse(&text, "m") {
                prop_assert_eq!(read.tree_digest(), written.tree_digest());
                prop_assert!(read.rows().map(|(path, _)| path).eq(written.rows().map(|(path, _)| path)));
            }
        }
    }

    fn row(text: &str, source: Option<&str>) -> ManifestRow {
        ManifestRow {
            size: text.len() as u64,
            sha256: Sha256Sum::of(text.as_bytes()),
            source: source.map(Into::into),
            version: None,
            etag: source.map(|_| "\"e\"".into()),
            proven: "size".into(),
        }
    }

    fn manifest(rows: &[(&[u8], &str)]) -> Manifest {
        let mut manifest = Manifest::default();
        for (path, text) in rows {
            let path = RelativePath::new(*path).expect("a path");
            manifest.insert(path, row(text, Some("s3://b/x")));
        }
        manifest
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut written = manifest(&[(b"a/b", "1"), (b"a-b", "22"), (b"\xff\n\"", "")]);
        written.insert(RelativePath::new("own").expect("a path"), row("x", None));
        let text = written.to_text();
        assert_eq!(Manifest::parse(&text, "m").expect("read"), written);
        assert!(text.ends_with(b"\n"));
        assert_eq!(text.split(|byte| *byte == b'\n').count(), 6);
    }

    #[test]
    fn rows_are_in_the_order_of_bytes_and_nothing_else_counts() {
        let one = manifest(&[(b"b", "1"), (b"a/b", "1"), (b"a-b", "1"), (b"a", "1")]);
        let other = manifest(&[(b"a", "1"), (b"a-b", "1"), (b"a/b", "1"), (b"b", "1")]);
        assert_eq!(one.to_text(), other.to_text());
        let text = String::from_utf8(one.to_text()).expect("text");
        let at = |path: &str| text.find(&format!("{{\"path\":\"{path}\"")).expect("there");
        assert!(at("a") < at("a-b") && at("a-b") < at("a/b") && at("a/b") < at("b"));
    }

    #[test]
    fn sizes_that_no_disk_has_are_no_reason_to_break() {
        let mut written = manifest(&[]);
        for name in ["a", "b"] {
            let size = u64::MAX;
            written.insert(
                RelativePath::new(name).expect("a path"),
                ManifestRow { size, ..row("", None) },
            );
        }
        assert_eq!(Manifest::parse(&written.to_text(), "m").expect("read"), written);
    }

    #[test]
    fn a_manifest_that_was_changed_is_refused() {
        let text =
            String::from_utf8(manifest(&[(b"a", "1"), (b"b", "2")]).to_text()).expect("text");
        let kind = |text: &str| Manifest::parse(text.as_bytes(), "m").expect_err("refused").kind();
        let other = Sha256Sum::of(b"3").to_string();
        let changed = text.replace(&Sha256Sum::of(b"2").to_string(), &other);
        assert_eq!(kind(&changed), ErrorKind::Integrity);
        let shorter: Vec<&str> = text.lines().take(2).collect();
        assert_eq!(kind(&shorter.join("\n")), ErrorKind::Integrity);
        assert_eq!(kind(""), ErrorKind::InvalidInput);
        assert_eq!(kind(&text.replace("mlfetch/1", "mlfetch/2")), ErrorKind::InvalidInput);
        assert_eq!(kind(&text.replace("\"b\"", "\"../b\"")), ErrorKind::InvalidInput);
        assert_eq!(
            kind(&text.replace("\"path\":\"b\"", "\"path\":\"a\"")),
            ErrorKind::InvalidInput
        );
    }
}
