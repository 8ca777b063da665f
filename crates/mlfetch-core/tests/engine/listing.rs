//! Listing without fetching, and listings that are long, odd or never end.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use mlfetch_core::engine::{FetchError, ListedKind};
use mlfetch_core::resolve::Target;
use mlfetch_store::{
    Capabilities, Depth, Entry, Error, ErrorKind, Key, ListRequest, Listing, MemoryStore, Object,
    ObjectInfo, Page, PageToken, ReadRequest, Refused, Result, StatRequest, Store, StoreInfo,
};

use crate::support::{Home, engine, expected, failures, memory, some};

async fn rows(store: Arc<dyn Store>, path: &str, depth: Depth) -> Result<Vec<String>> {
    let target = Target::new("s0:/").with_path(Key::from(path));
    let listed = engine(&[store]).list(&target, depth).await?;
    let mut rows: Vec<String> = listed
        .map_ok(|row| match row.kind {
            ListedKind::File { size, .. } => format!("{} {}", row.path, size.unwrap_or_default()),
            ListedKind::Directory => row.path.to_string(),
            _ => format!("{} refused", row.path),
        })
        .try_collect()
        .await?;
    rows.sort();
    Ok(rows)
}

const FILES: [(&str, &str); 5] =
    [("a/", ""), ("a/b", "b"), ("a/c/d", "dd"), ("e", "eee"), ("empty/", "")];

#[tokio::test]
async fn a_listing_has_the_rows_of_one_directory_or_of_all_below() {
    let store = || memory(&FILES);
    let one = rows(store(), "", Depth::One).await.expect("listed");
    assert_eq!(one, ["a/", "e 3", "empty/"]);
    let below = rows(store(), "a", Depth::One).await.expect("listed");
    assert_eq!(below, ["b 1", "c/"], "its own marker is no row");
    let all = rows(store(), "a/", Depth::All).await.expect("listed");
    assert_eq!(all, ["b 1", "c/d 2"]);
}

#[tokio::test]
async fn a_file_that_is_listed_is_one_row_with_its_own_name() {
    for depth in [Depth::One, Depth::All] {
        assert_eq!(rows(memory(&FILES), "a/c/d", depth).await.expect("listed"), ["d 2"]);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_with_what_is_alike() {
    for depth in [Depth::One, Depth::All] {
        let error = rows(memory(&FILES), "emty", depth).await.expect_err("not there");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.hint().expect("a hint").contains("`empty`"));
        let error = rows(memory(&FILES), "e/", depth).await.expect_err("a file");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(rows(memory(&[]), "", depth).await.expect("an empty root").is_empty());
    }
}

/// Answers a listing as it is told to; every object holds "x".
struct Scripted<F> {
    info: StoreInfo,
    answer: F,
}

/// A store whose listing is this function.
fn scripted<F>(listing: Listing, answer: F) -> Arc<Scripted<F>>
where
    F: Fn(&ListRequest) -> Page + Send + Sync + 'static,
{
    let info = StoreInfo::new("scripted", "scripted:", Capabilities::new(listing));
    Arc::new(Scripted { info, answer })
}

impl<F> std::fmt::Debug for Scripted<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Scripted")
    }
}

#[async_trait]
impl<F: Fn(&ListRequest) -> Page + Send + Sync + 'static> Store for Scripted<F> {
    fn info(&self) -> &StoreInfo {
        &self.info
    }
    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        Ok((self.answer)(&request))
    }
    async fn stat(&self, key: &Key, _: StatRequest) -> Result<ObjectInfo> {
        Err(Error::new(ErrorKind::NotFound, "stat", key.to_string()))
    }
    async fn read(&self, key: &Key, _: ReadRequest) -> Result<Object> {
        let body = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"x"))]).boxed();
        Ok(Object::new(object(key).with_size(1), 0, body))
    }
}

fn object(key: &Key) -> ObjectInfo {
    ObjectInfo::new(key.clone()).with_size(1)
}

fn page_number(request: &ListRequest) -> u64 {
    request.token.as_ref().map_or(0, |token| token.as_str().parse().expect("a number"))
}

#[tokio::test]
async fn page_tokens_that_go_round_are_an_error_and_not_the_end() {
    let rounds = || {
        scripted(Listing::Flat, |request| {
            let next = (page_number(request) + 1) % 3;
            Page::new(vec![], Some(PageToken::new(next.to_string())))
        })
    };
    for depth in [Depth::One, Depth::All] {
        let listed = tokio::time::timeout(Duration::from_secs(5), rows(rounds(), "", depth));
        let error = listed.await.expect("it ends").expect_err("it goes round");
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
    match Home::new(rounds()).fetch().await.expect_err("it goes round") {
        FetchError::Source(error) => assert_eq!(error.kind(), ErrorKind::Protocol),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_endless_listing_is_read_only_as_fast_as_files_come() {
    static PAGES: AtomicU64 = AtomicU64::new(0);
    let endless = scripted(Listing::Flat, |request| {
        PAGES.fetch_add(1, Ordering::SeqCst);
        let page = page_number(request);
        let rows = (0..10).map(|row| Entry::Object(object(&Key::from(format!("{page:08}-{row}")))));
        Page::new(rows.collect(), Some(PageToken::new((page + 1).to_string())))
    });
    let store = mlfetch_conformance::FaultyStore::new(endless)
        .stall(mlfetch_conformance::Operation::Read, usize::MAX);
    let home = Home::new(Arc::new(store)).set(|s| s.jobs = NonZeroUsize::new(20));
    assert!(tokio::time::timeout(Duration::from_millis(200), home.fetch()).await.is_err());
    // Twenty files wait for their bytes, one more was found, and one page was asked for beyond.
    assert_eq!(PAGES.load(Ordering::SeqCst), 4);
    assert!(home.is_untouched());
}

#[tokio::test]
async fn a_hundred_thousand_rows_are_planned_in_seconds() {
    let long = scripted(Listing::Flat, |request| {
        let page = page_number(request);
        let key = |row| Key::from(format!("d{page:03}/{row:04}"));
        let rows = (0..1000).map(|row| Entry::Object(object(&key(row)))).collect();
        Page::new(rows, (page < 99).then(|| PageToken::new((page + 1).to_string())))
    });
    let home = Home::new(long).set(|s| s.dry_run = true);
    let report = home.fetch().await.expect("planned");
    assert_eq!((report.planned, report.planned_bytes), (100_000, 100_000));
}

#[tokio::test]
async fn a_row_that_is_refused_is_named_and_its_neighbours_arrive() {
    let refused = |key: &str| {
        let error = Error::new(ErrorKind::PermissionDenied, "read", key);
        Entry::Refused(Refused::new(Key::from(key), error))
    };
    let store = move || {
        scripted(Listing::Flat, move |_| {
            let rows =
                vec![refused("closed"), Entry::Object(object(&Key::from("good"))), refused("d/")];
            Page::new(rows, None)
        })
    };
    let home = Home::new(store());
    let report = some(home.fetch().await);
    assert_eq!(home.tree(), expected(&[("good", "x")]));
    let paths: Vec<String> = failures(&report).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["closed", "d/"]);
    assert_eq!(home.counters(), [3, 1, 3, 1, 1]);

    // Patterns: what is left out by name does not matter; what is in `d/` might have been wanted.
    let with = |include: &[&str], exclude: &[&str]| {
        let filter = crate::patterns::filter(include, exclude);
        Home::new(store()).set(|s| s.filter = filter)
    };
    let report = some(with(&["good"], &[]).fetch().await);
    assert_eq!(failures(&report)[0].0, "d/");
    assert_eq!(failures(&report).len(), 1);
    with(&[], &["closed", "d/"]).fetch().await.expect("all that is wanted arrived");
}

#[tokio::test]
async fn rows_outside_what_was_asked_for_are_refused() {
    let store = scripted(Listing::Flat, |_| {
        let keys = ["m/good", "other/bad", "m"];
        Page::new(keys.map(|key| Entry::Object(object(&Key::from(key)))).into(), None)
    });
    let home = Home::new(store);
    let target = Target::new("s0:/").with_path(Key::from("m/"));
    let report = some(home.fetch_target(target).await);
    assert_eq!(home.tree(), expected(&[("good", "x")]));
    assert_eq!(report.failures.len(), 2);
}

#[tokio::test]
async fn a_tree_and_a_flat_listing_come_to_the_same_files() {
    let mut flat = MemoryStore::with_listing(Listing::Flat);
    let mut tree = MemoryStore::with_listing(Listing::Tree);
    for key in ["a/b/c", "a/b/d", "a/e", "f", "g/h/i/j/k"] {
        flat = flat.with(Key::from(key), key.as_bytes().to_vec());
        tree = tree.with(Key::from(key), key.as_bytes().to_vec());
    }
    let (flat, tree) = (Home::new(Arc::new(flat)), Home::new(Arc::new(tree)));
    flat.fetch().await.expect("fetched");
    tree.fetch().await.expect("fetched");
    assert_eq!(flat.tree(), tree.tree());
}

#[tokio::test]
async fn objects_without_a_size_arrive_and_are_counted_as_they_come() {
    let store = crate::support::Telling::new(MemoryStore::new().with(Key::from("a"), "abc"))
        .listing(|info| info.size = None)
        .answering(|object| object.info.size = None);
    let home = Home::new(Arc::new(store));
    let report = home.fetch().await.expect("fetched");
    assert_eq!((report.files, report.bytes), (1, 3));
    assert_eq!(home.events.sorted(), ["committed a 3 transfer"]);
    assert_eq!(home.counters(), [1, 3, 1, 3, 1]);
}
