//! What is there under a name already.

use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, Stat};

/// What is there under a name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Existing {
    /// Whether it is a plain file; links, directories and devices are not.
    pub(crate) is_file: bool,
    /// Whether it is a directory; a link to one is not.
    pub(crate) is_directory: bool,
    /// Size in bytes.
    pub(crate) size: u64,
    /// When it was last written, as whoever wrote it says.
    pub(crate) modified: Option<SystemTime>,
    /// When the file system last saw a change of it, by its own clock.
    pub(crate) changed: Option<SystemTime>,
    /// Whether it came into being after this fetch wrote its first file.
    pub(crate) is_new: bool,
}

impl Existing {
    /// Reads what the file system says; `began` is when this fetch began to write.
    pub(super) fn of(found: &Stat, began: Option<SystemTime>) -> Self {
        let kind = FileType::from_raw_mode(found.st_mode);
        let changed = changed(found);
        Self {
            is_file: kind.is_file(),
            is_directory: kind.is_dir(),
            size: u64::try_from(found.st_size).unwrap_or_default(),
            modified: modified(found),
            changed,
            is_new: began.is_some_and(|began| changed.is_some_and(|changed| changed >= began)),
        }
    }
}

/// When it was last written.
pub(super) fn modified(found: &Stat) -> Option<SystemTime> {
    time(i128::from(found.st_mtime), i128::from(found.st_mtime_nsec))
}

/// When the file system last saw a change.
pub(super) fn changed(found: &Stat) -> Option<SystemTime> {
    time(i128::from(found.st_ctime), i128::from(found.st_ctime_nsec))
}

/// A time after 1970; of an earlier one nothing is known. Wide enough for the types of every Unix.
fn time(seconds: i128, nanoseconds: i128) -> Option<SystemTime> {
    let seconds = u64::try_from(seconds).ok()?;
    let nanoseconds = u32::try_from(nanoseconds).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
}
