//! Bodies that are cut, stall, or are not what they seem.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use mlfetch_store::{Error, ErrorKind, Key, ReadRequest, Retry, Store as _};

use crate::server::{Answer, Server, WebServer};

/// Reads `/x` to its end.
async fn read(server: &Server) -> Result<Vec<u8>, Error> {
    let object = server.store().read(&Key::from("x"), ReadRequest::new()).await?;
    object
        .body
        .try_fold(Vec::new(), |all, chunk| async move { Ok([all, chunk.to_vec()].concat()) })
        .await
}

async fn broken(answer: &'static str) -> Error {
    let server = Server::start(move |_| Answer::raw(answer)).await;
    read(&server).await.expect_err(answer)
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_an_error_that_may_pass() {
    let error = broken("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort").await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later));
}

#[tokio::test]
async fn a_chunked_body_that_is_cut_is_an_error() {
    for cut in ["5\r\nbytes", "5\r\nbytes\r\n", "5\r\nby", "", "5\r\nbytes\r\n0\r\n"] {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let server = Server::start(move |_| Answer::raw(format!("{head}{cut}"))).await;
        let error = read(&server).await.expect_err(cut);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later), "{cut}");
    }
}

#[tokio::test]
async fn a_chunked_body_that_ends_is_whole() {
    let whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n0\r\n\r\n";
    let server = Server::start(move |_| Answer::raw(whole)).await;
    assert_eq!(read(&server).await.expect("bytes"), b"bytes");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_an_error() {
    let error = broken("").await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later));
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_an_error() {
    for answer in ["220 smtp.example\r\n", "\0\0\0\0", "HTTP/1.1 OK\r\n\r\n"] {
        broken(answer).await;
    }
}

#[tokio::test]
async fn two_lengths_that_differ_are_an_error() {
    broken("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab").await;
}

#[tokio::test]
async fn a_body_that_stalls_is_the_caller_s_to_end() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort";
    let server = Server::start(move |_| Answer::raw(head).then_stall()).await;
    let mut object =
        server.store().read(&Key::from("x"), ReadRequest::new()).await.expect("an object");
    assert_eq!(object.body.next().await.expect("a chunk").expect("bytes"), "short");
    let more = tokio::time::timeout(Duration::from_millis(50), object.body.next()).await;
    assert!(more.is_err(), "nothing more came, and nothing was made up");
}

#[tokio::test]
async fn compressed_bytes_stay_as_they_are() {
    // The magic number of gzip, and then nothing that could be decompressed.
    let bytes = b"\x1f\x8b\x08\x00stored";
    for encoding in ["gzip", "br", "deflate", "zstd", "identity"] {
        let header = format!("Content-Encoding: {encoding}");
        let server = Server::start(move |_| Answer::new("200 OK", &[&header], bytes)).await;
        assert_eq!(read(&server).await.expect("bytes"), bytes, "{encoding}");
        assert_eq!(server.seen()[0].header("accept-encoding"), Some("identity"));
    }
}

#[tokio::test]
async fn hints_before_the_answer_are_not_the_answer() {
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nContent-Length: 3\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbytes";
    for before in [early.to_owned(), early.repeat(3), "HTTP/1.1 100 Continue\r\n\r\n".to_owned()] {
        let text = format!("{before}{answer}");
        let server = Server::start(move |_| Answer::raw(text.as_str())).await;
        assert_eq!(read(&server).await.expect("bytes"), b"bytes");
    }
}

#[tokio::test]
async fn a_success_that_is_not_200_has_no_object() {
    for status in ["201 Created", "202 Accepted", "204 No Content", "206 Partial Content"] {
        let head = format!("HTTP/1.1 {status}\r\nContent-Range: bytes 0-4/5\r\n");
        let body =
            if status.starts_with("204") { "\r\n" } else { "Content-Length: 5\r\n\r\nbytes" };
        let server = Server::start(move |_| Answer::raw(format!("{head}{body}"))).await;
        assert_eq!(read(&server).await.expect_err(status).kind(), ErrorKind::Protocol, "{status}");
    }
}
