//! Big files go on where an earlier fetch ended.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use mlfetch_conformance::FaultyStore;
use mlfetch_core::engine::Report;
use mlfetch_store::{Error, ErrorKind, Key, MemoryStore, ObjectInfo, Store};

use crate::parts::{BIG, MEBIBYTE, assert_whole, big, store, with_checksum, with_others};
use crate::support::{Home, Telling};

type Tells = fn(&mut ObjectInfo);

/// No more than one part of a file comes twice.
const PART: u64 = 16 * MEBIBYTE as u64;

/// A fetch whose bodies all stop in the middle, given up.
async fn begin(telling: Tells) -> Home {
    begin_before(Telling::new(store()).stating(telling)).await
}

async fn begin_before(store: Telling) -> Home {
    let store = FaultyStore::new(Arc::new(store)).stall_body(usize::MAX, 9 * MEBIBYTE as u64);
    let home = Home::new(Arc::new(store));
    let waited = tokio::time::timeout(Duration::from_millis(700), home.fetch()).await;
    assert!(waited.is_err(), "it stalls");
    assert_eq!(left(&home).len(), 1, "what arrived is kept");
    home
}

/// The staging directories in the destination.
fn left(home: &Home) -> Vec<PathBuf> {
    let Ok(rows) = fs::read_dir(home.destination()) else { return Vec::new() };
    let paths = rows.map(|row| row.expect("a row").path());
    paths.filter(|path| path.to_string_lossy().contains("/.mlfetch-")).collect()
}

/// The file that was not whole when its fetch ended.
fn half(home: &Home) -> fs::File {
    let rows = fs::read_dir(&left(home)[0]).expect("listed").map(|row| row.expect("a row").path());
    let part = rows.into_iter().find(|path| path.extension().is_some_and(|end| end == "part"));
    fs::File::options().write(true).open(part.expect("a part")).expect("open")
}

/// Fetches again from a store that is well; gives the report, and how many bytes came.
async fn go_on(home: &mut Home, store: MemoryStore, telling: Tells) -> (Report, u64) {
    go_on_before(home, Telling::new(store).stating(telling)).await
}

async fn go_on_before(home: &mut Home, store: Telling) -> (Report, u64) {
    let came = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&came);
    let store = store.answering(move |object| {
        let counter = Arc::clone(&counter);
        let body = std::mem::replace(&mut object.body, Box::pin(futures_util::stream::empty()));
        object.body = Box::pin(body.inspect(move |chunk| {
            let length = chunk.as_ref().map_or(0, bytes::Bytes::len) as u64;
            counter.fetch_add(length, Ordering::Relaxed);
        }));
    });
    home.stores = vec![Arc::new(store) as Arc<dyn Store>];
    home.progress = Arc::default();
    let report = home.fetch().await.expect("fetched");
    assert!(left(home).is_empty(), "nothing but what was asked for is left");
    (report, came.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_fetch_that_was_dropped_is_continued_whatever_proves_it() {
    let [of_parts, in_order] = with_others();
    for telling in [with_checksum as Tells, of_parts, in_order, |_| {}] {
        let mut home = begin(telling).await;
        let (report, came) = go_on(&mut home, store(), telling).await;
        assert_whole(&home);
        assert_eq!(report.resumed_bytes + came, BIG as u64);
        // Each of the five parts got 9 MiB, but for the last, of 1 MiB.
        assert!(came <= 5 * 7 * MEBIBYTE as u64 + PART, "{came} came");
    }
}

#[tokio::test]
async fn a_file_whose_size_only_the_answer_tells_is_continued() {
    let unsized_listing = || Telling::new(store()).listing(|info| info.size = None);
    let mut home = begin_before(unsized_listing()).await;
    let (report, came) = go_on_before(&mut home, unsized_listing()).await;
    assert_whole(&home);
    assert!(report.resumed_bytes > 0 && report.resumed_bytes + came == BIG as u64);
}

#[tokio::test]
async fn a_file_whose_size_only_the_answer_tells_begins_anew_when_it_changed() {
    let unsized_listing = |store| Telling::new(store).listing(|info| info.size = None);
    let mut home = begin_before(unsized_listing(store())).await;
    let other = bytes::Bytes::from(vec![b'o'; BIG]);
    let changed = MemoryStore::new().with(Key::from("d/big"), other.clone());
    let (report, came) = go_on_before(&mut home, unsized_listing(changed)).await;
    assert_eq!((report.resumed_bytes, came), (0, BIG as u64));
    assert!(fs::read(home.destination().join("d/big")).expect("there") == other);
}

#[tokio::test]
async fn a_fetch_that_failed_is_continued() {
    // The last part, after the others had time to arrive.
    let failing = Telling::new(store()).answering(|object| {
        if object.start == 4 * PART {
            object.body = Box::pin(futures_util::stream::once(async {
                tokio::time::sleep(Duration::from_millis(700)).await;
                Err(Error::new(ErrorKind::PermissionDenied, "read", "d/big"))
            }));
        }
    });
    let mut home = Home::new(Arc::new(failing));
    home.fetch().await.expect_err("one part failed");
    assert_eq!(left(&home).len(), 1);
    let (report, came) = go_on(&mut home, store(), |_| {}).await;
    assert_whole(&home);
    assert!(report.resumed_bytes > 0 && report.resumed_bytes + came == BIG as u64);
}

#[tokio::test]
async fn what_was_damaged_meanwhile_comes_again() {
    let mut home = begin(|_| {}).await;
    half(&home).write_all_at(b"!", 1000).expect("spoiled");
    let (report, came) = go_on(&mut home, store(), |_| {}).await;
    assert_whole(&home);
    assert!(report.resumed_bytes > 0 && report.resumed_bytes + came == BIG as u64);
}

#[tokio::test]
async fn an_object_that_changed_meanwhile_begins_anew() {
    let mut home = begin(|_| {}).await;
    let other = bytes::Bytes::from(vec![b'o'; BIG]);
    let store = MemoryStore::new().with(Key::from("d/big"), other.clone());
    let (report, came) = go_on(&mut home, store, |_| {}).await;
    assert_eq!((report.resumed_bytes, came), (0, BIG as u64));
    assert!(fs::read(home.destination().join("d/big")).expect("there") == other);
}

#[tokio::test]
async fn bytes_that_fail_their_check_are_not_continued() {
    let store = Telling::new(store()).stating(with_checksum);
    let store = FaultyStore::new(Arc::new(store)).flip_bit(usize::MAX, 40_000_000);
    let home = Home::new(Arc::new(store));
    home.fetch().await.expect_err("never right");
    assert!(home.is_untouched());
}

#[tokio::test]
async fn one_of_two_fetches_continues_what_was_left_and_both_are_right() {
    let home = begin(with_checksum).await;
    let engine = crate::support::engine(&[Arc::new(Telling::new(store()).stating(with_checksum))]);
    let parts = crate::support::resolved(mlfetch_core::resolve::Target::new("s0:/")).await;
    let fetch = || {
        let observer = Arc::new(mlfetch_core::engine::NoObserver);
        let settings = home.settings.clone();
        let destination = home.destination();
        let (engine, parts) = (&engine, &parts);
        async move { engine.fetch(parts, &destination, settings, observer, Arc::default()).await }
    };
    let (one, other) = tokio::join!(fetch(), fetch());
    let resumed = [one.expect("fetched").resumed_bytes, other.expect("fetched").resumed_bytes];
    assert!(resumed.iter().filter(|bytes| **bytes > 0).count() <= 1, "{resumed:?}");
    assert!(fs::read(home.destination().join("d/big")).expect("there") == big());
    assert!(left(&home).is_empty());
}
