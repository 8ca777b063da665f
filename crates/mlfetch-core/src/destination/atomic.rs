//! A destination that appears by one rename, whole, or not at all: until then the tree is made in a
//! directory beside it.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{Dir, Mode, OFlags, RenameFlags, renameat, renameat_with};
use rustix::io::{Errno, retry_on_intr};

use super::directory::Result;
use super::handles::DIRECTORY;
use super::left;
use super::owner;
use super::{BackupSuffix, DestinationError, DestinationProblem};

/// Where the tree is made, and where it is to appear.
#[derive(Debug)]
pub(crate) struct Atomic {
    place: PathBuf,
    /// Its last segment, and the directory that holds it.
    name: OsString,
    above: PathBuf,
    /// The name of the directory in which the tree is made.
    work: OsString,
    /// What keeps the directory that is there.
    backup: Option<OsString>,
    is_continued: bool,
}

impl Atomic {
    /// Sees whether a directory can appear at `place`, and makes nothing. A tree that a fetch which
    /// ended early left beside it is taken over.
    ///
    /// # Errors
    /// [`DestinationProblem::Exists`] if something is there, and no backup of it is wanted, or that
    /// is there too.
    pub(crate) fn begin(place: &Path, backup: Option<&BackupSuffix>) -> Result<Self> {
        let place =
            std::path::absolute(place).map_err(|error| DestinationError::from_io(place, &error))?;
        let (Some(above), Some(name)) = (place.parent(), place.file_name()) else {
            return Err(DestinationError::new(place, DestinationProblem::Exists)
                .with_hint("choose a directory that is not there yet"));
        };
        let (above, name) = (above.to_owned(), name.to_owned());
        let mut atomic = Self {
            work: beside(&name, &owner::new_name()),
            backup: backup.map(|suffix| suffix.behind(&name)),
            place,
            name,
            above,
            is_continued: false,
        };
        atomic.check_free()?;
        if let Some(above) = atomic.open_above()? {
            atomic.is_continued = atomic.claim(&above);
        }
        Ok(atomic)
    }

    /// Where the tree is made.
    pub(crate) fn work(&self) -> PathBuf {
        self.above.join(&self.work)
    }

    /// Where it is to appear.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Whether an earlier fetch made a part of it.
    pub(crate) fn is_continued(&self) -> bool {
        self.is_continued
    }

    /// Lets the tree appear; where nothing `arrived` there may be none.
    ///
    /// # Errors
    /// [`DestinationProblem::Exists`] if something came into being there, or what the file system
    /// says. The tree stays where it was made then.
    pub(crate) fn appear(&self, arrived: bool, fsync: bool) -> Result<()> {
        let failed = |errno| match errno {
            Errno::NOTEMPTY | Errno::NOTDIR | Errno::EXIST => self.exists(&self.place),
            errno => DestinationError::from_errno(&self.place, errno),
        };
        let above = match self.open_above()? {
            Some(above) => above,
            None if arrived => return Err(failed(Errno::NOENT)),
            None => return Ok(()),
        };
        let is_there = std::fs::symlink_metadata(&self.place).is_ok() && !is_empty(&self.place);
        let renamed = match &self.backup {
            // In one step too: there is a directory under the name at every moment.
            Some(backup) if is_there => {
                let exchange = || {
                    let flags = RenameFlags::EXCHANGE;
                    renameat_with(&above, &self.work, &above, &self.name, flags)
                };
                let keep = || renameat(&above, &self.work, &above, backup);
                // What was there must not stay under a name of ours: the next fetch would take it
                // for a tree that is not whole.
                exchange().and_then(|()| {
                    keep().inspect_err(|_| {
                        let _ = exchange();
                    })
                })
            }
            // Replaces nothing but an empty directory.
            _ => renameat(&above, &self.work, &above, &self.name),
        };
        match renamed {
            Err(Errno::NOENT) if !arrived => return Ok(()),
            renamed => renamed.map_err(failed)?,
        }
        if fsync {
            retry_on_intr(|| rustix::fs::fsync(&above)).map_err(failed)?;
        }
        Ok(())
    }

    /// Leaves what was made to the next fetch, whoever makes it.
    pub(crate) fn leave(&self) {
        let Ok(Some(above)) = self.open_above() else { return };
        // An empty one is no loss; one that is not there is none either.
        if std::fs::remove_dir(self.work()).is_err() {
            let _ =
                renameat(&above, &self.work, &above, beside(&self.name, &owner::nobodys_name()));
        }
    }

    fn check_free(&self) -> Result<()> {
        if std::fs::symlink_metadata(&self.place).is_err() || is_empty(&self.place) {
            return Ok(());
        }
        match &self.backup {
            None => Err(self.exists(&self.place)),
            Some(backup) => {
                let backup = self.above.join(backup);
                match std::fs::symlink_metadata(&backup) {
                    Ok(_) => Err(self.exists(&backup)),
                    Err(_) => Ok(()),
                }
            }
        }
    }

    fn exists(&self, path: &Path) -> DestinationError {
        let error = DestinationError::new(path, DestinationProblem::Exists);
        match self.backup {
            None => error
                .with_hint("choose a directory that is not there yet, or keep it with --backup"),
            Some(_) => error.with_hint("choose another suffix, or move it away"),
        }
    }

    /// Takes over what an earlier fetch left beside the place; of several who try, one has it.
    fn claim(&self, above: &OwnedFd) -> bool {
        let now = Some(SystemTime::now());
        let prefix = beside(&self.name, "");
        let mut left = left::entries(above).filter(|entry| {
            let name = entry.file_name().to_bytes();
            let own = name.strip_prefix(prefix.as_bytes()).unwrap_or_default();
            left::is_abandoned(above, name, own, now)
        });
        left.any(|entry| renameat(above, entry.file_name(), above, &self.work).is_ok())
    }

    /// The directory that holds the place, if it is there.
    fn open_above(&self) -> Result<Option<OwnedFd>> {
        match retry_on_intr(|| rustix::fs::open(&self.above, DIRECTORY, Mode::empty())) {
            Ok(above) => Ok(Some(above)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(DestinationError::from_errno(&self.above, errno)),
        }
    }
}

/// `.model` and a name of ours: beside `model`, hidden, and told whose it is.
fn beside(name: &OsStr, ours: &str) -> OsString {
    let mut bytes = vec![b'.'];
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(ours.as_bytes());
    OsString::from_vec(bytes)
}

fn is_empty(path: &Path) -> bool {
    let flags = DIRECTORY | OFlags::NOFOLLOW;
    let Ok(directory) = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())) else {
        return false;
    };
    Dir::new(directory)
        .is_ok_and(|mut rows| rows.all(|row| row.is_ok_and(|row| left::is_dot(&row))))
}

#[cfg(test)]
mod tests {
    use super::super::support::names;
    use super::*;

    fn make(atomic: &Atomic, text: &str) {
        std::fs::create_dir_all(atomic.work()).expect("made");
        std::fs::write(atomic.work().join("f"), text).expect("written");
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path.join("f")).expect("there")
    }

    #[test]
    fn a_tree_appears_where_nothing_or_an_empty_directory_is() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(home.path().join("empty")).expect("made");
        for name in ["new", "empty"] {
            let place = home.path().join(name);
            let atomic = Atomic::begin(&place, None).expect("free");
            make(&atomic, "x");
            atomic.appear(true, true).expect("appears");
            assert_eq!(read(&place), "x");
        }
        assert_eq!(names(home.path()).len(), 2);
    }

    #[test]
    fn what_is_there_stays_or_keeps_another_name() {
        let home = tempfile::tempdir().expect("a directory");
        let place = home.path().join("d");
        let late = Atomic::begin(&place, None).expect("free");
        make(&late, "late");
        std::fs::create_dir(&place).expect("made");
        std::fs::write(place.join("f"), "old").expect("written");
        let problem = |result: Result<()>| result.expect_err("there").problem();
        assert_eq!(problem(late.appear(true, false)), DestinationProblem::Exists);
        assert_eq!(problem(Atomic::begin(&place, None).map(drop)), DestinationProblem::Exists);
        late.leave();
        let suffix = BackupSuffix::new(".bak").expect("a suffix");
        let atomic = Atomic::begin(&place, Some(&suffix)).expect("it is kept");
        make(&atomic, "new");
        atomic.appear(true, false).expect("appears");
        assert_eq!((read(&place), read(&home.path().join("d.bak"))), ("new".into(), "old".into()));
        let again = Atomic::begin(&place, Some(&suffix)).map(drop);
        assert_eq!(problem(again), DestinationProblem::Exists, "the backup is there");
        assert_eq!(
            problem(Atomic::begin(Path::new("/"), None).map(drop)),
            DestinationProblem::Exists
        );
    }

    #[test]
    fn what_is_there_has_its_name_again_if_the_backup_cannot_be_made() {
        let home = tempfile::tempdir().expect("a directory");
        let place = home.path().join("d");
        std::fs::create_dir(&place).expect("made");
        std::fs::write(place.join("f"), "old").expect("written");
        let suffix = BackupSuffix::new(".bak").expect("a suffix");
        let atomic = Atomic::begin(&place, Some(&suffix)).expect("it is kept");
        make(&atomic, "new");
        std::fs::create_dir_all(home.path().join("d.bak/x")).expect("somebody was faster");
        atomic.appear(true, false).expect_err("there");
        assert_eq!((read(&place), read(&atomic.work())), ("old".into(), "new".into()));
    }

    #[test]
    fn a_tree_that_somebody_removed_does_not_appear_and_that_is_said() {
        let home = tempfile::tempdir().expect("a directory");
        let atomic = Atomic::begin(&home.path().join("d"), None).expect("free");
        make(&atomic, "x");
        std::fs::remove_dir_all(atomic.work()).expect("removed");
        atomic.appear(true, false).expect_err("it is gone");
        atomic.appear(false, false).expect("nothing was to appear");
        let atomic = Atomic::begin(&home.path().join("above/d"), None).expect("free");
        atomic.appear(true, false).expect_err("what is above it is gone too");
    }

    #[test]
    fn what_was_left_is_taken_over_by_one() {
        let home = tempfile::tempdir().expect("a directory");
        let place = home.path().join("d");
        let first = Atomic::begin(&place, None).expect("free");
        first.leave();
        assert!(names(home.path()).is_empty(), "nothing was made");
        make(&first, "half");
        let meanwhile = Atomic::begin(&place, None).expect("free");
        assert!(!meanwhile.is_continued(), "the first is not over");
        first.leave();
        assert!(!Atomic::begin(&home.path().join("other"), None).expect("free").is_continued());
        let second = Atomic::begin(&place, None).expect("free");
        assert!(second.is_continued() && read(&second.work()) == "half");
        assert!(!Atomic::begin(&place, None).expect("free").is_continued());
        second.appear(true, false).expect("appears");
        assert_eq!(names(home.path()), ["d"]);
    }
}
