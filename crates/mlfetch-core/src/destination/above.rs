//! The destination itself and the directories above it.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::io::{Errno, retry_on_intr};

use super::handles::{DIRECTORY, Handles};
use super::{DestinationError, DestinationProblem};

/// Another fetch that failed may remove the empty directory between two calls of ours.
const MAX_TRIES: usize = 8;

type Result<T> = std::result::Result<T, DestinationError>;

/// Directories that were made, the deepest first.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<PathBuf>);

impl Made {
    /// Removes those that are empty.
    pub(super) fn remove(&mut self) {
        for made in self.0.drain(..) {
            if std::fs::remove_dir(made).is_err() {
                return;
            }
        }
    }

    /// They stay.
    pub(super) fn keep(&mut self) {
        self.0.clear();
    }

    /// They stay, since there is a file in them, and their names are written through to the disk.
    pub(super) fn sync(&mut self) -> Result<()> {
        let made = std::mem::take(&mut self.0);
        made.iter().filter_map(|made| made.parent()).try_for_each(|above| {
            let synced = File::open(above).and_then(|above| above.sync_all());
            synced.map_err(|error| DestinationError::from_io(above, &error))
        })
    }
}

/// Sees whether `path` can be a destination, without making anything: it is a directory, or is not
/// there and what is above it is a directory.
pub(super) fn check(path: &Path) -> Result<()> {
    for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
        match std::fs::metadata(part) {
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => return Err(DestinationError::new(part, DestinationProblem::NotADirectory)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // A link that leads nowhere is not a place to make a directory. Anything else that is
                // there now was made by somebody else between the two looks.
                if std::fs::symlink_metadata(part).is_ok_and(|found| found.is_symlink()) {
                    return Err(DestinationError::new(part, DestinationProblem::Link)
                        .with_detail("it is a link that leads nowhere"));
                }
            }
            // A file is above it: the next round names the file.
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
            Err(error) => return Err(DestinationError::from_io(part, &error)),
        }
    }
    Ok(())
}

/// Opens the directory if it is there. It may be a link to a directory; nothing below it may.
pub(super) fn open(path: &Path) -> Result<Option<Handles>> {
    match retry_on_intr(|| rustix::fs::open(path, DIRECTORY, Mode::empty())) {
        Ok(root) => Ok(Some(Handles::new(path.to_owned(), root))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(DestinationError::from_errno(path, errno)),
    }
}

/// Opens the directory, making it and those above it where they are missing.
pub(super) fn make(path: &Path) -> Result<(Handles, Made)> {
    // Of what cannot be looked at nobody knows, and what was there before is never removed.
    let is_missing = |part: &&Path| {
        std::fs::symlink_metadata(part)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    };
    let mut made = Made(path.ancestors().filter(is_missing).map(Path::to_owned).collect());
    make_and_open(path).map(|handles| (handles, std::mem::take(&mut made))).inspect_err(|_| {
        // Those that came into being before the making failed.
        made.0.retain(|made| std::fs::symlink_metadata(made).is_ok());
        made.remove();
    })
}

fn make_and_open(path: &Path) -> Result<Handles> {
    for _ in 0..MAX_TRIES {
        match std::fs::create_dir_all(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            made => made.map_err(|error| DestinationError::from_io(path, &error))?,
        }
        if let Some(handles) = open(path)? {
            return Ok(handles);
        }
    }
    Err(DestinationError::from_errno(path, Errno::NOENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_what_was_made_are_synced_once() {
        let home = tempfile::tempdir().expect("a directory");
        let (_, mut made) = make(&home.path().join("a/b")).expect("made");
        let (_, mut others) = make(&home.path().join("c/d")).expect("made");
        assert_eq!(made.0.len(), 2);
        made.sync().expect("synced");
        std::fs::remove_dir_all(home.path()).expect("removed");
        made.sync().expect("nothing to do");
        others.sync().expect_err("nothing is there");
    }

    #[test]
    fn a_directory_that_cannot_be_made_leaves_none_of_those_above_it() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("a/b").join("c".repeat(300));
        let error = make(&path).expect_err("the name is too long");
        assert_eq!(error.problem(), DestinationProblem::Name);
        assert!(!home.path().join("a").exists());
    }
}
