//! Files that get their final name.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::SystemTime;

use rustix::fs::{AtFlags, FileType};
use rustix::io::{Errno, retry_on_intr};

use super::DestinationError;
use super::directory::{Destination, MAX_TRIES, Result};
use super::handles::Handles;
use super::rename::{self, Name};
use super::staging::StagedFile;
use super::suffix::BackupSuffix;
use crate::RelativePath;

/// How a file gets its final name.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    /// What may happen to a file that is there under this name.
    pub(crate) replace: Replace,
    /// Whether the bytes, and then the name, are written through to the disk.
    pub(crate) fsync: bool,
    /// When the store's object was last written.
    pub(crate) modified: Option<SystemTime>,
}

/// What may happen to a file that is there.
#[derive(Debug, Clone)]
pub(crate) enum Replace {
    /// Nothing.
    Nothing,
    /// It goes.
    Freely,
    /// It keeps a name: its own with this behind it.
    WithBackup(Arc<BackupSuffix>),
}

impl Destination {
    /// A file under a staging name, for what will become `path`: a new empty one or, with a stem, one
    /// that a later fetch can continue, or that an earlier one left. A stem names exactly one object,
    /// of one version, on its way to one path.
    ///
    /// # Errors
    /// If the file system refuses.
    pub(crate) fn stage(&self, path: &RelativePath, stem: Option<&str>) -> Result<StagedFile> {
        let _writing = self.begin_writing()?;
        let staging = self.staging()?;
        let create = || match stem {
            Some(stem) => staging.create_or_continue(stem),
            None => staging.create(),
        };
        self.handles()?.sparing_handles(create).map_err(|errno| self.error(path, errno))
    }

    /// Gives a staged file its final name, in one step.
    ///
    /// # Errors
    /// [`DestinationProblem::Exists`] if one is there that may not go,
    /// [`DestinationProblem::IsADirectory`] if a directory is there, or what the file system says.
    pub(crate) fn commit(
        &self,
        mut staged: StagedFile,
        path: &RelativePath,
        how: &Commit,
    ) -> Result<()> {
        if let Some(modified) = how.modified {
            // A file system without times keeps the file all the same.
            let _ = staged.set_modified(modified);
        }
        if how.fsync {
            staged.file().sync_all().map_err(|error| self.io_error(path, &error))?;
        } else {
            staged.settle().map_err(|error| self.io_error(path, &error))?;
        }
        let _writing = self.begin_writing()?;
        let handles = self.handles()?;
        let parent = self.rename(&handles, &staged, path, &how.replace)?;
        staged.is_committed();
        let made = handles.holds(path);
        if how.fsync {
            retry_on_intr(|| rustix::fs::fsync(&parent))
                .map_err(|errno| self.error(path, errno))?;
            made.iter().try_for_each(|made| handles.sync_name(made))?;
            self.sync_above()?;
        }
        Ok(())
    }

    /// Writes a small file and commits it.
    ///
    /// # Errors
    /// As [`stage`](Self::stage) and [`commit`](Self::commit), and what writing says.
    pub(crate) fn put(&self, path: &RelativePath, bytes: &[u8], how: &Commit) -> Result<()> {
        let mut staged = self.stage(path, None)?;
        std::io::Write::write_all(staged.file(), bytes)
            .map_err(|error| self.io_error(path, &error))?;
        self.commit(staged, path, how)
    }

    /// Renames, and gives the handle of the directory that has the name now.
    fn rename(
        &self,
        handles: &Handles,
        staged: &StagedFile,
        path: &RelativePath,
        replace: &Replace,
    ) -> Result<Arc<OwnedFd>> {
        let (directory, name) = path.split();
        let staged_name = staged.name();
        let from = Name { directory: staged.directory(), name: OsStr::new(&staged_name) };
        for _ in 0..MAX_TRIES {
            let parent = handles.make_or_root(directory.as_ref())?;
            let to = Name { directory: &parent, name };
            let renamed = match replace {
                Replace::Nothing => rename::keep(from, to),
                Replace::Freely => rename::replace(from, to),
                Replace::WithBackup(suffix) => {
                    self.back_up(path, staged, to, suffix)?;
                    rename::replace(from, to)
                }
            };
            match renamed {
                Ok(()) => return Ok(parent),
                // The directory was removed, still empty, by another fetch that failed.
                Err(Errno::NOENT) if directory.is_some() => handles.forget(),
                Err(errno) => return Err(self.commit_error(path, &parent, name, errno)),
            }
        }
        Err(self.error(path, Errno::NOENT))
    }

    /// Gives a file that is there a second name, so that it has one when it loses the first.
    fn back_up(
        &self,
        path: &RelativePath,
        staged: &StagedFile,
        from: Name<'_>,
        suffix: &BackupSuffix,
    ) -> Result<()> {
        let backup = suffix.behind(from.name);
        let between = format!("{}.backup", staged.name());
        let between = Name { directory: staged.directory(), name: OsStr::new(&between) };
        let to = Name { directory: from.directory, name: &backup };
        rename::second_name(from, between, to).map_err(|errno| {
            let at = self.at(path).with_file_name(&backup);
            DestinationError::from_errno(at, errno).with_detail("a backup was to be there")
        })
    }

    /// Linux answers EISDIR or EEXIST depending on the flags: look at what is there.
    fn commit_error(
        &self,
        path: &RelativePath,
        parent: &OwnedFd,
        name: &OsStr,
        errno: Errno,
    ) -> DestinationError {
        let is_directory = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_dir());
        self.error(path, if is_directory { Errno::ISDIR } else { errno })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::DestinationProblem;
    use super::super::support::{REPLACE, names, path, write};
    use super::*;

    const KEEP: Commit = Commit { replace: Replace::Nothing, ..REPLACE };

    #[test]
    fn a_file_appears_under_its_final_name_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().join("new/deep");
        let destination = Destination::open(&at).expect("opens");
        write(&destination, "a/b/c", b"x").expect("written");
        destination.finish().expect("finished");
        assert_eq!(std::fs::read(at.join("a/b/c")).expect("there"), b"x");
        assert_eq!(names(&at), ["a"]);
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let directory = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        symlink(outside.path(), directory.path().join("link")).expect("linked");
        let destination = Destination::open(directory.path()).expect("opens");
        let error = write(&destination, "link/x", b"x").expect_err("refused");
        assert_eq!(error.problem(), DestinationProblem::Link);
        assert!(names(outside.path()).is_empty());
    }

    #[test]
    fn a_link_under_the_final_name_is_replaced_and_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let outside = directory.path().join("outside");
        std::fs::write(&outside, "old").expect("written");
        let at = directory.path().join("d");
        std::fs::create_dir(&at).expect("made");
        symlink(&outside, at.join("x")).expect("linked");
        let destination = Destination::open(&at).expect("opens");
        write(&destination, "x", b"new").expect("written");
        assert_eq!(std::fs::read(&outside).expect("there"), b"old");
        assert_eq!(std::fs::read(at.join("x")).expect("there"), b"new");
    }

    #[test]
    fn a_file_that_may_not_go_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("f"), "old").expect("written");
        let destination = Destination::open(directory.path()).expect("opens");
        let error = destination.put(&path("f"), b"new", &KEEP).expect_err("stays");
        assert_eq!(error.problem(), DestinationProblem::Exists);
        assert_eq!(std::fs::read(directory.path().join("f")).expect("there"), b"old");
    }

    #[test]
    fn a_file_that_is_replaced_keeps_the_name_of_its_backup() {
        let home = tempfile::tempdir().expect("a directory");
        let at = |name: &str| home.path().join(name);
        std::fs::write(at("f"), "first").expect("written");
        std::fs::write(at("old"), "elsewhere").expect("written");
        symlink(at("old"), at("l")).expect("linked");
        let destination = Destination::open(home.path()).expect("opens");
        let suffix = Arc::new(BackupSuffix::new(".bak").expect("a suffix"));
        let how = Commit { replace: Replace::WithBackup(suffix), ..REPLACE };
        for (name, text) in [("f", "second"), ("f", "third"), ("l", "no link"), ("n", "new")] {
            destination.put(&path(name), text.as_bytes(), &how).expect("written");
        }
        let long = "x".repeat(255);
        destination.put(&path(&long), b"x", &how).expect("nothing is there to be kept");
        let error = destination.put(&path(&long), b"y", &how).expect_err("no room for the suffix");
        assert_eq!(error.problem(), DestinationProblem::Name);
        destination.finish().expect("finished");
        let read = |name: &str| std::fs::read_to_string(at(name)).expect(name);
        let found = ["f", "f.bak", "l", "old", "n", &long].map(read);
        assert_eq!(found, ["third", "second", "no link", "elsewhere", "new", "x"]);
        assert_eq!(std::fs::read_link(at("l.bak")).expect("the link itself"), at("old"));
        assert_eq!(names(home.path()).len(), 7);
    }

    #[test]
    fn a_file_of_this_fetch_is_told_from_one_of_before() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("old"), "x").expect("written");
        // The file system's clock may tick only every few milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(20));
        let destination = Destination::open(directory.path()).expect("opens");
        let long_ago = Some(SystemTime::UNIX_EPOCH);
        let how = Commit { modified: long_ago, ..REPLACE };
        destination.put(&path("new"), b"x", &how).expect("written");
        let existing = |name| destination.existing(&path(name)).expect("looked").expect("there");
        assert!(existing("new").is_new && !existing("old").is_new);
        assert_eq!(existing("new").modified, long_ago);
    }
}
