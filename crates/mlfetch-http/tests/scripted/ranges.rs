//! Exactly the range that was asked for, of exactly the object that was meant.

use std::ops::Range;

use futures_util::TryStreamExt as _;
use mlfetch_store::{Error, ErrorKind, Key, Object, ReadRequest, Store as _};

use crate::server::{Answer, Server, WebServer};

async fn read(answer: Answer, request: ReadRequest) -> Result<Object, Error> {
    let server = Server::start(move |_| answer.clone()).await;
    server.store().read(&Key::from("x"), request).await
}

fn part(content_range: &str, body: &str) -> Answer {
    let header = format!("Content-Range: {content_range}");
    Answer::new("206 Partial Content", &[&header, "ETag: \"1\""], body)
}

fn range(range: Range<u64>) -> ReadRequest {
    ReadRequest::new().with_range(range)
}

async fn kind(answer: Answer, request: ReadRequest) -> ErrorKind {
    read(answer, request).await.expect_err("an error").kind()
}

#[tokio::test]
async fn a_range_is_given_and_the_size_is_that_of_the_whole() {
    let object = read(part("bytes 2-4/10", "cde"), range(2..5)).await.expect("a range");
    assert_eq!((object.start, object.info.size), (2, Some(10)));
    let object = read(part("bytes 2-4/*", "cde"), range(2..5)).await.expect("a range");
    assert_eq!((object.start, object.info.size), (2, None));
}

#[tokio::test]
async fn a_range_beyond_the_end_is_cut_there() {
    let object = read(part("bytes 8-9/10", "ij"), range(8..100)).await.expect("a range");
    assert_eq!((object.start, object.info.size), (8, Some(10)));
}

#[tokio::test]
async fn another_range_than_asked_is_an_error() {
    for (given, body) in [
        ("bytes 0-2/10", "abc"),
        ("bytes 2-5/10", "cdef"),
        ("bytes 2-3/10", "cd"),
        ("bytes 3-4/10", "de"),
        ("bytes 2-4/10", "cd"),
        ("bytes 4-2/10", "cde"),
        ("bytes */10", "cde"),
        ("lines 2-4/10", "cde"),
        ("", "cde"),
    ] {
        assert_eq!(kind(part(given, body), range(2..5)).await, ErrorKind::Protocol, "{given}");
    }
    let parts = Answer::new(
        "206 Partial Content",
        &["Content-Type: multipart/byteranges; boundary=x"],
        "--x\r\nContent-Range: bytes 2-4/10\r\n\r\ncde\r\n--x--",
    );
    assert_eq!(kind(parts, range(2..5)).await, ErrorKind::Protocol);
}

#[tokio::test]
async fn the_whole_is_not_given_for_a_range() {
    assert_eq!(kind(Answer::ok("0123456789"), range(2..5)).await, ErrorKind::Unsupported);
    assert_eq!(kind(Answer::ok("0123456789"), range(0..5)).await, ErrorKind::Unsupported);
    let object =
        read(Answer::ok("0123456789"), range(0..10)).await.expect("the range is the whole");
    assert_eq!((object.start, object.info.size), (0, Some(10)));
}

#[tokio::test]
async fn a_range_behind_the_end_says_how_long_the_object_is() {
    let answer = Answer::new("416 Range Not Satisfiable", &["Content-Range: bytes */10"], "");
    let error = read(answer, range(20..30)).await.expect_err("no such bytes");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("10 bytes"), "{error}");
}

#[tokio::test]
async fn an_empty_range_has_no_bytes_and_a_reversed_one_is_an_error() {
    let object = read(Answer::new("200 OK", &[], ""), range(5..5)).await.expect("nothing");
    assert_eq!(object.start, 5);
    let bytes: Vec<_> = object.body.try_collect().await.expect("no bytes");
    assert!(bytes.is_empty());
    let reversed = ReadRequest::new().with_range(Range { start: 5, end: 2 });
    assert_eq!(kind(Answer::ok(""), reversed).await, ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_chunked_part_must_have_the_length_of_its_range() {
    for (chunk, right) in [("3\r\ncde", true), ("2\r\ncd", false), ("4\r\ncdef", false)] {
        let text = format!(
            "HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n\
             Content-Range: bytes 2-4/10\r\n\r\n{chunk}\r\n0\r\n\r\n"
        );
        let object = read(Answer::raw(text), range(2..5)).await.expect("a range");
        let bytes: Result<Vec<_>, Error> = object.body.try_collect().await;
        assert_eq!(bytes.is_ok(), right, "{chunk}");
    }
}

#[tokio::test]
async fn a_server_that_passes_over_if_match_does_not_change_the_object_unseen() {
    let tied = || ReadRequest::new().with_if_match("\"1\"".to_owned());
    let with = |etag: &str| Answer::new("200 OK", &[&format!("ETag: {etag}")], "x");
    let object = read(with("\"1\""), tied()).await.expect("the same");
    assert_eq!(object.info.etag.as_deref(), Some("\"1\""));
    assert_eq!(kind(with("\"2\""), tied()).await, ErrorKind::Changed);
    assert_eq!(kind(with("W/\"1\""), tied()).await, ErrorKind::Changed);
    assert_eq!(kind(Answer::ok("x"), tied()).await, ErrorKind::Changed);
    let failed = Answer::new("412 Precondition Failed", &[], "");
    assert_eq!(kind(failed, tied()).await, ErrorKind::Changed);
}

#[tokio::test]
async fn a_weak_tag_is_no_tag() {
    let weak = Answer::new("200 OK", &["ETag: W/\"1\""], "x");
    let object = read(weak, ReadRequest::new()).await.expect("an object");
    assert_eq!(object.info.etag, None);
}

#[tokio::test]
async fn what_is_asked_stands_in_the_request() {
    let server = Server::start(|_| part("bytes 2-4/10", "cde")).await;
    let request = range(2..5).with_if_match("\"1\"".to_owned());
    server.store().read(&Key::from("a b/%41"), request).await.expect("a range");
    let seen = server.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/a%20b/%2541"));
    assert_eq!(seen.header("range"), Some("bytes=2-4"));
    assert_eq!(seen.header("if-match"), Some("\"1\""));
    assert!(seen.header("want-repr-digest").is_some());
}

#[tokio::test]
async fn a_version_is_not_given_by_http() {
    let request = ReadRequest::new().with_version("7".to_owned());
    assert_eq!(kind(Answer::ok("x"), request).await, ErrorKind::Unsupported);
}
