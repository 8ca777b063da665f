//! What was seen not to be there: a tree of a million files that goes to an empty directory needs one
//! look, not a million.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::Dir;

use crate::RelativePath;

/// Directories that are remembered. A tree is fetched almost in order, so that few serve one of any
/// size.
const MAX_DIRECTORIES: usize = 64;

/// Names in one of them. To read more costs more than to look for those that are wanted.
const MAX_NAMES: usize = 1024;

type Directories = HashMap<Box<[u8]>, There>;

/// What was in the directories in which something was looked for in vain. The destination itself has
/// no name.
///
/// Directories that this fetch makes are added, so that two keys for one path are still told before
/// the first byte. Which files came since, by this fetch or by somebody else, is not known here: that
/// is for the commit to find, which replaces or refuses in one step.
#[derive(Debug, Default)]
pub(super) struct Looked {
    directories: Mutex<Directories>,
    key: RandomState,
}

/// What a directory was.
#[derive(Debug)]
enum There {
    /// One with these names, each as a hash: what has the hash of another by accident is looked for.
    /// One that is not there has none.
    Names(HashSet<u64>),
    /// One with so many that nothing is known of any.
    Many,
}

impl Looked {
    /// Whether nothing was there under this name, by a look at its own directory.
    pub(super) fn lacks(&self, path: &RelativePath) -> bool {
        let (above, name) = split(path.as_bytes());
        self.has(&self.lock(), above, name) == Some(false)
    }

    /// The same by a look at any directory above. For those who make none.
    pub(super) fn lacks_at_all(&self, path: &RelativePath) -> bool {
        let directories = self.lock();
        let mut below = path.as_bytes();
        while !below.is_empty() {
            let (above, name) = split(below);
            if let Some(has) = self.has(&directories, above, name) {
                return !has;
            }
            below = above;
        }
        false
    }

    /// `None` if nobody looked.
    fn has(&self, directories: &Directories, above: &[u8], name: &[u8]) -> Option<bool> {
        Some(match directories.get(above)? {
            There::Names(names) => self.hash(name).is_none_or(|hash| names.contains(&hash)),
            There::Many => true,
        })
    }

    /// Notes that a directory is not there; the destination itself for none.
    pub(super) fn note_missing(&self, directory: Option<&RelativePath>) {
        self.note(directory, There::Names(HashSet::new()));
        if let Some(directory) = directory {
            self.note_made(directory);
        }
    }

    /// Notes that a directory is made, or is going to be.
    pub(super) fn note_made(&self, directory: &RelativePath) {
        let (above, name) = split(directory.as_bytes());
        let mut directories = self.lock();
        let Some(There::Names(names)) = directories.get_mut(above) else { return };
        match self.hash(name) {
            Some(hash) if names.len() < MAX_NAMES => {
                names.insert(hash);
            }
            // Nothing is known of such a name at any time.
            None => {}
            Some(_) => {
                directories.insert(above.into(), There::Many);
            }
        }
    }

    /// Notes what is in a directory, unless that is known.
    pub(super) fn note_names(&self, directory: Option<&RelativePath>, handle: &OwnedFd) {
        if !self.lock().contains_key(bytes(directory)) {
            self.note(directory, self.names(handle).map_or(There::Many, There::Names));
        }
    }

    /// Forgets all of it.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn note(&self, directory: Option<&RelativePath>, there: There) {
        let mut directories = self.lock();
        if directories.len() >= MAX_DIRECTORIES {
            directories.clear();
        }
        directories.entry(bytes(directory).into()).or_insert(there);
    }

    /// `None` if they are too many, or cannot all be read.
    fn names(&self, directory: &OwnedFd) -> Option<HashSet<u64>> {
        let mut names = HashSet::new();
        for (index, entry) in Dir::read_from(directory).ok()?.enumerate() {
            if index >= MAX_NAMES {
                return None;
            }
            names.extend(self.hash(entry.ok()?.file_name().to_bytes()));
        }
        Some(names)
    }

    /// The same for names that some file systems take for the same: `A` and `a`. Beyond ASCII only
    /// they know which those are: nothing is known of such a name.
    fn hash(&self, name: &[u8]) -> Option<u64> {
        let mut hasher = self.key.build_hasher();
        for byte in name {
            hasher.write_u8(byte.to_ascii_lowercase());
        }
        name.is_ascii().then(|| hasher.finish())
    }

    /// A thread that panicked left nothing half done.
    fn lock(&self) -> MutexGuard<'_, Directories> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes(directory: Option<&RelativePath>) -> &[u8] {
    directory.map_or(&[], RelativePath::as_bytes)
}

/// The directory that a name lies in, and the name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = path.iter().rposition(|byte| *byte == b'/');
    slash.map_or((&[], path), |slash| (&path[..slash], &path[slash + 1..]))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::directory::Destination;
    use super::super::support::{path, write};
    use super::*;

    /// A destination in which these were looked for.
    fn looked(home: &Path, names: &[&str]) -> Destination {
        let destination = Destination::open(home).expect("opens");
        for name in names {
            destination.look_for(&path(name)).expect("looked");
        }
        destination
    }

    #[test]
    fn a_look_in_vain_answers_for_the_directory() {
        let home = tempfile::tempdir().expect("a directory");
        let new = home.path().join("new");
        let destination = looked(&new, &[]);
        assert!(!destination.lacks(&path("a")), "nobody looked");
        assert!(destination.look_for(&path("a/b")).expect("looked").is_none());
        assert!(destination.lacks(&path("a/c")) && destination.lacks(&path("b")));
        assert!(!destination.lacks(&path("a")), "it is going to be made");
        assert!(!destination.lacks(&path("d/e")), "`d` may be a file by now");
        std::fs::create_dir_all(home.path().join("there/below")).expect("made");
        let destination = looked(home.path(), &["a", "there/a"]);
        assert!(destination.lacks(&path("b")) && destination.lacks(&path("there/b")));
        for perhaps in ["there", "THERE", "there/below", "there/below/a", "é"] {
            assert!(!destination.lacks(&path(perhaps)), "{perhaps}");
        }
    }

    #[test]
    fn a_look_in_vain_answers_for_the_tree_where_nothing_is_made() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(home.path().join("there")).expect("made");
        let destination = looked(home.path(), &["a"]);
        for missing in ["b", "a/b", "c/d/e"] {
            assert!(destination.lacks_at_all(&path(missing)), "{missing}");
        }
        for perhaps in ["there", "there/a", "there/a/b"] {
            assert!(!destination.lacks_at_all(&path(perhaps)), "{perhaps}");
        }
    }

    #[test]
    fn what_is_there_is_never_lacked() {
        let home = tempfile::tempdir().expect("a directory");
        let destination = looked(home.path(), &["a/z", "z"]);
        write(&destination, "a/b", b"x").expect("written");
        destination.make_directory(&path("c")).expect("made");
        for there in ["a", "c"] {
            let found = destination.look_for(&path(there)).expect("looked");
            assert!(found.is_some_and(|found| found.is_directory), "{there}");
        }
        let destination = looked(home.path(), &["a/z", "z"]);
        for there in ["a", "a/b", "c"] {
            assert!(destination.look_for(&path(there)).expect("looked").is_some(), "{there}");
        }
    }

    #[test]
    fn of_a_directory_with_many_names_nothing_is_known() {
        let home = tempfile::tempdir().expect("a directory");
        for number in 0..=MAX_NAMES {
            std::fs::write(home.path().join(number.to_string()), "").expect("written");
        }
        let destination = looked(home.path(), &["x", "d/e/f"]);
        assert!(!destination.lacks(&path("x")) && !destination.lacks(&path("y")));
        assert!(destination.lacks(&path("d/g")) && destination.lacks(&path("d/e/g")));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let looked = Looked::default();
        looked.note_missing(None);
        for number in 0..2 * MAX_NAMES {
            looked.note_made(&path(&number.to_string()));
        }
        assert!(matches!(looked.lock()[&b""[..]], There::Many));
        for number in 0..2 * MAX_DIRECTORIES {
            looked.note_missing(Some(&path(&number.to_string())));
        }
        assert!(looked.lock().len() <= MAX_DIRECTORIES);
    }
}
