//! Each fault of the store that fails on purpose.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use mlfetch_conformance::{FaultyStore, Operation};
use mlfetch_store::{
    Depth, Entry, ErrorKind, Key, ListRequest, MemoryStore, ReadRequest, Result, StatRequest, Store,
};
use tokio::time::timeout;

const TEXT: &str = "0123456789";

fn faulty() -> FaultyStore {
    let inner = MemoryStore::new().with(Key::from("a"), TEXT).with(Key::from("b"), TEXT);
    FaultyStore::new(Arc::new(inner))
}

async fn read(store: &FaultyStore, name: &str, request: ReadRequest) -> Result<Vec<u8>> {
    let mut body = store.read(&Key::from(name), request).await?.body;
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

#[tokio::test]
async fn without_rules_nothing_is_changed() {
    let store = faulty();
    assert_eq!(read(&store, "a", ReadRequest::new()).await.expect("bytes"), TEXT.as_bytes());
    assert_eq!(store.calls(Operation::Read), 1);
    assert_eq!(store.calls(Operation::Stat), 0);
}

#[tokio::test]
async fn the_first_calls_fail_with_the_kind_and_the_next_does_not() {
    let store = faulty().fail(Operation::List, 2, ErrorKind::Unavailable);
    for expected in [Some(ErrorKind::Unavailable), Some(ErrorKind::Unavailable), None] {
        let page = store.list_page(ListRequest::new(Key::root(), Depth::One)).await;
        assert_eq!(page.err().map(|error| error.kind()), expected);
    }
}

#[tokio::test]
async fn rules_are_used_in_their_order() {
    let store = faulty().fail(Operation::Stat, 1, ErrorKind::Network).fail(
        Operation::Stat,
        1,
        ErrorKind::Timeout,
    );
    for expected in [Some(ErrorKind::Network), Some(ErrorKind::Timeout), None] {
        let info = store.stat(&Key::from("a"), StatRequest::new()).await;
        assert_eq!(info.err().map(|error| error.kind()), expected);
    }
}

#[tokio::test]
async fn a_narrowed_rule_leaves_other_keys_alone() {
    let store = faulty().fail(Operation::Read, 1, ErrorKind::Io).only(Key::from("b"));
    assert!(read(&store, "a", ReadRequest::new()).await.is_ok());
    let error = read(&store, "b", ReadRequest::new()).await.expect_err("it fails");
    assert_eq!(error.kind(), ErrorKind::Io);
}

#[tokio::test]
async fn a_truncated_body_ends_as_if_that_were_all() {
    let store = faulty().truncate(1, 4);
    assert_eq!(read(&store, "a", ReadRequest::new()).await.expect("bytes"), b"0123");
    assert_eq!(read(&store, "a", ReadRequest::new()).await.expect("bytes"), TEXT.as_bytes());
}

#[tokio::test]
async fn a_broken_body_gives_its_bytes_and_then_the_error() {
    let store = faulty().break_body(1, 4, ErrorKind::Network);
    let mut body = store.read(&Key::from("a"), ReadRequest::new()).await.expect("an object").body;
    assert_eq!(body.next().await.expect("a chunk").expect("bytes"), "0123");
    let error = body.next().await.expect("a row").expect_err("the break");
    assert_eq!(error.kind(), ErrorKind::Network);
}

#[tokio::test]
async fn a_flipped_bit_is_that_of_the_object_also_in_a_range() {
    let store = faulty().flip_bit(2, 3);
    assert_eq!(read(&store, "a", ReadRequest::new()).await.expect("bytes"), b"0122456789");
    let range = ReadRequest::new().with_range(2..5);
    assert_eq!(read(&store, "a", range).await.expect("bytes"), b"224");
    let store = faulty().flip_bit(1, 3);
    let range = ReadRequest::new().with_range(4..6);
    assert_eq!(read(&store, "a", range).await.expect("bytes"), b"45");
}

#[tokio::test]
async fn a_tag_that_changed_after_the_listing_is_noticed() {
    let store = faulty().change_tag(Operation::Read, 2);
    let page = store.list_page(ListRequest::new(Key::root(), Depth::One)).await.expect("a page");
    let Some(Entry::Object(listed)) = page.entries.into_iter().next() else {
        panic!("an object is listed first")
    };
    let tied = ReadRequest::new().with_if_match(listed.etag.clone());
    let error = read(&store, "a", tied.clone()).await.expect_err("another tag");
    assert_eq!(error.kind(), ErrorKind::Changed);
    let object = store.read(&Key::from("a"), ReadRequest::new()).await.expect("an object");
    assert_ne!(object.info.etag, listed.etag);
    assert!(read(&store, "a", tied).await.is_ok());
}

#[tokio::test]
async fn a_tag_can_change_in_a_listing_and_in_a_stat() {
    let store = faulty().change_tag(Operation::List, 1).change_tag(Operation::Stat, 1);
    let page = store.list_page(ListRequest::new(Key::root(), Depth::One)).await.expect("a page");
    let stat = store.stat(&Key::from("a"), StatRequest::new()).await.expect("facts");
    let now = store.stat(&Key::from("a"), StatRequest::new()).await.expect("facts");
    assert!(matches!(&page.entries[0], Entry::Object(info) if info.etag == stat.etag));
    assert_ne!(stat.etag, now.etag);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_call_never_answers_and_the_next_does() {
    let store = faulty().stall(Operation::Stat, 1);
    let key = Key::from("a");
    let minute = Duration::from_mins(1);
    assert!(timeout(minute, store.stat(&key, StatRequest::new())).await.is_err());
    assert!(timeout(minute, store.stat(&key, StatRequest::new())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_gives_its_bytes_and_then_nothing() {
    let store = faulty().stall_body(1, 4);
    let mut body = store.read(&Key::from("a"), ReadRequest::new()).await.expect("an object").body;
    assert_eq!(body.next().await.expect("a chunk").expect("bytes"), "0123");
    assert!(timeout(Duration::from_mins(1), body.next()).await.is_err());
}
