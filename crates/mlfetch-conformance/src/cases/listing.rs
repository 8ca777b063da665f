//! What is there.

use bytes::Bytes;
use mlfetch_store::{Depth, ErrorKind, Key, ListRequest, Listing};

use crate::space::{Space, objects};
use crate::{Behaviour, Fixture};

/// A small tree with a sibling whose name begins as the directory's.
const TREE: &[(&str, &str)] = &[
    ("foo/a.txt", "a"),
    ("foo/b.txt", "bb"),
    ("foo/deeper/c.txt", "ccc"),
    ("foo/deeper/still/d.txt", "dddd"),
    ("foobar/e.txt", "eeeee"),
    ("foo.txt", "ffffff"),
];

async fn tree(fixture: &dyn Fixture) -> Option<Space> {
    let space = Space::with(fixture, &objects(TREE)).await;
    space.lists().await.then_some(space)
}

/// Objects in the directory, prefixes of directories in it, and nothing below.
pub async fn one_directory(fixture: &dyn Fixture) {
    let Some(space) = tree(fixture).await else { return };
    let listed = space.list("foo/", None).await.expect("a listing");
    assert_eq!(listed.names(&space), ["foo/a.txt", "foo/b.txt"]);
    assert_eq!(listed.directory_names(&space), ["foo/deeper/"]);
}

/// The top of the namespace is a directory as any other.
pub async fn the_top(fixture: &dyn Fixture) {
    let Some(space) = tree(fixture).await else { return };
    let listed = space.list("", None).await.expect("a listing");
    assert_eq!(listed.names(&space), ["foo.txt"]);
    assert_eq!(listed.directory_names(&space), ["foo/", "foobar/"]);
}

/// Pages of one and two rows give what one large page gives.
pub async fn small_pages(fixture: &dyn Fixture) {
    let Some(space) = tree(fixture).await else { return };
    let whole = space.list("foo/", None).await.expect("a listing");
    for page in [1, 2] {
        let paged = space.list("foo/", Some(page)).await.expect("a listing in small pages");
        assert_eq!(paged.objects, whole.objects, "pages of {page}");
        assert_eq!(paged.directories, whole.directories, "pages of {page}");
        if page == 1 && space.has(Behaviour::DirectoriesBesidePages) {
            let larger = paged.largest_page > page;
            assert!(larger, "the quirk DirectoriesBesidePages is out of date");
        }
    }
}

/// The same for everything below a prefix, with more rows than pages of two divide evenly.
pub async fn walk_in_small_pages(fixture: &dyn Fixture) {
    let many = (0..7).map(|number| (Key::from(format!("many/{number}.txt")), Bytes::from("x")));
    let seeded: Vec<_> = objects(TREE).into_iter().chain(many).collect();
    let space = Space::with(fixture, &seeded).await;
    if !space.lists().await {
        return;
    }
    for page in [None, Some(1), Some(2)] {
        let listed = space.walk("", page).await.expect("a walk");
        assert_eq!(listed.objects.len(), seeded.len(), "pages of {page:?}");
    }
}

/// Recursion is the walk's work where the listing is a tree, and the store's where it is flat.
pub async fn walk(fixture: &dyn Fixture) {
    let Some(space) = tree(fixture).await else { return };
    let mut expected: Vec<&str> = TREE.iter().map(|(name, _)| *name).collect();
    expected.sort_unstable();
    let listed = space.walk("", None).await.expect("a walk");
    assert_eq!(listed.names(&space), expected);
}

/// `foo/` is not `foobar/` and not `foo.txt`.
pub async fn siblings(fixture: &dyn Fixture) {
    let Some(space) = tree(fixture).await else { return };
    let listed = space.walk("foo/", None).await.expect("a walk");
    let below = ["foo/a.txt", "foo/b.txt", "foo/deeper/c.txt", "foo/deeper/still/d.txt"];
    assert_eq!(listed.names(&space), below);
}

/// Nothing below a prefix is an empty page, or `NotFound` where the store can tell.
pub async fn missing_prefix(fixture: &dyn Fixture) {
    let Some(space) = tree(fixture).await else { return };
    match space.list("not-here/", None).await {
        Ok(listed) => assert!(listed.names(&space).is_empty() && listed.directories.is_empty()),
        Err(error) => {
            assert_eq!(error.kind(), space.missing_kind(), "{error}");
            assert!(error.to_string().contains("not-here"), "{error}");
        }
    }
}

/// A fresh namespace has nothing in it.
pub async fn empty_namespace(fixture: &dyn Fixture) {
    let space = Space::with(fixture, &[]).await;
    if !space.lists().await {
        return;
    }
    match space.walk("", None).await {
        Ok(listed) => assert!(listed.names(&space).is_empty()),
        Err(error) => assert_eq!(error.kind(), space.missing_kind(), "{error}"),
    }
}

/// A size that is listed is the object's.
pub async fn sizes(fixture: &dyn Fixture) {
    let Some(space) = tree(fixture).await else { return };
    let listed = space.walk("", None).await.expect("a walk");
    let mut without = 0;
    for info in &listed.objects {
        let name = space.name(&info.key).to_string();
        let text = TREE.iter().find(|(known, _)| *known == name).expect("a known name").1;
        match info.size {
            Some(size) => assert_eq!(size, text.len() as u64, "{name}"),
            None => without += 1,
        }
    }
    let expected = if space.has(Behaviour::ListingWithoutSizes) { TREE.len() } else { 0 };
    assert!(without <= expected, "{without} sizes are missing");
    assert!(expected == 0 || without > 0, "the quirk ListingWithoutSizes is out of date");
}

/// What can only be asked of a flat listing is refused by a tree, not answered in part.
pub async fn depth_all(fixture: &dyn Fixture) {
    let Some(space) = tree(fixture).await else { return };
    let request = ListRequest::new(space.key(""), Depth::All);
    let answer = space.store().list_page(request).await;
    match space.store().info().capabilities.listing {
        Listing::Flat => assert_eq!(answer.expect("a page").entries.len(), TREE.len()),
        // A tree may have it too, but must then have it whole.
        _ => match answer {
            Ok(page) => assert!(page.next.is_some() || page.entries.len() >= TREE.len()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
        },
    }
}
