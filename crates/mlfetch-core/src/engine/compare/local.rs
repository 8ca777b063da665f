//! What lies below a directory of this disk, in the order of the paths' bytes. Nothing is written,
//! and no link is followed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use mlfetch_store::{Error, ErrorKind, Key, Result, escape};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::RelativePath;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A directory that is looked at.
#[derive(Debug)]
pub(in crate::engine) struct Local {
    path: PathBuf,
    root: OwnedFd,
}

/// Something in it that is no directory.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) enum Found {
    /// A plain file.
    File(RelativePath),
    /// A link, a pipe, a device.
    Other(RelativePath),
    /// A name that no file of a tree can have.
    Odd(Key),
}

/// A directory whose rows are gone through.
struct Level {
    below: Vec<u8>,
    /// The last comes first.
    rows: Vec<(OsString, FileType)>,
}

impl Local {
    /// Opens the directory, which may be a link to one.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`; `InvalidInput` if it is no directory.
    pub(in crate::engine) fn open(path: &Path) -> Result<Self> {
        match rustix::fs::open(path, DIRECTORY, Mode::empty()) {
            Ok(root) => Ok(Self { path: path.to_owned(), root }),
            Err(errno) => Err(error(path, errno)),
        }
    }

    /// Gives all that is below the directory of this path in it to `each`, until that wants no more.
    ///
    /// # Errors
    /// What the file system says of a directory.
    pub(in crate::engine) fn walk(
        &self,
        below: &[u8],
        mut each: impl FnMut(Found) -> bool,
    ) -> Result<()> {
        let mut levels = vec![self.level(below.to_vec())?];
        while let Some(level) = levels.last_mut() {
            let Some((name, kind)) = level.rows.pop() else {
                levels.pop();
                continue;
            };
            let path = crate::layout::join(&level.below, name.as_bytes());
            let found = match RelativePath::new(path.as_slice()) {
                Err(_) => Found::Odd(Key::new(path)),
                Ok(_) if kind.is_dir() => {
                    match self.level(path) {
                        // It was a directory a moment ago, and is a link or gone: nothing lies in it.
                        Err(error) if is_no_directory(&error) => {}
                        level => levels.push(level?),
                    }
                    continue;
                }
                Ok(path) if kind.is_file() => Found::File(path),
                Ok(path) => Found::Other(path),
            };
            if !each(found) {
                break;
            }
        }
        Ok(())
    }

    /// Opens a plain file. What became something else meanwhile is none.
    pub(super) fn file(&self, path: &RelativePath) -> Result<Option<(File, u64)>> {
        let (above, name) = path.split();
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let above = above.as_ref().map_or(&[][..], RelativePath::as_bytes);
        let opened = self
            .directory(above)
            .and_then(|parent| rustix::fs::openat(&parent, name, flags, Mode::empty()));
        let file = match opened {
            Ok(file) => file,
            Err(Errno::LOOP | Errno::NOTDIR | Errno::NOENT | Errno::NXIO) => return Ok(None),
            Err(errno) => return Err(error(&self.path.join(path.as_path()), errno)),
        };
        let found = rustix::fs::fstat(&file)
            .map_err(|errno| error(&self.path.join(path.as_path()), errno))?;
        let size = u64::try_from(found.st_size).unwrap_or_default();
        let is_file = FileType::from_raw_mode(found.st_mode).is_file();
        Ok(is_file.then(|| (File::from(file), size)))
    }

    /// An error of reading a file.
    pub(super) fn unreadable(&self, path: &RelativePath, cause: std::io::Error) -> Error {
        let path = self.path.join(path.as_path());
        Error::new(ErrorKind::Io, "read", escape(path.as_os_str().as_bytes())).with_source(cause)
    }

    fn level(&self, below: Vec<u8>) -> Result<Level> {
        let failed = |errno| error(&self.path.join(OsStr::from_bytes(&below)), errno);
        let directory = self.directory(&below).map_err(failed)?;
        let mut rows = Vec::new();
        for entry in Dir::read_from(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not say it here.
                FileType::Unknown => kind(&directory, name).map_err(failed)?,
                kind => kind,
            };
            rows.push((OsString::from_vec(name.to_vec()), kind));
        }
        // A directory's files have a `/` behind its name.
        rows.sort_by_cached_key(|(name, kind)| {
            let slash: &[u8] = if kind.is_dir() { b"/" } else { b"" };
            std::cmp::Reverse([name.as_bytes(), slash].concat())
        });
        Ok(Level { below, rows })
    }

    /// A directory below it, segment by segment, without a link on the way.
    fn directory(&self, below: &[u8]) -> rustix::io::Result<OwnedFd> {
        let mut directory = rustix::fs::openat(&self.root, ".", DIRECTORY, Mode::empty())?;
        for segment in below.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()) {
            let flags = DIRECTORY | OFlags::NOFOLLOW;
            directory = rustix::fs::openat(&directory, segment, flags, Mode::empty())?;
        }
        Ok(directory)
    }
}

fn kind(directory: &OwnedFd, name: &[u8]) -> rustix::io::Result<FileType> {
    let found = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(found.st_mode))
}

fn is_no_directory(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput)
}

fn error(path: &Path, errno: Errno) -> Error {
    let kind = match errno {
        Errno::NOENT => ErrorKind::NotFound,
        Errno::NOTDIR | Errno::LOOP => ErrorKind::InvalidInput,
        Errno::ACCESS | Errno::PERM => ErrorKind::PermissionDenied,
        _ => ErrorKind::Io,
    };
    let error = Error::new(kind, "read", escape(path.as_os_str().as_bytes()));
    match kind {
        ErrorKind::InvalidInput => error
            .with_message("it is no directory")
            .with_hint("name the directory that was fetched to"),
        ErrorKind::Io => error.with_source(std::io::Error::from(errno)),
        _ => error.with_hint("check the path, and that this user may read what is there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(root: &Path) -> Vec<Found> {
        let mut found = Vec::new();
        let local = Local::open(root).expect("opens");
        local
            .walk(b"", |row| {
                found.push(row);
                true
            })
            .expect("walked");
        found
    }

    #[test]
    fn files_come_in_the_order_of_their_paths_and_links_are_not_followed() {
        let home = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        std::fs::write(outside.path().join("secret"), "x").expect("written");
        for name in ["a-b", "a/b", "a/c/d", "a0", "z"] {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, "x").expect("written");
        }
        std::os::unix::fs::symlink(outside.path(), home.path().join("link")).expect("linked");
        let ours = ".mlfetch-0123abcd-12-345-0123456789abcdef";
        std::fs::create_dir(home.path().join(ours)).expect("made");
        let path = |name: &str| RelativePath::new(name).expect("a path");
        let mut expected: Vec<Found> = vec![Found::Odd(ours.into())];
        expected.extend(["a-b", "a/b", "a/c/d", "a0"].map(|name| Found::File(path(name))));
        expected.push(Found::Other(path("link")));
        expected.push(Found::File(path("z")));
        assert_eq!(walked(home.path()), expected);
        let local = Local::open(home.path()).expect("opens");
        for name in ["link", "link/secret", "a", "none"] {
            assert!(local.file(&path(name)).expect("looked").is_none(), "{name}");
        }
        assert_eq!(local.file(&path("a/c/d")).expect("looked").expect("a file").1, 1);
    }

    #[test]
    fn a_directory_that_becomes_a_link_on_the_way_has_nothing_in_it() {
        let home = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        std::fs::write(outside.path().join("secret"), "x").expect("written");
        for name in ["a", "b", "c"] {
            std::fs::create_dir(home.path().join(name)).expect("made");
        }
        std::fs::write(home.path().join("a/x"), "x").expect("written");
        let mut found = 0;
        let swap = |_| {
            found += 1;
            std::fs::remove_dir(home.path().join("b")).expect("removed");
            std::os::unix::fs::symlink(outside.path(), home.path().join("b")).expect("linked");
            std::fs::remove_dir(home.path().join("c")).expect("removed");
            true
        };
        Local::open(home.path()).and_then(|local| local.walk(b"", swap)).expect("walked");
        assert_eq!(found, 1, "nothing but `a/x`");
    }

    #[test]
    fn what_is_no_directory_is_said() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::write(home.path().join("f"), "x").expect("written");
        let kind = |name| Local::open(&home.path().join(name)).expect_err("refused").kind();
        assert_eq!(kind("none"), ErrorKind::NotFound);
        assert_eq!(kind("f"), ErrorKind::InvalidInput);
    }
}
