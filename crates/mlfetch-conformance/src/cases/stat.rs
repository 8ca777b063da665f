//! What is known of one object.

use mlfetch_store::ErrorKind;

use crate::space::{Space, objects};
use crate::{Behaviour, Fixture};

async fn space(fixture: &dyn Fixture) -> Space {
    Space::with(fixture, &objects(&[("dir/object.txt", "twelve bytes"), ("empty", "")])).await
}

/// Its key is the one that was asked for, its size that of the bytes.
pub async fn an_object(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    let info = space.stat("dir/object.txt").await.expect("facts");
    assert_eq!(info.key, space.key("dir/object.txt"));
    if space.has(Behaviour::StatWithoutSizes) {
        assert_eq!(info.size, None, "the quirk StatWithoutSizes is out of date");
    } else {
        assert_eq!(info.size, Some(12));
        assert_eq!(space.stat("empty").await.expect("facts").size, Some(0));
    }
}

/// `NotFound`, and the text names the key.
pub async fn a_missing_object(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    for name in ["dir/nobody.txt", "no/such/directory", "dir/object.txt/below"] {
        let error = space.stat(name).await.expect_err("there is none");
        assert_eq!(error.kind(), space.missing_kind(), "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// A directory is no object: `NotFound`, or `IsDirectory` where the store can tell.
pub async fn a_directory(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    if space.has(Behaviour::DirectoryHasBytes) {
        space.stat("dir").await.expect("the quirk DirectoryHasBytes is out of date");
        return;
    }
    for name in ["dir", "dir/"] {
        let error = space.stat(name).await.expect_err("it is a directory");
        let kinds = [ErrorKind::NotFound, ErrorKind::IsDirectory, space.missing_kind()];
        assert!(kinds.contains(&error.kind()), "{name}: {error:?}");
    }
}
