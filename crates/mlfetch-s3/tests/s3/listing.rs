//! Listings that are cut, turn in circles, or are none.

use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_util::StreamExt as _;
use mlfetch_store::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, Page, Retry, Store as _, WalkLimits, walk,
};

use crate::server::{Answer, S3Answer, Server};
use crate::support::open;

const ROW: &str = "<Contents><Key>d/a+b%2541</Key><Size>7</Size></Contents>";

fn page(inner: &str) -> Answer {
    let xml =
        format!("<ListBucketResult><EncodingType>url</EncodingType>{inner}</ListBucketResult>");
    Answer::new("200 OK", &["Content-Type: application/xml"], xml)
}

async fn list(answer: Answer) -> Result<Page, Error> {
    let server = Server::start(move |_| answer.clone()).await;
    let request = ListRequest::new(Key::from("d/"), Depth::All);
    open(&server.url()).await.list_page(request).await
}

#[tokio::test]
async fn what_is_asked_is_what_the_request_says() {
    let server = Server::start(|_| page("<IsTruncated>false</IsTruncated>")).await;
    let store = open(&server.url()).await;
    let token = mlfetch_store::PageToken::new("to/ken+=");
    let request = ListRequest::new(Key::from("d \u{1}/"), Depth::One)
        .with_token(token)
        .with_max_entries(NonZeroUsize::new(5000));
    store.list_page(request).await.expect("a page");
    let expected = "/bucket/?continuation-token=to%2Fken%2B%3D&delimiter=%2F&encoding-type=url\
                    &list-type=2&max-keys=1000&prefix=d%20%01%2F";
    assert_eq!(server.seen()[0].target, expected);
}

#[tokio::test]
async fn a_name_is_decoded_exactly_once() {
    let listed = list(page(&format!("{ROW}<IsTruncated>false</IsTruncated>"))).await;
    let listed = listed.expect("a page");
    let [Entry::Object(info)] = &listed.entries[..] else { panic!("{listed:?}") };
    assert_eq!((&info.key, info.size), (&Key::from("d/a b%41"), Some(7)));
    assert_eq!(listed.next, None);
}

#[tokio::test]
async fn a_page_that_is_cut_and_has_no_token_is_an_error() {
    let error = list(page(&format!("{ROW}<IsTruncated>true</IsTruncated>"))).await;
    assert_eq!(error.expect_err("cut").kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_token_after_the_last_page_is_passed_over() {
    let inner = "<IsTruncated>false</IsTruncated><NextContinuationToken>x</NextContinuationToken>";
    assert_eq!(list(page(inner)).await.expect("a page").next, None);
}

#[tokio::test]
async fn a_listing_that_repeats_its_token_ends_with_an_error() {
    let inner = format!(
        "{ROW}<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>"
    );
    let server = Server::start(move |_| page(&inner)).await;
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
        "",
        "<ListBucketResult><Contents><Key>cut",
        "<Error><Code>InternalError</Code><Message>m</Message></Error>",
    ] {
        let error = list(Answer::new("200 OK", &[], body)).await.expect_err("no listing");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Protocol, Retry::Never), "{body}");
        assert!(error.hint().is_some(), "{body}");
    }
}

#[tokio::test]
async fn a_page_that_breaks_is_asked_for_again_and_never_a_shorter_one() {
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n<ListBucketResult>{ROW}");
    let error = list(Answer::raw(cut)).await.expect_err("cut");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later));
}

#[tokio::test]
async fn a_page_without_end_is_left_at_the_limit() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n".to_owned();
    let error = list(Answer::raw(head + &"x".repeat(40_000_000))).await.expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_denied_listing_is_told_from_a_denied_read() {
    let error =
        list(Answer::error("403 Forbidden", "AccessDenied", &[])).await.expect_err("denied");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(
        error.to_string().contains("listing the bucket is not allowed in s3://bucket/"),
        "{error}"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("s3:ListBucket")));
}
