//! Answers that are not the answer to what was asked.

use mlfetch_store::{Error, ErrorKind, Key, ReadRequest, Retry, Store as _};

use crate::server::{Answer, S3Answer, Server};
use crate::support::{bytes, open};

const TAG: &str = "ETag: \"t\"";

async fn ask(answer: Answer, request: ReadRequest) -> Result<Vec<u8>, Error> {
    let server = Server::start(move |_| answer.clone()).await;
    let store = open(&server.url()).await;
    bytes(store.read(&Key::from("a"), request).await?).await
}

fn middle() -> ReadRequest {
    ReadRequest::new().with_range(2..6)
}

#[tokio::test]
async fn the_whole_instead_of_a_range_is_an_error() {
    let answer = Answer::new("200 OK", &[TAG], "0123456789");
    let error = ask(answer.clone(), middle()).await.expect_err("no range");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let whole = ask(answer, ReadRequest::new().with_range(0..10)).await;
    assert_eq!(whole.expect("the range is the whole"), b"0123456789");
}

#[tokio::test]
async fn another_range_is_an_error() {
    for range in ["bytes 0-3/10", "bytes 2-4/10", "bytes 2-6/10", "bytes 5-2/10", "2-5", ""] {
        let range = format!("Content-Range: {range}");
        let answer = Answer::new("206 Partial Content", &[TAG, &range], "2345");
        let error = ask(answer, middle()).await.expect_err("another range");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{range}");
    }
}

#[tokio::test]
async fn a_range_that_goes_beyond_the_end_is_cut_there() {
    let answer = Answer::new("206 Partial Content", &[TAG, "Content-Range: bytes 2-3/4"], "23");
    assert_eq!(ask(answer, middle()).await.expect("a range"), b"23");
}

#[tokio::test]
async fn another_tag_than_the_one_asked_for_is_a_change() {
    let tied = || ReadRequest::new().with_if_match("\"u\"".to_owned());
    for headers in [&[TAG][..], &[]] {
        let error = ask(Answer::new("200 OK", headers, "x"), tied()).await.expect_err("changed");
        assert_eq!(error.kind(), ErrorKind::Changed);
    }
    let refusal = Answer::error("412 Precondition Failed", "PreconditionFailed", &[]);
    assert_eq!(ask(refusal, tied()).await.expect_err("changed").kind(), ErrorKind::Changed);
}

#[tokio::test]
async fn a_body_that_ends_too_early_is_an_error_to_ask_again_for() {
    let cut = "HTTP/1.1 200 OK\r\nETag: \"t\"\r\nContent-Length: 10\r\n\r\n01234";
    let error = ask(Answer::raw(cut), ReadRequest::new()).await.expect_err("cut");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later));
    let chunked = "HTTP/1.1 206 Partial Content\r\nETag: \"t\"\r\nContent-Range: bytes 2-5/10\r\n\
                   Transfer-Encoding: chunked\r\n\r\n2\r\n23\r\n0\r\n\r\n";
    let error = ask(Answer::raw(chunked), middle()).await.expect_err("cut");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Integrity, Retry::Later));
}

#[tokio::test]
async fn what_is_asked_is_what_the_request_says() {
    let server = Server::start(|_| {
        Answer::new("206 Partial Content", &[TAG, "Content-Range: bytes 2-5/10"], "2345")
    })
    .await;
    let store = open(&server.url()).await;
    let request = middle().with_if_match("\"t\"".to_owned()).with_version("v+1".to_owned());
    let object = store.read(&Key::from("d/ä"), request).await.expect("a range");
    assert_eq!((object.start, object.info.size), (2, Some(10)));
    assert_eq!(object.info.version.as_deref(), Some("v+1"));
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/bucket/d/%C3%A4?versionId=v%2B1");
    assert_eq!(seen.header("range"), Some("bytes=2-5"));
    assert_eq!(seen.header("if-match"), Some("\"t\""));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    // It would be one of the whole, and nobody may take it for one of the range.
    assert_eq!(seen.header("x-amz-checksum-mode"), None);
}

#[tokio::test]
async fn what_is_stored_compressed_stays_so() {
    let headers = [TAG, "Content-Encoding: gzip"];
    let answer = Answer::new("200 OK", &headers, b"\x1f\x8b\x08\x00not really");
    assert_eq!(
        ask(answer, ReadRequest::new()).await.expect("bytes"),
        b"\x1f\x8b\x08\x00not really"
    );
}
