//! The directories that one run of one program may use.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use mlfetch_tests::Tree;

/// A directory with `cwd/` and `tmp/` in it, and `out`, which is not made.
pub(crate) struct CaseBox {
    root: PathBuf,
    home: PathBuf,
}

impl CaseBox {
    /// Makes the directories, and what the row wants to be there.
    pub(crate) fn new(root: PathBuf, before: &[&str]) -> Self {
        let home = root.with_extension("home");
        for directory in [&root.join("cwd"), &root.join("tmp"), &home] {
            fs::create_dir_all(directory).expect("a directory");
        }
        for line in before {
            put(&root, line);
        }
        Self { root, home }
    }

    /// Variables that keep a program inside.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [
            ("HOME", self.home.display().to_string()),
            ("TMPDIR", self.root.join("tmp").display().to_string()),
        ]
    }

    /// The names of its places, for [`super::words::fill`].
    pub(crate) fn names(&self) -> BTreeMap<String, String> {
        names(&self.root)
    }

    /// All that is in it; the one new directory below `tmp/` is called `new`.
    pub(crate) fn tree(&self) -> Tree {
        Tree::of(&self.root).with_paths(with_known_name)
    }

    /// A program's text with this box's own path made the same for all boxes.
    pub(crate) fn normalise(&self, text: &str) -> String {
        let text = text.replace(&format!("{}", self.root.display()), COMMON);
        let Some((head, tail)) = text.split_once("/box/tmp/") else { return text };
        let end = tail.find(['/', '\n']).unwrap_or(tail.len());
        format!("{head}/box/tmp/new{}", &tail[end..])
    }
}

impl Drop for CaseBox {
    fn drop(&mut self) {
        // What cannot be removed goes with the directory of all boxes.
        let _ = (fs::remove_dir_all(&self.root), fs::remove_dir_all(&self.home));
    }
}

/// What all boxes are called in expectations.
const COMMON: &str = "/box";

/// The names of the places in the box that expectations talk of.
pub(crate) fn common_names() -> BTreeMap<String, String> {
    names(Path::new(COMMON))
}

fn names(root: &Path) -> BTreeMap<String, String> {
    let place = |name: &str| root.join(name).display().to_string();
    let pairs = [("out", place("out")), ("cwd", place("cwd")), ("new", place("tmp/new"))];
    let mut names: BTreeMap<String, String> =
        pairs.into_iter().map(|(name, path)| (name.to_owned(), path)).collect();
    names.insert("box".to_owned(), root.display().to_string());
    names
}

fn with_known_name(path: &Path) -> PathBuf {
    let mut parts = path.components();
    let Some(first) = parts.next() else { return path.to_owned() };
    if first.as_os_str() != "tmp" || parts.next().is_none() {
        return path.to_owned();
    }
    Path::new("tmp/new").join(parts.as_path())
}

fn put(root: &Path, line: &str) {
    let (kind, rest) = line.split_once(' ').expect("a kind and what it is");
    let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
    let path = root.join(if kind == "mode" { second } else { first });
    fs::create_dir_all(path.parent().expect("it is in the box")).expect("a directory");
    match kind {
        "file" => fs::write(&path, second).expect("a file"),
        "directory" => fs::create_dir_all(&path).expect("a directory"),
        "link" => symlink(second, &path).expect("a link"),
        "mode" => {
            let mode = u32::from_str_radix(first, 8).expect("an octal number");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        }
        _ => panic!("unknown: {line}"),
    }
}
