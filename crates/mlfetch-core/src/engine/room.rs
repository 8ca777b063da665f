//! The room on the disk that is not spoken for.

use std::sync::{Mutex, PoisonError};

use crate::RelativePath;
use crate::destination::{Destination, DestinationError, DestinationProblem};

/// Counts the room down as files are begun, so that a tree that does not fit is refused before the
/// disk is full. What it counts is a guess (others write too, some file systems compress): before it
/// says no it looks again, and the file system has the last word.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<u64>);

impl Room {
    /// Takes room for a file that is to be fetched now.
    ///
    /// # Errors
    /// [`DestinationProblem::Full`] if the file system says that it has less.
    pub(super) fn take(
        &self,
        size: u64,
        path: &RelativePath,
        destination: &Destination,
    ) -> Result<(), DestinationError> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rest) = left.checked_sub(size) {
            *left = rest;
            return Ok(());
        }
        let Some(free) = destination.free_bytes() else { return Ok(()) };
        let Some(rest) = free.checked_sub(size) else {
            return Err(DestinationError::new(destination.at(path), DestinationProblem::Full)
                .with_detail(format!("{size} bytes are needed and {free} are free")));
        };
        *left = rest;
        Ok(())
    }

    /// Gives room back: of a file that did not come, or of one that was replaced.
    pub(super) fn give_back(&self, size: u64) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_add(size);
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
        let free = destination.free_bytes().expect("it says");
        let room = Room::default();
        room.take(free / 2, &path, &destination).expect("there is room");
        // Counted down to less than this, and still there: nothing was written.
        room.take(free / 4 * 3, &path, &destination).expect("it looks again");
        let error = room.take(u64::MAX, &path, &destination).expect_err("nobody has that");
        assert_eq!(error.problem(), DestinationProblem::Full);
        assert_eq!(error.path(), home.path().join("x"));
    }
}
