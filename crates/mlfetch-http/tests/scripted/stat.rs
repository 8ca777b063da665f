//! What is known of an object without its bytes.

use mlfetch_store::{ErrorKind, Key, ObjectInfo, Result, StatRequest, Store as _};

use crate::server::{Answer, Server, WebServer, client};

async fn stat(server: &Server) -> Result<ObjectInfo> {
    server.store().stat(&Key::from("x"), StatRequest::new()).await
}

/// The head of an answer to `HEAD`.
fn head(headers: &str) -> Answer {
    Answer::raw(format!("HTTP/1.1 200 OK\r\n{headers}\r\n"))
}

#[tokio::test]
async fn facts_are_taken_from_the_headers() {
    let server = Server::start(|_| {
        head(
            "Content-Length: 11\r\nETag: \"1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             Repr-Digest: md5=:1B2M2Y8AsgTpgAmY7PhCfg==:\r\n",
        )
    })
    .await;
    let info = stat(&server).await.expect("facts");
    assert_eq!((info.size, info.etag.as_deref()), (Some(11), Some("\"1\"")));
    assert!(info.modified.is_some());
    assert_eq!(info.checksums[0].hex(), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(server.seen()[0].method, "HEAD");
}

#[tokio::test]
async fn digests_are_asked_for_when_the_caller_wants_them() {
    let server = Server::start(|_| head("Content-Length: 0\r\n")).await;
    let store = server.store();
    for request in [StatRequest::new(), StatRequest::new().with_checksums()] {
        store.stat(&Key::from("x"), request).await.expect("facts");
    }
    let asked: Vec<bool> =
        server.seen().iter().map(|seen| seen.header("want-repr-digest").is_some()).collect();
    assert_eq!(asked, [false, true]);
}

#[tokio::test]
async fn a_server_without_head_is_asked_for_the_first_byte() {
    for status in ["405 Method Not Allowed", "501 Not Implemented"] {
        let server = Server::start(move |request| match request.method.as_str() {
            "HEAD" => Answer::raw(format!("HTTP/1.1 {status}\r\n\r\n")),
            _ => Answer::new("206 Partial Content", &["Content-Range: bytes 0-0/42"], "x"),
        })
        .await;
        assert_eq!(stat(&server).await.expect("facts").size, Some(42));
        assert_eq!(server.seen()[1].header("range"), Some("bytes=0-0"));
    }
}

#[tokio::test]
async fn a_server_without_head_and_ranges_still_tells_the_size() {
    let server = Server::start(|request| match request.method.as_str() {
        "HEAD" => Answer::raw("HTTP/1.1 405 Method Not Allowed\r\n\r\n"),
        _ => Answer::ok("0123456789"),
    })
    .await;
    assert_eq!(stat(&server).await.expect("facts").size, Some(10));
}

#[tokio::test]
async fn an_empty_object_has_no_first_byte_and_is_there() {
    let server = Server::start(|request| match request.method.as_str() {
        "HEAD" => Answer::raw("HTTP/1.1 405 Method Not Allowed\r\n\r\n"),
        _ => Answer::new("416 Range Not Satisfiable", &["Content-Range: bytes */0"], ""),
    })
    .await;
    assert_eq!(stat(&server).await.expect("facts").size, Some(0));
}

#[tokio::test]
async fn a_signature_for_get_alone_is_enough() {
    let server = Server::start(|request| match request.method.as_str() {
        "HEAD" => Answer::raw("HTTP/1.1 403 Forbidden\r\n\r\n"),
        _ => Answer::new("206 Partial Content", &["Content-Range: bytes 0-0/42"], "x"),
    })
    .await;
    assert_eq!(stat(&server).await.expect_err("forbidden").kind(), ErrorKind::PermissionDenied);
    let root = server.at("/?sig=s3cret");
    let store = mlfetch_http::HttpStore::new(client(), &root).expect("a root");
    let info = store.stat(&Key::from("x"), StatRequest::new()).await.expect("facts");
    assert_eq!(info.size, Some(42));
}

/// The objects `a/b` and `a//b`, or one of them under both names.
async fn folding(fold: bool) -> Server {
    Server::start(move |request| {
        let size = if fold || request.target == "/a/b" { 1 } else { 2 };
        head(&format!("Content-Length: {size}\r\n"))
    })
    .await
}

#[tokio::test]
async fn a_key_with_empty_segments_is_refused_where_the_server_folds_it() {
    let key = Key::from("a//b");
    let server = folding(true).await;
    let error = server.store().stat(&key, StatRequest::new()).await.expect_err("folded");
    assert_eq!((error.kind(), error.subject()), (ErrorKind::InvalidKey, "a//b"));
    let server = folding(false).await;
    let info = server.store().stat(&key, StatRequest::new()).await.expect("kept apart");
    assert_eq!((info.size, server.seen()[0].target.as_str()), (Some(2), "/a//b"));
}

#[tokio::test]
async fn a_key_that_a_url_cannot_carry_asks_nobody() {
    let server = Server::start(|_| head("Content-Length: 1\r\n")).await;
    for name in ["..", "a/./b", "a\0"] {
        let error = server.store().stat(&Key::from(name), StatRequest::new()).await;
        assert_eq!(error.expect_err(name).kind(), ErrorKind::InvalidKey);
    }
    assert!(server.seen().is_empty());
}
