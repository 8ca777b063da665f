//! Listings that are cut, turn in circles, or are none.

use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_util::StreamExt as _;
use mlfetch_store::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, Page, PageToken, Retry, Store as _,
    WalkLimits, walk,
};
use serde_json::{Value, json};

use crate::server::{Answer, GcsAnswer, Server};
use crate::support::open;

fn page(more: Value) -> Answer {
    let mut page = more;
    page["kind"] = "storage#objects".into();
    Answer::json("200 OK", &page)
}

async fn list(answer: Answer) -> Result<Page, Error> {
    let server = Server::start(move |_| answer.clone()).await;
    let request = ListRequest::new(Key::from("d/"), Depth::All);
    open(&server.url()).await.list_page(request).await
}

#[tokio::test]
async fn what_is_asked_is_what_the_request_says() {
    let server = Server::start(|_| page(json!({}))).await;
    let store = open(&server.url()).await;
    let request = ListRequest::new(Key::from("d \u{1}&/"), Depth::One)
        .with_token(PageToken::new("to/ken+="))
        .with_max_entries(NonZeroUsize::new(5000));
    store.list_page(request).await.expect("a page");
    let seen = server.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.path()), ("GET", "/storage/v1/b/bucket/o"));
    for (name, value) in [
        ("prefix", "d \u{1}&/"),
        ("delimiter", "/"),
        ("maxResults", "1000"),
        ("pageToken", "to/ken+="),
    ] {
        assert_eq!(seen.decoded_parameter(name).as_deref(), Some(value));
    }
    let fields = seen.decoded_parameter("fields").expect("fields");
    assert!(fields.contains("crc32c") && fields.contains("generation"), "{fields}");
    store.list_page(ListRequest::new(Key::root(), Depth::All)).await.expect("a page");
    let seen = server.seen().remove(1);
    assert_eq!(seen.decoded_parameter("maxResults").as_deref(), Some("1000"));
    assert_eq!(
        (seen.decoded_parameter("prefix"), seen.decoded_parameter("delimiter")),
        (None, None)
    );
}

#[tokio::test]
async fn a_row_has_all_that_is_known_so_that_nobody_asks_again() {
    let row = json!({
        "name": "d/a+b%41",
        "size": "7",
        "generation": "1764000000000001",
        "timeCreated": "2026-11-24T10:00:00Z",
        "crc32c": "4waSgw==",
    });
    let listed = list(page(json!({ "items": [row], "prefixes": ["d/e/"] }))).await;
    let listed = listed.expect("a page");
    let [Entry::Object(info), Entry::Directory(directory)] = &listed.entries[..] else {
        panic!("{listed:?}")
    };
    assert_eq!((&info.key, info.size), (&Key::from("d/a+b%41"), Some(7)));
    assert_eq!(info.version.as_deref(), Some("1764000000000001"));
    assert_eq!(info.checksums.len(), 1);
    assert_eq!(directory, &Key::from("d/e/"));
    assert_eq!(listed.next, None);
}

#[tokio::test]
async fn an_empty_page_with_a_token_is_not_the_end() {
    let listed = list(page(json!({ "nextPageToken": "more" }))).await.expect("a page");
    assert!(listed.entries.is_empty() && listed.next.is_some());
    let listed = list(page(json!({ "nextPageToken": "" }))).await.expect("a page");
    assert_eq!(listed.next, None);
}

#[tokio::test]
async fn a_listing_that_repeats_its_token_ends_with_an_error() {
    let server = Server::start(|_| page(json!({ "nextPageToken": "again" }))).await;
    let store = Arc::new(open(&server.url()).await);
    let rows: Vec<_> = walk(store, Key::from("d/"), WalkLimits::default()).collect().await;
    let error = rows.into_iter().find_map(Result::err).expect("an error");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(server.seen().len() <= 3);
}

#[tokio::test]
async fn what_is_no_listing_is_named() {
    for body in [
        "<html><title>Console</title></html>",
        "{\"objects\": []}",
        "{\"kind\": \"storage#buckets\", \"items\": []}",
        "",
        "{\"kind\": \"storage#objects\", \"items\": [{\"name\": \"cut",
        "{\"kind\": \"storage#objects\", \"items\": [{\"size\": \"7\"}]}",
    ] {
        let error = list(Answer::new("200 OK", &[], body)).await.expect_err("no listing");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Protocol, Retry::Never), "{body}");
        assert!(error.hint().is_some(), "{body}");
    }
}

#[tokio::test]
async fn a_page_that_breaks_is_asked_for_again_and_never_a_shorter_one() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{\"kind\": \"storage#objects\"}";
    let error = list(Answer::raw(cut)).await.expect_err("cut");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later));
}

#[tokio::test]
async fn a_page_without_end_is_left_at_the_limit() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n".to_owned();
    let error = list(Answer::raw(head + &"x".repeat(40_000_000))).await.expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::Protocol);
}
