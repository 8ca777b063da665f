//! Directories on disk, as values that can be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Something on disk.
#[derive(Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory; what is in it has nodes of its own.
    Directory,
    /// A file.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link and what it names.
    Link(PathBuf),
}

/// All that is below a directory, by relative path.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tree(BTreeMap<PathBuf, Node>);

impl Tree {
    /// What is below `root`; nothing if it is not there. Links are not followed.
    ///
    /// # Panics
    /// If something cannot be read.
    pub fn of(root: &Path) -> Self {
        let mut tree = Self::default();
        if root.is_dir() {
            tree.read(root, Path::new(""));
        }
        tree
    }

    fn read(&mut self, root: &Path, below: &Path) {
        let directory = root.join(below);
        let entries = fs::read_dir(&directory)
            .unwrap_or_else(|cause| panic!("cannot list {}: {cause}", directory.display()));
        for entry in entries {
            let name = entry.expect("an entry").file_name();
            let path = below.join(name);
            let node = Node::of(&root.join(&path));
            let is_directory = node == Node::Directory;
            self.0.insert(path.clone(), node);
            if is_directory {
                self.read(root, &path);
            }
        }
    }

    /// Makes all of it below a directory.
    ///
    /// # Panics
    /// If it holds a link, or something cannot be written.
    pub fn write(&self, directory: &Path) {
        for (path, node) in &self.0 {
            let to = directory.join(path);
            match node {
                Node::File { bytes, .. } => fs::write(&to, bytes).expect("a file"),
                Node::Directory => fs::create_dir(&to).expect("a directory"),
                Node::Link(_) => panic!("{} is {node:?}", path.display()),
            }
        }
    }

    /// Puts something at a path, and directories above it.
    pub fn put(&mut self, path: impl AsRef<Path>, node: Node) {
        let path = path.as_ref();
        for above in path.ancestors().skip(1).filter(|above| *above != Path::new("")) {
            self.0.entry(above.to_owned()).or_insert(Node::Directory);
        }
        self.0.insert(path.to_owned(), node);
    }

    /// Puts all of another tree below a path.
    pub fn put_all(&mut self, path: impl AsRef<Path>, other: &Self) {
        for (name, node) in &other.0 {
            self.put(path.as_ref().join(name), node.clone());
        }
    }

    /// What is below a path, as a tree of its own.
    #[must_use]
    pub fn below(&self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let inside = self.0.iter().filter_map(|(name, node)| {
            let rest = name.strip_prefix(path).ok().filter(|rest| *rest != Path::new(""))?;
            Some((rest.to_owned(), node.clone()))
        });
        Self(inside.collect())
    }

    /// What is at a path.
    pub fn get(&self, path: impl AsRef<Path>) -> Option<&Node> {
        self.0.get(path.as_ref())
    }

    /// Every path, in order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// The same with other paths.
    #[must_use]
    pub fn with_paths(self, change: impl Fn(&Path) -> PathBuf) -> Self {
        Self(self.0.into_iter().map(|(path, node)| (change(&path), node)).collect())
    }

    /// What `other` has that this has not, and the reverse, a line each.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, node) in &self.0 {
            match other.0.get(path) {
                None => lines.push(format!("missing: {} {node:?}", shown(path))),
                Some(found) if found != node => {
                    lines.push(format!("{} is {found:?}, not {node:?}", shown(path)));
                }
                Some(_) => {}
            }
        }
        let extra = other.0.iter().filter(|(path, _)| !self.0.contains_key(*path));
        lines.extend(extra.map(|(path, node)| format!("not expected: {} {node:?}", shown(path))));
        lines
    }
}

/// A path on one line, whatever is in it.
fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

impl Node {
    /// A file that nobody executes.
    pub fn file(bytes: impl Into<Vec<u8>>) -> Self {
        Self::File { bytes: bytes.into(), executable: false }
    }

    fn of(path: &Path) -> Self {
        let found = fs::symlink_metadata(path).expect("it was listed a moment ago");
        if found.is_symlink() {
            Self::Link(fs::read_link(path).expect("a link can be read"))
        } else if found.is_dir() {
            Self::Directory
        } else {
            let executable = found.permissions().mode() & 0o100 != 0;
            Self::File { bytes: fs::read(path).expect("a file can be read"), executable }
        }
    }
}

impl std::fmt::Debug for Node {
    /// Files by their beginning: megabytes tell nothing in a report.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory => formatter.write_str("(directory)"),
            Self::Link(to) => write!(formatter, "(link to {to:?})"),
            Self::File { bytes, executable } => {
                let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(30)]);
                let kind = if *executable { "executable " } else { "" };
                write!(formatter, "({kind}{} bytes: {beginning:?})", bytes.len())
            }
        }
    }
}
