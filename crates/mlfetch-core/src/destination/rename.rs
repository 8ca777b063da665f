//! The one step that gives a file its final name.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;

use rustix::fs::{
    AtFlags, FileType, RenameFlags, linkat, renameat, renameat_with, statat, unlinkat,
};
use rustix::io::{Errno, Result};

/// A name in a directory.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) directory: &'a OwnedFd,
    pub(super) name: &'a OsStr,
}

/// Renames, replacing what is there unless it is a directory.
pub(super) fn replace(from: Name<'_>, to: Name<'_>) -> Result<()> {
    renameat(from.directory, from.name, to.directory, to.name)
}

/// Renames if nothing is there.
pub(super) fn keep(from: Name<'_>, to: Name<'_>) -> Result<()> {
    let flags = RenameFlags::NOREPLACE;
    match renameat_with(from.directory, from.name, to.directory, to.name, flags) {
        // NFS and some others do not know the flag: a second name cannot replace one either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link(from, to),
        done => done,
    }
}

fn link(from: Name<'_>, to: Name<'_>) -> Result<()> {
    match linkat(from.directory, from.name, to.directory, to.name, AtFlags::empty()) {
        Ok(()) => unlinkat(from.directory, from.name, AtFlags::empty()),
        Err(Errno::EXIST) => Err(Errno::EXIST),
        // FAT has neither the flag nor links: what is left is to look first.
        Err(Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP | Errno::MLINK) => look(from, to),
        Err(errno) => Err(errno),
    }
}

fn look(from: Name<'_>, to: Name<'_>) -> Result<()> {
    match statat(to.directory, to.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Err(Errno::EXIST),
        Err(Errno::NOENT) => replace(from, to),
        Err(errno) => Err(errno),
    }
}

/// Gives what is there a second name, in place of what has that. Nothing being there is fine.
pub(super) fn second_name(from: Name<'_>, between: Name<'_>, to: Name<'_>) -> Result<()> {
    match linkat(from.directory, from.name, between.directory, between.name, AtFlags::empty()) {
        // By way of a name between, a backup of before has its name until the new one takes it.
        Ok(()) => replace(between, to).inspect_err(|_| {
            let _ = unlinkat(between.directory, between.name, AtFlags::empty());
        }),
        Err(Errno::NOENT) => Ok(()),
        // No second names on this file system: then there is no file under the name for a moment.
        Err(Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP | Errno::MLINK) => {
            let found = statat(from.directory, from.name, AtFlags::SYMLINK_NOFOLLOW)?;
            let is_directory = FileType::from_raw_mode(found.st_mode).is_dir();
            if is_directory { Err(Errno::ISDIR) } else { replace(from, to) }
        }
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{Mode, OFlags};

    use super::*;

    type Step = fn(Name<'_>, Name<'_>) -> Result<()>;

    #[test]
    fn no_way_of_keeping_replaces_a_file() {
        for step in [keep as Step, link, look] {
            let home = tempfile::tempdir().expect("a directory");
            let handle =
                rustix::fs::open(home.path(), OFlags::RDONLY, Mode::empty()).expect("open");
            let name = |name| Name { directory: &handle, name: OsStr::new(name) };
            std::fs::write(home.path().join("new"), "new").expect("written");
            std::fs::write(home.path().join("old"), "old").expect("written");
            assert_eq!(step(name("new"), name("old")), Err(Errno::EXIST));
            assert_eq!(std::fs::read(home.path().join("old")).expect("there"), b"old");
            step(name("new"), name("free")).expect("nothing is in the way");
            assert_eq!(std::fs::read(home.path().join("free")).expect("there"), b"new");
            assert!(!home.path().join("new").exists());
        }
    }
}
