//! Lists as `sha256sum` writes them.

use std::collections::BTreeMap;
use std::path::Path;

use mlfetch_store::{Error, ErrorKind, Result, escape};

use super::{Manifest, Sha256Sum, line, read_file};
use crate::RelativePath;

/// What the files of a tree must be, by their paths below the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    sums: BTreeMap<RelativePath, Sha256Sum>,
    /// What messages call it.
    called: &'static str,
}

/// Those of a tree that came before.
impl From<&Manifest> for Sums {
    fn from(manifest: &Manifest) -> Self {
        let sums = manifest.rows().map(|(path, row)| (path.clone(), row.sha256)).collect();
        Self { sums, called: "lock" }
    }
}

impl Sums {
    /// Reads a list that `sha256sum` wrote.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, `Io` if it cannot be read; those of [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read_file(path, "read the checksums")?;
        Self::parse(&bytes, &escape(path.as_os_str().as_encoded_bytes()))
    }

    /// Reads the lines of a list; `name` is what messages call it. Empty lines and those that begin
    /// with `#` are passed over.
    ///
    /// # Errors
    /// `InvalidInput` for a line that is none, a name that leads out of the tree, or two digests
    /// for one name.
    ///
    /// ```
    /// use mlfetch_core::RelativePath;
    /// use mlfetch_core::manifest::{Sha256Sum, Sums};
    /// let sums = Sums::parse(format!("{} *./a\n", Sha256Sum::of(b"x")).as_bytes(), "a list")?;
    /// assert_eq!(sums.get(&RelativePath::new("a").unwrap()), Some(&Sha256Sum::of(b"x")));
    /// # Ok::<(), mlfetch_store::Error>(())
    /// ```
    pub fn parse(list: &[u8], name: &str) -> Result<Self> {
        let mut sums = BTreeMap::new();
        for (number, text) in list.split(|byte| *byte == b'\n').enumerate() {
            // Lists that were written on Windows end their lines with both.
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            let refuse = |why: String| {
                Error::new(ErrorKind::InvalidInput, "read the checksums", name)
                    .with_message(format!("line {}: {why}", number + 1))
                    .with_hint("write the list with `sha256sum`, in the directory of the files")
            };
            let (sum, path) = line::read(text).ok_or_else(|| {
                refuse("it is no digest with a name, as `sha256sum` writes".into())
            })?;
            let path = relative(&path).map_err(refuse)?;
            let shown = path.to_string();
            if sums.insert(path, sum).is_some_and(|before| before != sum) {
                return Err(refuse(format!("another digest for `{shown}` came before")));
            }
        }
        Ok(Self { sums, called: "list of checksums" })
    }

    /// What a file must be.
    pub fn get(&self, path: &RelativePath) -> Option<&Sha256Sum> {
        self.sums.get(path)
    }

    /// All, in the order of the paths' bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&RelativePath, &Sha256Sum)> {
        self.sums.iter()
    }

    /// What messages call it.
    pub(crate) fn called(&self) -> &'static str {
        self.called
    }

    /// What to do about a file that it does not name.
    pub(crate) fn unlisted_hint(&self) -> &'static str {
        match self.called {
            "lock" => "the store has more files than then: write the lock anew, without --locked",
            _ => "leave it out with --exclude, or add its line to the list",
        }
    }

    /// How many files it names.
    pub fn len(&self) -> usize {
        self.sums.len()
    }

    /// Whether it names none.
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }
}

/// The path without the `./` that `find` and people write before it.
fn relative(name: &[u8]) -> Result<RelativePath, String> {
    let mut path = name;
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    RelativePath::new(path)
        .map_err(|refusal| format!("`{}` is no path in the tree: {refusal}", escape(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(list: &str) -> Result<Sums> {
        Sums::parse(list.as_bytes(), "list")
    }

    #[test]
    fn comments_empty_lines_and_windows_line_ends_are_passed_over() {
        let sum = Sha256Sum::of(b"x");
        let sums = parse(&format!("# mine\n\n{sum}  a\r\n{sum}  ././b/c\n{sum}  a")).expect("read");
        let names: Vec<String> = sums.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(names, ["a", "b/c"]);
    }

    #[test]
    fn a_bad_line_is_named() {
        let (sum, other) = (Sha256Sum::of(b"x"), Sha256Sum::of(b"y"));
        for (list, why) in [
            (format!("{sum}  a\nnonsense\n"), "line 2: it is no digest"),
            (format!("{sum}  ../a\n"), "line 1: `../a` is no path"),
            (format!("{sum}  /etc/passwd\n"), "line 1: `/etc/passwd` is no path"),
            (format!("{sum}  a\n{other}  ./a\n"), "line 2: another digest for `a`"),
        ] {
            let error = parse(&list).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
