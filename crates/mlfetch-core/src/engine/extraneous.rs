//! What lies where the tree lies and does not belong to it, removed where somebody wishes it.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind};

use super::Event;
use super::compare::{Found, Local};
use super::tree::{Fetch, Result};
use crate::Filter;
use crate::RelativePath;
use crate::destination::{Destination, DestinationError};

/// The paths that belong to the tree. Each is a hash of its bytes, so that a tree of a million files
/// takes 16 MB: what has the hash of another by accident stays, and that is all.
#[derive(Debug, Default)]
pub(super) struct Seen {
    hashes: HashSet<u64>,
    key: RandomState,
    /// The directories that were asked for.
    places: Vec<Vec<u8>>,
}

impl Seen {
    pub(super) fn note(&mut self, path: &RelativePath) {
        self.hashes.insert(self.key.hash_one(path.as_bytes()));
    }

    pub(super) fn note_place(&mut self, place: &[u8]) {
        self.places.push(place.to_vec());
    }

    fn has(&self, path: &RelativePath) -> bool {
        self.hashes.contains(&self.key.hash_one(path.as_bytes()))
    }
}

/// What may go.
struct Sweep {
    seen: Seen,
    filter: Filter,
    ignored: Vec<RelativePath>,
    dry_run: bool,
}

impl Fetch {
    /// Notes what belongs to the tree, where all else is to go.
    pub(super) fn belongs(&mut self, path: &RelativePath) {
        if let Some(seen) = &mut self.seen {
            seen.note(path);
        }
    }

    /// Removes what does not belong to a tree that is whole and what it should be.
    pub(super) async fn sweep(&mut self) -> Result<()> {
        let Some(mut seen) = self.seen.take() else { return Ok(()) };
        // A store that shows nothing at all is more often a mistake than a wish.
        if self.report.is_empty() {
            return Ok(());
        }
        let mut filter = self.settings.filter.clone();
        if self.is_continued() {
            // Nothing is there but what an earlier fetch of anything brought.
            seen.places = vec![Vec::new()];
            filter = Filter::all();
        }
        let dry_run = self.settings.dry_run;
        let sweep = Sweep { seen, filter, ignored: self.settings.ignored.clone(), dry_run };
        let destination = Arc::clone(&self.destination);
        let undone = |cause| Error::new(ErrorKind::Other, "delete", "files").with_source(cause);
        let swept = self.hands.give(move || sweep.all(&destination)).await.map_err(undone)??;
        for path in swept {
            self.observer.event(&Event::Deleted { path: &path });
            self.report.deleted += 1;
        }
        Ok(())
    }
}

impl Sweep {
    fn all(&self, destination: &Destination) -> Result<Vec<RelativePath>> {
        let mut swept = Vec::new();
        for place in &self.seen.places {
            self.place(destination, place, &mut swept)?;
        }
        Ok(swept)
    }

    fn place(
        &self,
        destination: &Destination,
        place: &[u8],
        swept: &mut Vec<RelativePath>,
    ) -> Result<()> {
        let mut failed = None;
        let walked = Local::open(destination.path()).and_then(|local| {
            local.walk(place, |found| {
                // Names that no file of a tree can have are other programs', or our staging.
                let (Found::File(path) | Found::Other(path)) = found else { return true };
                if !self.may_go(place, &path) {
                    return true;
                }
                failed = self.delete(destination, place, &path).err();
                swept.push(path);
                failed.is_none()
            })
        });
        match (failed, walked) {
            (Some(error), _) => Err(error.into()),
            (None, Err(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
            (None, walked) => Ok(walked?),
        }
    }

    /// Whether nobody asked for a file. What patterns leave out was not asked for, and stays.
    fn may_go(&self, place: &[u8], path: &RelativePath) -> bool {
        let below = path.as_bytes().get(place.len()..).unwrap_or_default();
        let name = below.strip_prefix(b"/").unwrap_or(below);
        !self.seen.has(path) && !self.ignored.contains(path) && self.filter.wants_name(name)
    }

    /// Removes a file, and directories that are empty then and that nobody asked for either.
    fn delete(
        &self,
        destination: &Destination,
        place: &[u8],
        path: &RelativePath,
    ) -> std::result::Result<(), DestinationError> {
        if self.dry_run {
            return Ok(());
        }
        destination.delete(path)?;
        let mut above = path.split().0;
        while let Some(directory) = above {
            let is_outside = directory.as_bytes().len() <= place.len();
            if is_outside || self.seen.has(&directory) || !destination.delete_empty(&directory) {
                break;
            }
            above = directory.split().0;
        }
        Ok(())
    }
}
