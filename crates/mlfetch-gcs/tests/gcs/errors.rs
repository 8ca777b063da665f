//! What an error says, whether it is asked again, and what it costs. The table itself is tested beside
//! it; here its rows come over the wire.

use std::time::Duration;

use mlfetch_gcs::{GcsConfig, GcsStore};
use mlfetch_store::{
    Depth, Error, ErrorKind, Key, ListRequest, ReadRequest, Retry, StatRequest, Store as _,
};

use crate::emulator;
use crate::server::{Answer, GcsAnswer, Server};
use crate::support::open;

async fn fail(answer: Answer) -> Error {
    let server = Server::start(move |_| answer.clone()).await;
    let store = open(&server.url()).await;
    store.read(&Key::from("a/b"), ReadRequest::new()).await.expect_err("refused")
}

fn list() -> ListRequest {
    ListRequest::new(Key::root(), Depth::All)
}

#[tokio::test]
async fn throttling_is_asked_again_after_the_server_s_own_time() {
    for (status, reason) in [
        ("503 Service Unavailable", "backendError"),
        ("429 Too Many Requests", "rateLimitExceeded"),
    ] {
        let busy = Answer::error(status, reason, "slow down");
        let error = fail(busy.clone().with_header("Retry-After: 7")).await;
        let wait = Retry::After(Duration::from_secs(7));
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, wait), "{status}");
        assert_eq!(fail(busy).await.retry(), Retry::Later, "{status}");
    }
    let quota = Answer::error("403 Forbidden", "userRateLimitExceeded", "slow down");
    let error = fail(quota).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Later));
}

#[tokio::test]
async fn one_call_is_one_request() {
    let busy = || Answer::error("503 Service Unavailable", "backendError", "slow down");
    let server = Server::start(move |_| busy()).await;
    let store = open(&server.url()).await;
    store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("busy");
    store.stat(&Key::from("a"), StatRequest::new().with_checksums()).await.expect_err("busy");
    store.list_page(list()).await.expect_err("busy");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_bucket_that_is_missing_is_told_from_an_object_that_is() {
    let store = emulator::open_bucket("no-such-bucket").await;
    let error = store.list_page(list()).await.expect_err("no bucket");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("there is no bucket gs://no-such-bucket/"), "{error}");
    let error = emulator::open().await.read(&Key::from("nobody"), ReadRequest::new()).await;
    let text = error.expect_err("no object").to_string();
    assert!(text.starts_with("cannot read `nobody`: it does not exist (404"), "{text}");
    // Google's own words for it, in a line of text that says it is HTML.
    let words = "The specified bucket does not exist.";
    let html = ["Content-Type: text/html; charset=UTF-8"];
    let error = fail(Answer::new("404 Not Found", &html, words)).await;
    assert!(error.to_string().contains("there is no bucket gs://bucket/"), "{error}");
}

#[tokio::test]
async fn a_denied_listing_says_that_listing_is_what_is_missing() {
    let denied = include_str!("../data/denied.json");
    let json = ["Content-Type: application/json"];
    let server = Server::start(move |_| Answer::new("403 Forbidden", &json, denied)).await;
    let error = open(&server.url()).await.list_page(list()).await.expect_err("denied");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::PermissionDenied, Retry::Never));
    assert!(error.to_string().contains("listing the bucket is not allowed in gs://bucket/"));
    let hint = error.hint().expect("a hint");
    assert!(hint.contains("storage.objects.list") && hint.contains("full name"), "{hint}");
}

#[tokio::test]
async fn a_denied_read_says_that_reading_is() {
    let words = "reader@example does not have storage.objects.get access to the object.";
    let error = fail(Answer::new("403 Forbidden", &["Content-Type: text/html"], words)).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("reading it is not allowed"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("storage.objects.get")), "{error:?}");
}

#[tokio::test]
async fn a_bucket_whose_readers_pay_says_which_setting_is_missing() {
    let words = "Bucket is a requester pays bucket but no user project provided.";
    let error = fail(Answer::error("400 Bad Request", "required", words)).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.hint().is_some_and(|hint| hint.contains("gcs-user-project")), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_| Answer::object("stolen", &[])).await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"] {
        let location = format!("Location: {}/x", elsewhere.url());
        let error = fail(Answer::new(status, &[&location], "")).await;
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Refused, Retry::Never), "{status}");
        assert!(error.to_string().contains(&elsewhere.url()), "{error}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_page_for_people_is_never_an_object_a_listing_or_facts() {
    let html = ["Content-Type: text/html; charset=utf-8"];
    let server = Server::start(move |_| Answer::new("200 OK", &html, "<html>Sign in")).await;
    let (store, key) = (open(&server.url()).await, Key::from("a"));
    for error in [
        store.read(&key, ReadRequest::new()).await.err(),
        store.stat(&key, StatRequest::new()).await.err(),
        store.list_page(list()).await.err(),
    ] {
        let error = error.expect("it is no such thing");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Protocol, Retry::Never), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("gcs-endpoint")), "{error:?}");
    }
}

#[tokio::test]
async fn a_page_for_people_that_somebody_stored_is_an_object() {
    let stored = Answer::object("<html>", &["Content-Type: text/html"]);
    let server = Server::start(move |_| stored.clone()).await;
    let read = open(&server.url()).await.read(&Key::from("a.html"), ReadRequest::new()).await;
    read.expect("an object");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let server = Server::start(|_| Answer::object("", &[])).await;
    let url = server.url();
    let store = open(&url).await;
    server.stop().await;
    let error = store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("nobody there");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Later));
    assert!(error.hint().is_some_and(|hint| hint.contains(&url)), "{error:?}");
}

#[tokio::test]
async fn a_body_that_breaks_is_an_error_and_asked_for_again() {
    let head = "HTTP/1.1 200 OK\r\nx-goog-generation: 1\r\nContent-Length: 10\r\n\r\nfour";
    let server = Server::start(move |_| Answer::raw(head)).await;
    let error = crate::support::read(&open(&server.url()).await, "a").await.expect_err("cut");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later));
}

#[tokio::test]
async fn the_bucket_itself_is_no_object() {
    let server = Server::start(|_| Answer::object("", &[])).await;
    let store = open(&server.url()).await;
    let stat = store.stat(&Key::root(), StatRequest::new()).await.expect_err("no object");
    let read = store.read(&Key::root(), ReadRequest::new()).await.expect_err("no object");
    assert_eq!([stat.kind(), read.kind()], [ErrorKind::IsDirectory; 2]);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn nobody_is_told_why_nobody_is_signed_in() {
    let words = "Anonymous caller does not have storage.objects.get access.";
    let refuse = move |_: &_| Answer::error("401 Unauthorized", "required", words);
    let server = Server::start(refuse).await;
    let read = |store: GcsStore| async move {
        store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("not signed in")
    };
    let chosen = GcsConfig::new().with_endpoint(server.url()).with_anonymous(true);
    let error = read(GcsStore::open(chosen, "b").await.expect("a store")).await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("nobody is signed in"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("gcs-anonymous")), "{error:?}");
}
