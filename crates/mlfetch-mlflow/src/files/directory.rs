//! Looking into directories.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use mlfetch_store::{Error, ErrorKind, Result, escape};
use rustix::fs::{Dir, Mode, OFlags};
use rustix::io::retry_on_intr;

/// The directory of deleted experiments.
const TRASH: &str = ".trash";
/// The directory of registered models, beside the experiments.
pub(super) const MODELS: &str = "models";

/// An experiment's directory.
#[derive(Debug)]
pub(super) struct Experiment {
    pub(super) id: String,
    pub(super) path: PathBuf,
    /// Whether it lies in `.trash`.
    pub(super) deleted: bool,
}

/// The experiments, those in `.trash` last.
pub(super) fn experiments(root: &Path) -> Result<Vec<Experiment>> {
    let mut found = Vec::new();
    for (parent, deleted) in [(root.to_owned(), false), (root.join(TRASH), true)] {
        for path in directories(&parent)? {
            let Some(id) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if id != TRASH && id != MODELS {
                found.push(Experiment { id: id.to_owned(), path: path.clone(), deleted });
            }
        }
    }
    Ok(found)
}

/// The directories in a directory, sorted; none if it is not there.
pub(super) fn directories(parent: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(parent)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// What is in a directory, sorted; nothing if it is not there.
pub(super) fn entries(parent: &Path) -> Result<Vec<PathBuf>> {
    let names = match names(parent) {
        Ok(names) => names,
        Err(cause) if is_absent(&cause) => return Ok(Vec::new()),
        Err(cause) => return Err(failed(parent, cause)),
    };
    let paths = names.map(|name| name.map(|name| parent.join(name)));
    let mut paths =
        paths.collect::<std::io::Result<Vec<PathBuf>>>().map_err(|cause| failed(parent, cause))?;
    paths.sort();
    Ok(paths)
}

/// The names in a directory. The standard library panics where a directory that was read cannot be
/// closed, as a disk on a network may say.
pub(crate) fn names(
    directory: &Path,
) -> std::io::Result<impl Iterator<Item = std::io::Result<OsString>>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = retry_on_intr(|| rustix::fs::open(directory, flags, Mode::empty()))?;
    let names = Dir::new(directory)?
        .map(|entry| Ok(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned()));
    Ok(names.filter(|name| !matches!(name, Ok(name) if name == "." || name == "..")))
}

/// The directory or file `name` in `parent`; `None` for a name that would lead elsewhere.
pub(super) fn child(parent: &Path, name: &str) -> Option<PathBuf> {
    let elsewhere = name.is_empty() || name == "." || name == "..";
    let inside = !elsewhere && !name.contains(['/', '\\', '\0']);
    inside.then(|| parent.join(name))
}

fn is_absent(cause: &std::io::Error) -> bool {
    matches!(cause.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn failed(path: &Path, cause: std::io::Error) -> Error {
    let kind = match cause.kind() {
        std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        _ => ErrorKind::Io,
    };
    let message = cause.to_string();
    Error::new(kind, "list", escape(path.as_os_str().as_encoded_bytes()))
        .with_message(message)
        .with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_out_of_its_directory() {
        for name in ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "a\0"] {
            assert_eq!(child(Path::new("/root"), name), None, "{name:?}");
        }
        assert_eq!(child(Path::new("/r"), "a b"), Some(PathBuf::from("/r/a b")));
    }
}
