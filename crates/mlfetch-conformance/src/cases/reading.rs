//! The bytes of an object, whole and in part.

use mlfetch_store::{ErrorKind, ReadRequest};

use crate::space::{Space, objects};
use crate::{Behaviour, Fixture};

const TEXT: &str = "0123456789abcdefghij";

async fn space(fixture: &dyn Fixture) -> Space {
    Space::with(fixture, &objects(&[("dir/object.txt", TEXT), ("empty", "")])).await
}

/// All bytes, in order; the answer's own size agrees if it has one.
pub async fn whole(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    let key = space.key("dir/object.txt");
    let object = space.store().read(&key, ReadRequest::new()).await.expect("an object");
    assert_eq!((&object.info.key, object.start), (&key, 0));
    assert!(object.info.size.is_none_or(|size| size == TEXT.len() as u64));
    assert_eq!(crate::space::collect(object.body).await.expect("bytes"), TEXT.as_bytes());
}

/// An empty object is an object.
pub async fn empty(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    assert_eq!(space.read("empty").await.expect("an object"), b"");
}

/// Exactly the bytes that were asked for, and the size is that of the whole; a store without
/// ranges says so instead of giving the whole.
pub async fn ranges(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    let key = space.key("dir/object.txt");
    for range in [0..1, 3..9, 19..20, 0..20, 15..4096] {
        let request = ReadRequest::new().with_range(range.clone());
        let answer = space.store().read(&key, request).await;
        if !space.store().info().capabilities.ranges {
            assert_eq!(answer.expect_err("no ranges").kind(), ErrorKind::Unsupported);
            continue;
        }
        let object = answer.expect("a range");
        assert_eq!(object.start, range.start, "{range:?}");
        assert!(object.info.size.is_none_or(|size| size == 20), "{range:?}: size of the whole");
        let bytes = crate::space::collect(object.body).await.expect("bytes");
        let end = usize::try_from(range.end.min(20)).expect("small");
        let start = usize::try_from(range.start).expect("small");
        assert_eq!(bytes, &TEXT.as_bytes()[start..end], "{range:?}");
    }
}

/// A range behind the end has no bytes: an empty body or an error, never other bytes.
pub async fn a_range_behind_the_end(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    let answer = space.read_as("dir/object.txt", ReadRequest::new().with_range(20..30)).await;
    assert!(answer.is_err() || answer.is_ok_and(|bytes| bytes.is_empty()));
}

/// `NotFound`, and the text names the key.
pub async fn a_missing_object(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    for name in ["dir/nobody.txt", "no/such/directory", "dir/object.txt/below"] {
        let error = space.read(name).await.expect_err("there is none");
        assert_eq!(error.kind(), space.missing_kind(), "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// A directory has no bytes.
pub async fn a_directory(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    if space.has(Behaviour::DirectoryHasBytes) {
        space.read("dir").await.expect("the quirk DirectoryHasBytes is out of date");
        return;
    }
    for name in ["dir", "dir/"] {
        let error = space.read(name).await.expect_err("it is a directory");
        let kinds = [ErrorKind::NotFound, ErrorKind::IsDirectory, space.missing_kind()];
        assert!(kinds.contains(&error.kind()), "{name}: {error:?}");
    }
}

/// A read tied to the tag that was given succeeds, one tied to another is `Changed`.
pub async fn conditions(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    if !space.store().info().capabilities.conditional_reads {
        return;
    }
    let info = space.stat("dir/object.txt").await.expect("facts");
    let tag = info.etag.expect("a store with conditional reads gives a tag");
    let tied = ReadRequest::new().with_if_match(tag);
    let bytes = space.read_as("dir/object.txt", tied).await.expect("the tag is current");
    assert_eq!(bytes, TEXT.as_bytes());
    let stale = ReadRequest::new().with_if_match("\"0123456789abcdef0123456789abcdef\"".to_owned());
    let error = space.read_as("dir/object.txt", stale).await.expect_err("the tag is stale");
    assert_eq!(error.kind(), ErrorKind::Changed, "{error}");
}

/// The tag of a listing, of a stat and of a read is the same text.
pub async fn one_tag_everywhere(fixture: &dyn Fixture) {
    let space = space(fixture).await;
    let key = space.key("dir/object.txt");
    let stat = space.stat("dir/object.txt").await.expect("facts").etag;
    let read = space.store().read(&key, ReadRequest::new()).await.expect("an object").info.etag;
    assert!(stat.is_none() || read.is_none() || stat == read, "{stat:?} {read:?}");
    if !space.lists().await {
        return;
    }
    let listed = space.list("dir/", None).await.expect("a listing").objects.remove(0).etag;
    assert!(listed.is_none() || stat.is_none() || listed == stat, "{listed:?} {stat:?}");
}
