//! What the file system says of one place.

use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mlfetch_store::{Key, ObjectInfo};
use rustix::fs::{AtFlags, FileType, Stat, fstat, statat};
use rustix::io::Errno;

const NANOSECONDS: i128 = 1_000_000_000;

/// What is known of a file, wide enough for the types of every Unix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: FileType,
    pub(crate) size: u64,
    device: i128,
    inode: i128,
    /// Nanoseconds since 1970, of the bytes and of the entry in the file system.
    modified: i128,
    changed: i128,
}

impl Facts {
    /// Of an open file.
    pub(crate) fn of(file: impl AsFd) -> Result<Self, Errno> {
        Ok(Self::from_stat(&fstat(file)?))
    }

    /// Of a name in a directory; of the link itself if it is one.
    pub(crate) fn at(directory: impl AsFd, name: &[u8]) -> Result<Self, Errno> {
        Ok(Self::from_stat(&statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Of a name in a directory; of what it leads to if it is a link.
    pub(crate) fn behind(directory: impl AsFd, name: &[u8]) -> Result<Self, Errno> {
        Ok(Self::from_stat(&statat(directory, name, AtFlags::empty())?))
    }

    fn from_stat(stat: &Stat) -> Self {
        let time = |seconds: i128, nanoseconds: i128| seconds * NANOSECONDS + nanoseconds;
        Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            device: stat.st_dev.into(),
            inode: stat.st_ino.into(),
            modified: time(stat.st_mtime.into(), stat.st_mtime_nsec.into()),
            changed: time(stat.st_ctime.into(), stat.st_ctime_nsec.into()),
        }
    }

    /// Whether both are the same directory or file.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Whether the bytes are those of before, as far as size and time tell. The time of the entry
    /// is left out: a new link to a file, or its removal, does not change its bytes.
    pub(crate) fn has_same_bytes(&self, before: &Self) -> bool {
        (self.size, self.modified) == (before.size, before.modified)
    }

    /// The entity tag: another one for another file in this place, and for other bytes in it.
    pub(crate) fn tag(&self) -> String {
        let Self { device, inode, size, modified, changed, .. } = self;
        format!("\"{device:x}-{inode:x}-{size:x}-{modified:x}-{changed:x}\"")
    }

    /// The seam's facts of an object of this key.
    pub(crate) fn info(&self, key: Key) -> ObjectInfo {
        ObjectInfo::new(key)
            .with_size(self.size)
            .with_etag(self.tag())
            .with_modified(self.modified_time())
    }

    fn modified_time(&self) -> Option<SystemTime> {
        let distance = self.modified.unsigned_abs();
        let seconds = u64::try_from(distance / NANOSECONDS.unsigned_abs()).ok()?;
        let rest = u32::try_from(distance % NANOSECONDS.unsigned_abs()).ok()?;
        let distance = Duration::new(seconds, rest);
        if self.modified < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            kind: FileType::RegularFile,
            size: 3,
            device: 1,
            inode: 2,
            modified: 1_500_000_000,
            changed: 5,
        }
    }

    #[test]
    fn another_file_and_other_bytes_have_another_tag() {
        let tag = facts().tag();
        assert_ne!(Facts { inode: 9, ..facts() }.tag(), tag);
        assert_ne!(Facts { size: 9, ..facts() }.tag(), tag);
        assert_ne!(Facts { modified: 9, ..facts() }.tag(), tag);
        assert_ne!(Facts { changed: 9, ..facts() }.tag(), tag);
    }

    #[test]
    fn times_before_1970_are_times_too() {
        let after = Duration::from_millis(1500);
        assert_eq!(facts().modified_time(), UNIX_EPOCH.checked_add(after));
        let before = Facts { modified: -1_500_000_000, ..facts() };
        assert_eq!(before.modified_time(), UNIX_EPOCH.checked_sub(after));
    }
}
