//! Stores that fail, cut, flip, stall: a whole file or an error, and nothing in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mlfetch_conformance::{FaultyStore, Operation};
use mlfetch_core::engine::{Engine, FetchError, FileError, Proof};
use mlfetch_store::{
    Algorithm, Checksum, ErrorKind, Key, MemoryStore, Object, ObjectInfo, RetryPolicy, Store,
};

use crate::support::{Home, Telling, expected, failures, in_memory, memory, some};

const NINE: &str = "123456789";

fn crc32c(info: &mut ObjectInfo) {
    info.checksums = vec![Checksum::new(Algorithm::Crc32c, vec![0xe3, 0x06, 0x92, 0x83])];
}

fn faulty(change: impl FnOnce(FaultyStore) -> FaultyStore) -> (Home, Arc<FaultyStore>) {
    let store = Telling::new(in_memory(&[("a", NINE)])).listing(crc32c);
    let store = Arc::new(change(FaultyStore::new(Arc::new(store))));
    (Home::new(Arc::clone(&store) as Arc<dyn Store>), store)
}

fn kind(error: &FetchError) -> ErrorKind {
    match error {
        FetchError::Source(error) => error.kind(),
        FetchError::File(failure) => match &failure.error {
            FileError::Store(error) => error.kind(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_passes_is_asked_again_and_comes_out_right() {
    let (home, _) = faulty(|store| {
        store
            .fail(Operation::List, 2, ErrorKind::Unavailable)
            .fail(Operation::Read, 2, ErrorKind::Network)
            .break_body(1, 3, ErrorKind::Network)
            .truncate(1, 3)
    });
    let report = home.fetch().await.expect("it passes");
    assert_eq!(report.proofs.into_keys().collect::<Vec<_>>(), [Proof::Checksum(Algorithm::Crc32c)]);
    assert_eq!(home.tree(), expected(&[("a", NINE)]));
    assert_eq!(home.counters(), [1, 9, 1, 9, 1], "bytes that came twice count once");
}

#[tokio::test]
async fn flipped_bits_are_found_and_fetched_again() {
    let (home, store) = faulty(|store| store.flip_bit(2, 4));
    home.fetch().await.expect("the third time they are right");
    assert_eq!(home.tree(), expected(&[("a", NINE)]));
    assert_eq!(store.calls(Operation::Read), 3);
    assert_eq!(home.counters(), [1, 9, 1, 9, 1]);
}

#[tokio::test]
async fn bits_that_flip_each_time_are_an_error_and_leave_nothing() {
    let (home, store) = faulty(|store| store.flip_bit(usize::MAX, 4));
    let error = home.fetch().await.expect_err("never right");
    assert_eq!(kind(&error), ErrorKind::Integrity);
    assert_eq!(store.calls(Operation::Read), 3);
    assert!(home.is_untouched());
}

#[tokio::test]
async fn one_patience_counts_for_a_file_and_not_one_in_another() {
    // Three attempts: for opening, and for continuing a body. Not three times three.
    for fault in [
        |store: FaultyStore| store.fail(Operation::Read, usize::MAX, ErrorKind::Unavailable),
        |store: FaultyStore| store.break_body(usize::MAX, 0, ErrorKind::Network),
    ] {
        let (home, store) = faulty(fault);
        home.fetch().await.expect_err("it does not pass");
        assert_eq!(store.calls(Operation::Read), 3);
        assert!(home.is_untouched());
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_continued_begins_again_and_counts_once() {
    let store = Telling::new(in_memory(&[("a", NINE)])).being(|info| {
        info.capabilities.ranges = false;
    });
    let store = FaultyStore::new(Arc::new(store)).break_body(2, 5, ErrorKind::Network);
    let home = Home::new(Arc::new(store));
    home.fetch().await.expect("the third time it is whole");
    assert_eq!(home.tree(), expected(&[("a", NINE)]));
    assert_eq!(home.counters(), [1, 9, 1, 9, 1]);
}

#[tokio::test]
async fn a_body_whose_rest_is_not_given_begins_again() {
    for (kind, times) in [(ErrorKind::Unsupported, 1), (ErrorKind::Protocol, 2)] {
        let (home, store) = faulty(|store| {
            store.break_body(1, 3, ErrorKind::Network).fail(Operation::Read, times, kind)
        });
        home.fetch().await.expect("the whole is given");
        assert_eq!(home.tree(), expected(&[("a", NINE)]), "{kind:?}");
        assert_eq!(store.calls(Operation::Read), times + 2);
    }
}

#[tokio::test]
async fn an_answer_of_another_size_and_the_same_tag_is_asked_for_again() {
    let answers = Arc::new(AtomicUsize::new(0));
    let telling = |times| {
        let answers = Arc::clone(&answers);
        answers.store(0, Ordering::SeqCst);
        let short = move |object: &mut Object| {
            if answers.fetch_add(1, Ordering::SeqCst) < times {
                object.info.size = Some(4);
            }
        };
        Home::new(Arc::new(Telling::new(in_memory(&[("a", NINE)])).answering(short)))
    };
    let home = telling(2);
    home.fetch().await.expect("the third answer is right");
    assert_eq!(home.tree(), expected(&[("a", NINE)]));
    let home = telling(usize::MAX);
    let error = home.fetch().await.expect_err("never right");
    assert_eq!((kind(&error), answers.load(Ordering::SeqCst)), (ErrorKind::Changed, 3));
    assert!(home.is_untouched());
}

#[tokio::test]
async fn an_object_that_changed_is_an_error_and_never_a_splice() {
    let (home, store) = faulty(|store| store.change_tag(Operation::Read, usize::MAX));
    let error = home.fetch().await.expect_err("it changed");
    assert_eq!(kind(&error), ErrorKind::Changed);
    assert_eq!(store.calls(Operation::Read), 1, "asking again cannot help");
    assert!(home.is_untouched());
}

#[tokio::test]
async fn an_object_that_went_after_the_listing_is_an_error_of_that_file() {
    let (home, _) = faulty(|store| store.fail(Operation::Read, 1, ErrorKind::NotFound));
    match home.fetch().await.expect_err("it is gone") {
        FetchError::File(failure) => assert_eq!(failure.path, "a"),
        other => panic!("{other:?}"),
    }
    assert!(home.is_untouched());
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_given_up_and_asked_again() {
    for fault in [
        |store: FaultyStore| store.stall(Operation::List, 1),
        |store: FaultyStore| store.stall(Operation::Read, 1),
        |store: FaultyStore| store.stall_body(1, 4),
    ] {
        let (home, _) = faulty(fault);
        home.fetch().await.expect("the second attempt moves");
        assert_eq!(home.tree(), expected(&[("a", NINE)]));
    }
    let (home, _) = faulty(|store| store.stall_body(usize::MAX, 0));
    let error = home.fetch().await.expect_err("it never moves");
    assert_eq!(kind(&error), ErrorKind::Timeout);
    assert!(home.is_untouched());
}

#[tokio::test]
async fn a_streamed_file_that_breaks_leaves_nothing_either() {
    let large = MemoryStore::new().with(Key::from("d/large"), vec![7; 3 * 1024 * 1024]);
    for bytes in [0, 1, 2 * 1024 * 1024] {
        let store = FaultyStore::new(Arc::new(large.clone()));
        let store = store.break_body(usize::MAX, bytes, ErrorKind::PermissionDenied);
        let home = Home::new(Arc::new(store));
        let error = home.fetch().await.expect_err("it breaks");
        assert_eq!(kind(&error), ErrorKind::PermissionDenied);
        assert!(home.is_untouched(), "{bytes}");
        assert_eq!(home.counters()[3], 0);
    }
}

#[tokio::test]
async fn with_keep_going_every_other_file_arrives() {
    let names: Vec<String> = (0..100).map(|index| format!("d{}/f{index}", index % 7)).collect();
    let objects: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "text")).collect();
    let mut store = FaultyStore::new(memory(&objects));
    for bad in [13, 57, 99] {
        let kinds = [ErrorKind::PermissionDenied, ErrorKind::Network, ErrorKind::NotFound];
        store = store
            .fail(Operation::Read, usize::MAX, kinds[bad % 3])
            .only(Key::from(names[bad].as_str()));
    }
    let home = Home::new(Arc::new(store)).set(|s| s.keep_going = true);
    let report = some(home.fetch().await);
    assert_eq!((report.files, report.failures.len()), (97, 3));
    let paths: Vec<String> = failures(&report).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, [&names[57], &names[99], &names[13]].map(String::clone));
    assert_eq!(home.tree().len(), 97 + 7);
    assert_eq!(home.counters(), [100, 97 * 4, 100, 97 * 4, 1]);
    let failed = home.events.sorted().iter().filter(|event| event.starts_with("failed")).count();
    assert_eq!(failed, 3);
}

#[tokio::test]
async fn where_no_file_arrives_nothing_is_left_although_all_were_tried() {
    let store = FaultyStore::new(memory(&[("d/a", "a"), ("d/b", "b"), ("e/", "")]));
    let store = store.fail(Operation::Read, usize::MAX, ErrorKind::PermissionDenied);
    let home = Home::new(Arc::new(store)).set(|s| s.keep_going = true);
    assert_eq!(some(home.fetch().await).failures.len(), 2);
    assert!(home.is_untouched());
}

#[tokio::test]
async fn the_first_failure_stops_the_rest_and_whole_files_stay() {
    let names: Vec<String> = (0..1000).map(|index| format!("f{index:04}")).collect();
    let objects: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "text")).collect();
    let store = FaultyStore::new(memory(&objects))
        .fail(Operation::Read, usize::MAX, ErrorKind::PermissionDenied)
        .only(Key::from("f0100"));
    let store = Arc::new(store);
    let home = Home::new(Arc::clone(&store) as Arc<dyn Store>)
        .set(|s| s.jobs = Some(4.try_into().expect("some")));
    match home.fetch().await.expect_err("one may not be read") {
        FetchError::File(failure) => assert_eq!(failure.path, "f0100"),
        other => panic!("{other:?}"),
    }
    let tree = home.tree();
    assert!(tree.len() >= 97 && tree.len() <= 110, "{} files", tree.len());
    assert!(tree.values().all(|text| text == "text"), "no file is half there");
    assert!(store.calls(Operation::Read) <= 110);
}

#[tokio::test]
async fn a_failure_does_not_wait_for_a_listing_or_a_body_that_stalls() {
    let mut objects = vec![("bad", "x"), ("slow", "x")];
    objects.sort_unstable();
    let store = FaultyStore::new(memory(&objects))
        .fail(Operation::Read, 1, ErrorKind::PermissionDenied)
        .only(Key::from("bad"))
        .stall(Operation::Read, usize::MAX)
        .only(Key::from("slow"));
    let home = Home::new(Arc::new(store));
    let failed = tokio::time::timeout(Duration::from_secs(20), home.fetch()).await;
    let error = failed.expect("at once").expect_err("one may not be read");
    assert_eq!(kind(&error), ErrorKind::PermissionDenied);

    // The second page of the listing never comes.
    let paged = Paged(memory(&objects));
    let store = FaultyStore::new(Arc::new(paged))
        .fail(Operation::Read, usize::MAX, ErrorKind::PermissionDenied)
        .fail(Operation::List, 0, ErrorKind::Other);
    let home = Home::new(Arc::new(store));
    let failed = tokio::time::timeout(Duration::from_secs(20), home.fetch()).await;
    let error = failed.expect("at once").expect_err("it may not be read");
    assert_eq!(kind(&error), ErrorKind::PermissionDenied);
}

/// Gives the first row, and never the page behind it.
#[derive(Debug)]
struct Paged(Arc<dyn Store>);

#[async_trait::async_trait]
impl Store for Paged {
    fn info(&self) -> &mlfetch_store::StoreInfo {
        self.0.info()
    }
    async fn list_page(
        &self,
        request: mlfetch_store::ListRequest,
    ) -> mlfetch_store::Result<mlfetch_store::Page> {
        if request.token.is_some() {
            return std::future::pending().await;
        }
        self.0.list_page(request.with_max_entries(std::num::NonZeroUsize::MIN)).await
    }
    async fn stat(
        &self,
        key: &Key,
        request: mlfetch_store::StatRequest,
    ) -> mlfetch_store::Result<ObjectInfo> {
        self.0.stat(key, request).await
    }
    async fn read(
        &self,
        key: &Key,
        request: mlfetch_store::ReadRequest,
    ) -> mlfetch_store::Result<Object> {
        self.0.read(key, request).await
    }
}

#[tokio::test]
async fn a_listing_that_fails_ends_the_fetch_and_whole_files_stay() {
    for kind_of_failure in [ErrorKind::PermissionDenied, ErrorKind::Protocol] {
        let store = FaultyStore::new(memory(&[("a", "a")])).fail(
            Operation::List,
            usize::MAX,
            kind_of_failure,
        );
        let home = Home::new(Arc::new(store));
        let error = home.fetch().await.expect_err("it cannot be listed");
        assert_eq!(kind(&error), kind_of_failure);
        assert!(home.is_untouched());
    }
}

#[tokio::test]
async fn an_unknown_scheme_and_a_malformed_location_are_errors_of_the_source() {
    for (uri, expected) in [("s9:/x", ErrorKind::Unsupported), ("", ErrorKind::InvalidInput)] {
        let target = mlfetch_core::resolve::Target::new(uri);
        let engine = Engine::new(mlfetch_store::Backends::new()).with_retry(RetryPolicy::once());
        let error = engine.open(&target).await.expect_err("nobody opens it");
        assert_eq!(error.kind(), expected);
    }
}

#[tokio::test]
async fn a_task_that_panics_is_a_failure_of_its_file() {
    let panics = |_: &mut _| panic!("on purpose");
    let home = Home::new(Arc::new(Telling::new(in_memory(&[("d/a", "a")])).answering(panics)));
    match home.fetch().await.expect_err("it panics") {
        FetchError::File(failure) => assert_eq!(failure.path, "d/a"),
        other => panic!("{other:?}"),
    }
    assert!(home.is_untouched());
}
