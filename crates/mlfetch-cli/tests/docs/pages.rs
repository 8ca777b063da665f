//! The documents, and the fenced blocks in them.

use std::fs;
use std::path::{Path, PathBuf};

/// One document.
#[derive(Debug)]
pub(crate) struct Page {
    /// From the root of the repository on.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// What stands between two fences.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    /// The words behind the opening fence.
    pub(crate) kind: &'a str,
    /// The number of its first line.
    pub(crate) line: usize,
    pub(crate) lines: Vec<&'a str>,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).expect("crates/mlfetch-cli lies in the repository").to_owned()
}

impl Page {
    /// Every document that somebody wrote: those of the root, of `docs`, of crates and examples.
    pub(crate) fn all() -> Vec<Self> {
        let mut paths = markdown_in(&root());
        for folder in ["crates", "examples"] {
            for directory in directories_in(&root().join(folder)) {
                paths.extend(markdown_in(&directory));
            }
        }
        let mut folders = vec![root().join("docs")];
        while let Some(folder) = folders.pop() {
            paths.extend(markdown_in(&folder));
            folders.extend(directories_in(&folder));
        }
        paths.sort();
        assert!(paths.len() > 40, "the documents are not where they were: {paths:?}");
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// The document at a path from the root on.
    pub(crate) fn at(path: &str) -> Self {
        Self::read(&root().join(path))
    }

    fn read(path: &Path) -> Self {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let path = path.strip_prefix(root()).expect("it lies in the repository").to_owned();
        Self { path, text }
    }

    /// The fenced blocks, in order.
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks: Vec<Block<'_>> = Vec::new();
        let mut open = false;
        for (number, line) in self.text.lines().enumerate() {
            match line.strip_prefix("```") {
                Some(_) if open => open = false,
                Some(kind) => {
                    open = true;
                    blocks.push(Block { kind, line: number + 2, lines: Vec::new() });
                }
                None if open => blocks.last_mut().expect("one is open").lines.push(line),
                None => {}
            }
        }
        assert!(!open, "{}: a fence is not closed", self.path.display());
        blocks
    }

    /// The lines outside of fenced blocks, with their numbers.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut open = false;
        let lines = self.text.lines().enumerate().filter(|(_, line)| {
            let fence = line.starts_with("```");
            open ^= fence;
            !fence && !open
        });
        lines.map(|(number, line)| (number + 1, line)).collect()
    }

    /// Where something is, for messages.
    pub(crate) fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

/// The spans of code in a line of prose.
pub(crate) fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn markdown_in(directory: &Path) -> Vec<PathBuf> {
    let files = entries(directory).into_iter();
    files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

fn directories_in(directory: &Path) -> Vec<PathBuf> {
    entries(directory).into_iter().filter(|path| path.is_dir()).collect()
}

/// What is in a directory.
pub(crate) fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries.map(|entry| entry.expect("a directory can be listed").path()).collect()
}
