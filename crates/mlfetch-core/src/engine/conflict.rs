//! Two keys for one path: `a` beside `a/b`, `dir` beside the marker `dir/`.

use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;

use mlfetch_store::{Depth, Key, ListRequest, StatRequest, Store};

use crate::NameRefusal;
use crate::destination::{Destination, DestinationError, DestinationProblem};

/// Where a tree comes from, and where it goes.
#[derive(Debug, Clone)]
pub(super) struct Course {
    /// The prefix in the store.
    pub(super) prefix: Key,
    /// The place below the destination.
    pub(super) place: Vec<u8>,
}

/// Whether what is in the way of `key` is in its way in the store too. Then the fault is in the
/// names, not in the destination. Asks the store, which has an answer whoever wrote the file that is
/// in the way, and when.
pub(super) async fn conflict(
    store: &dyn Store,
    course: &Course,
    key: &Key,
    destination: &Destination,
    error: &DestinationError,
) -> Option<NameRefusal> {
    match error.problem() {
        DestinationProblem::IsADirectory => {
            has_something_below(store, key).await.then_some(NameRefusal::BesideDirectory)
        }
        DestinationProblem::NotADirectory => {
            let file = course.key_of(destination, error)?;
            let is_object = store.stat(&file, StatRequest::new()).await.is_ok();
            is_object.then_some(NameRefusal::BesideFile)
        }
        _ => None,
    }
}

async fn has_something_below(store: &dyn Store, key: &Key) -> bool {
    let request =
        ListRequest::new(key.to_prefix(), Depth::One).with_max_entries(NonZeroUsize::new(1));
    store.list_page(request).await.is_ok_and(|page| !page.entries.is_empty())
}

impl Course {
    /// The key whose path is in the way; none if that lies above the tree.
    fn key_of(&self, destination: &Destination, error: &DestinationError) -> Option<Key> {
        let in_the_way = error.path().strip_prefix(destination.path()).ok()?;
        let below = in_the_way.as_os_str().as_bytes().strip_prefix(self.place.as_slice())?;
        let below = if self.place.is_empty() { below } else { below.strip_prefix(b"/")? };
        (!below.is_empty()).then(|| self.prefix.append(below))
    }
}

#[cfg(test)]
mod tests {
    use mlfetch_store::MemoryStore;

    use super::*;

    async fn found(place: &str, problem: DestinationProblem, at: &str) -> Option<NameRefusal> {
        let store = MemoryStore::new()
            .with(Key::from("m/a"), "x")
            .with(Key::from("m/a/b"), "x")
            .with(Key::from("m/d/"), "");
        let course = Course { prefix: Key::from("m/"), place: place.into() };
        let home = tempfile::tempdir().expect("a directory");
        let destination = Destination::open(home.path()).expect("opens");
        let error = DestinationError::new(home.path().join(at), problem);
        let key = Key::from(if at.ends_with('d') { "m/d" } else { "m/a" });
        conflict(&store, &course, &key, &destination, &error).await
    }

    #[tokio::test]
    async fn the_store_decides_whose_fault_it_is() {
        use DestinationProblem::{Full, IsADirectory, NotADirectory};
        let file = Some(NameRefusal::BesideFile);
        assert_eq!(found("", NotADirectory, "a").await, file);
        assert_eq!(found("x/y", NotADirectory, "x/y/a").await, file);
        assert_eq!(found("x/y", NotADirectory, "x/y").await, None);
        assert_eq!(found("x/y", NotADirectory, "x").await, None);
        assert_eq!(found("", NotADirectory, "other").await, None);
        let directory = Some(NameRefusal::BesideDirectory);
        assert_eq!(found("", IsADirectory, "a").await, directory);
        assert_eq!(found("", IsADirectory, "d").await, directory);
        assert_eq!(found("", Full, "a").await, None);
    }
}
