//! A file that is written whole or not at all, wherever it lies.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::destination::{DestinationError, DestinationProblem, new_staging_name};

/// Sees, before any work is done for it, whether a file can be written there.
///
/// # Errors
/// What is in the way: no directory, a directory of that name, no permission.
pub fn check_place(path: &Path) -> Result<(), DestinationError> {
    let failed = |errno| DestinationError::from_errno(path, errno);
    let (directory, name) = opened(path)?;
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::accessat(&directory, ".", access, AtFlags::EACCESS).map_err(failed)?;
    match rustix::fs::statat(&directory, &name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) if FileType::from_raw_mode(found.st_mode).is_dir() => Err(failed(Errno::ISDIR)),
        Ok(_) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(failed(errno)),
    }
}

/// Writes under another name in the same directory, through to the disk, and renames.
pub(super) fn save(path: &Path, bytes: &[u8]) -> Result<(), DestinationError> {
    let (directory, name) = opened(path)?;
    let unfinished = Unfinished { directory: &directory, name: new_staging_name() };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let failed = |errno| DestinationError::from_errno(path, errno);
    let file = rustix::fs::openat(&directory, &unfinished.name, flags, Mode::from_raw_mode(0o666));
    let mut file = file.map(File::from).map_err(failed)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|error| DestinationError::from_io(path, &error))?;
    rustix::fs::renameat(&directory, &unfinished.name, &directory, &name).map_err(failed)?;
    // Some file systems cannot do this for a directory; the file itself is there.
    let _ = rustix::fs::fsync(&directory);
    Ok(())
}

/// What is not renamed goes.
struct Unfinished<'a> {
    directory: &'a OwnedFd,
    name: String,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        // Nothing is there once it has its name.
        let _ = rustix::fs::unlinkat(self.directory, &self.name, AtFlags::empty());
    }
}

/// The directory, opened, and the name in it.
fn opened(path: &Path) -> Result<(OwnedFd, OsString), DestinationError> {
    let name = path.file_name().map(OsStr::to_owned).ok_or_else(|| {
        DestinationError::new(path, DestinationProblem::IsADirectory)
            .with_detail("it names a directory, and a file is to be written")
    })?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.map_or_else(|| PathBuf::from("."), Path::to_owned);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(&parent, flags, Mode::empty()) {
        Ok(directory) => Ok((directory, name)),
        Err(Errno::NOENT) => Err(DestinationError::new(path, DestinationProblem::Failed)
            .with_detail("its directory is not there")
            .with_hint("make the directory, or name another")),
        Err(errno) => Err(DestinationError::from_errno(parent, errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> usize {
        std::fs::read_dir(path).expect("listed").count()
    }

    #[test]
    fn a_file_is_replaced_in_one_step_and_nothing_else_is_left() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("m");
        check_place(&path).expect("it can be written");
        for text in ["one", "two"] {
            save(&path, text.as_bytes()).expect("written");
            assert_eq!(std::fs::read(&path).expect("there"), text.as_bytes());
        }
        assert_eq!(names(home.path()), 1);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let home = tempfile::tempdir().expect("a directory");
        let (path, other) = (home.path().join("m"), home.path().join("other"));
        std::fs::write(&other, "old").expect("written");
        std::os::unix::fs::symlink(&other, &path).expect("a link");
        save(&path, b"new").expect("written");
        assert_eq!(std::fs::read(&other).expect("there"), b"old");
        assert_eq!(std::fs::read(&path).expect("there"), b"new");
    }

    #[test]
    fn a_place_that_takes_no_file_is_named_before_the_work() {
        let home = tempfile::tempdir().expect("a directory");
        let problem = |path: &Path| check_place(path).expect_err("refused").problem();
        assert_eq!(problem(home.path()), DestinationProblem::IsADirectory);
        assert_eq!(problem(Path::new("/")), DestinationProblem::IsADirectory);
        assert_eq!(problem(&home.path().join("no/m")), DestinationProblem::Failed);
        std::fs::write(home.path().join("f"), "x").expect("written");
        assert_eq!(problem(&home.path().join("f/m")), DestinationProblem::NotADirectory);
        let failed = save(&home.path().join("no/m"), b"x");
        assert!(failed.is_err() && names(home.path()) == 1);
    }
}
