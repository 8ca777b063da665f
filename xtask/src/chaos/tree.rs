//! Trees that are fetched, and what became of them on the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::random::Random;

/// More than the size from which mlfetch fetches a file in parts, and no multiple of a part.
pub(crate) const BIG_BYTES: usize = 33 * MIB + 17;

pub(crate) const MIB: usize = 1024 * 1024;

/// What mlfetch's own names in a destination begin with.
const STATE: &str = ".mlfetch-";

/// Files by their names below the tree's root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// The name of its root in a store.
    pub(crate) name: String,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// A tree of files of these sizes, with bytes that its name and theirs determine. Some lie in a
    /// directory.
    pub(crate) fn new(name: &str, sizes: &[usize]) -> Self {
        let files = sizes.iter().enumerate().map(|(number, size)| {
            let folder = if number % 3 == 1 { "d/" } else { "" };
            let file = format!("{folder}f{number:02}.bin");
            let bytes = Random::new(number as u64, &[name, &file]).bytes(*size);
            (file, bytes)
        });
        Self { name: name.to_owned(), files: files.collect() }
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.files.values().map(|bytes| bytes.len() as u64).sum()
    }

    /// The file whose name ends a path.
    pub(crate) fn file_of(&self, path: &str) -> Option<&str> {
        let rest = path.split_once(&format!("/{}/", self.name))?.1;
        self.files.get_key_value(rest).map(|(name, _)| name.as_str())
    }

    /// Writes its files below a directory.
    pub(crate) fn write(&self, place: &Path) -> Result<()> {
        for (name, bytes) in &self.files {
            let path = place.join(name);
            let made = path.parent().map_or(Ok(()), fs::create_dir_all);
            made.and_then(|()| fs::write(&path, bytes))
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        Ok(())
    }

    /// Holds a directory to the tree.
    pub(crate) fn compare(&self, place: &Path) -> Result<Found> {
        let mut found = Found::default();
        let mut missing: Vec<&String> = self.files.keys().collect();
        for (path, name) in walk(place)? {
            if name.starts_with(STATE) || name.contains(&format!("/{STATE}")) {
                found.state.push(name);
                continue;
            }
            missing.retain(|other| **other != name);
            let bytes = fs::read(&path).with_context(|| format!("cannot read `{name}`"))?;
            match self.files.get(&name) {
                Some(right) if *right == bytes => found.right += 1,
                Some(right) => found.wrong.push(describe(&name, right, &bytes)),
                None => found.wrong.push(format!("`{name}` is no file of the tree")),
            }
        }
        found.missing = missing.into_iter().cloned().collect();
        Ok(found)
    }
}

/// What a directory has of a tree.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) right: usize,
    pub(crate) missing: Vec<String>,
    /// What is wrong, in words.
    pub(crate) wrong: Vec<String>,
    /// mlfetch's own files.
    pub(crate) state: Vec<String>,
}

fn describe(name: &str, right: &[u8], bytes: &[u8]) -> String {
    let first = right.iter().zip(bytes).position(|(a, b)| a != b);
    let first = first.unwrap_or(right.len().min(bytes.len()));
    let (has, should) = (bytes.len(), right.len());
    format!("`{name}` has {has} bytes of {should} and is wrong from byte {first} on")
}

/// All files below a directory, and its empty directories of mlfetch's own, by their names.
fn walk(place: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let mut folders = vec![place.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.with_context(|| format!("cannot list `{}`", folder.display()))?,
        };
        for entry in entries {
            let path = entry.with_context(|| format!("cannot list `{}`", folder.display()))?.path();
            let name = path.strip_prefix(place).unwrap_or(&path).to_string_lossy().into_owned();
            let is_directory = path.is_dir();
            if !is_directory || name.starts_with(STATE) {
                found.push((path.clone(), name));
            }
            if is_directory {
                folders.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(tree: &Tree) -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a directory");
        tree.write(place.path()).expect("written");
        place
    }

    #[test]
    fn a_whole_tree_is_right() {
        let tree = Tree::new("t", &[0, 10, 20, 30]);
        let place = written(&tree);
        let found = tree.compare(place.path()).expect("compared");
        assert_eq!(found.right, 4);
        assert!(found.missing.is_empty() && found.wrong.is_empty() && found.state.is_empty());
    }

    #[test]
    fn whatever_is_not_right_is_named() {
        let tree = Tree::new("t", &[0, 10, 20, 30]);
        let place = written(&tree);
        fs::remove_file(place.path().join("f00.bin")).expect("removed");
        fs::write(place.path().join("f02.bin"), [1; 5]).expect("written");
        fs::write(place.path().join("login.html"), "x").expect("written");
        fs::create_dir(place.path().join(".mlfetch-1")).expect("made");
        let found = tree.compare(place.path()).expect("compared");
        assert_eq!((found.right, found.missing, found.state.len()), (2, vec!["f00.bin".into()], 1));
        assert!(found.wrong.iter().any(|text| text.contains("5 bytes of 20")), "{:?}", found.wrong);
        assert!(found.wrong.iter().any(|text| text.contains("login.html")), "{:?}", found.wrong);
    }

    #[test]
    fn a_file_is_found_by_the_end_of_its_path() {
        let tree = Tree::new("small", &[1, 1]);
        assert_eq!(tree.file_of("/bucket/chaos/small/d/f01.bin"), Some("d/f01.bin"));
        assert_eq!(tree.file_of("/bucket/chaos/small/"), None);
        assert_eq!(tree.file_of("/bucket/chaos/other/f00.bin"), None);
    }

    /// Else no fault would meet a range.
    #[test]
    fn the_big_file_comes_in_parts() {
        let code = include_str!("../../../crates/mlfetch-core/src/engine/parts.rs");
        let line = code.lines().find_map(|line| line.strip_prefix("const BIG_BYTES: u64 = "));
        let factors = line.expect("the constant").trim_end_matches(';').split(" * ");
        let limit: usize =
            factors.map(|number| number.parse::<usize>().expect("a number")).product();
        assert!((MIB..BIG_BYTES).contains(&limit), "{limit}");
    }
}
