//! The room on the disk that is not spoken for.

use std::sync::{Mutex, PoisonError};

use crate::RelativePath;
use crate::destination::{Destination, DestinationError, DestinationProblem, Free};

/// Refuses a file for which there is no room before its first byte is asked for. Counts the room
/// down as files are begun, so that it need not look for each. What it counts is a guess (files are
/// replaced, others write too, some file systems compress): before it says no it looks again, and
/// the file system has the last word.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<u64>);

impl Room {
    /// Takes room for a file that is to be fetched now. What earlier fetches left gives way to it,
    /// unless it may be a part of this very file.
    ///
    /// # Errors
    /// [`DestinationProblem::Full`] if the file system says that it has less.
    pub(super) fn take(
        &self,
        size: u64,
        is_resumable: bool,
        path: &RelativePath,
        destination: &Destination,
    ) -> Result<(), DestinationError> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rest) = left.checked_sub(size) {
            *left = rest;
            return Ok(());
        }
        let Some(mut free) = destination.free() else { return Ok(()) };
        if free.bytes < size && is_resumable {
            free.bytes = free.bytes.saturating_add(destination.left_bytes());
        } else if free.bytes < size {
            destination.give_way();
            free = destination.free().unwrap_or(free);
        }
        let full = |detail: String| {
            DestinationError::new(destination.at(path), DestinationProblem::Full)
                .with_detail(detail)
        };
        let Free { bytes, has_names } = free;
        let Some(rest) = bytes.checked_sub(size) else {
            return Err(full(format!("{size} bytes are needed and {bytes} are free")));
        };
        if !has_names {
            return Err(full("the file system has no inode left for another file".to_owned()));
        }
        *left = rest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_file_system_does_not_have_is_refused() {
        let home = tempfile::tempdir().expect("a directory");
        let destination = Destination::open(home.path()).expect("opens");
        destination.make().expect("made");
        let path = RelativePath::new("x").expect("a path");
        let free = destination.free().expect("it says").bytes;
        let room = Room::default();
        room.take(free / 2, false, &path, &destination).expect("there is room");
        // Counted down to less than this, and still there: nothing was written.
        room.take(free / 4 * 3, true, &path, &destination).expect("it looks again");
        let error = room.take(u64::MAX, false, &path, &destination).expect_err("nobody has that");
        assert_eq!(error.problem(), DestinationProblem::Full);
        assert_eq!(error.path(), home.path().join("x"));
    }
}
