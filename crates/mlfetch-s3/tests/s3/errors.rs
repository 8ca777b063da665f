//! What an error says, whether it is asked again, and what it costs. The table itself is tested beside
//! it; here its rows come over the wire.

use std::time::Duration;

use mlfetch_store::{
    Depth, Error, ErrorKind, Key, ListRequest, ReadRequest, Retry, StatRequest, Store as _,
};

use crate::server::{Answer, S3Answer, Server};
use crate::support::{open, open_as, signed_in};

async fn fail(answer: Answer) -> Error {
    let server = Server::start(move |_| answer.clone()).await;
    open(&server.url())
        .await
        .read(&Key::from("a/b"), ReadRequest::new())
        .await
        .expect_err("refused")
}

#[tokio::test]
async fn slow_down_is_asked_again_after_the_server_s_own_time() {
    let busy = |headers: &[&str]| Answer::error("503 Slow Down", "SlowDown", headers);
    let error = fail(busy(&["Retry-After: 7"])).await;
    let wait = Retry::After(Duration::from_secs(7));
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, wait));
    assert_eq!(fail(busy(&[])).await.retry(), Retry::Later);
}

#[tokio::test]
async fn an_archived_object_is_named_as_such_and_not_asked_for_again() {
    let body = include_str!("../data/archived.xml");
    let error = fail(Answer::new("403 Forbidden", &[], body)).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unsupported, Retry::Never));
    let text = error.to_string();
    assert!(text.starts_with("cannot read `a/b`: it is archived"), "{text}");
    assert!(text.contains("GLACIER"), "{text}");
}

#[tokio::test]
async fn one_call_is_one_request() {
    let server = Server::start(|_| Answer::error("503 Slow Down", "SlowDown", &[])).await;
    let store = open(&server.url()).await;
    store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("busy");
    store.list_page(ListRequest::new(Key::root(), Depth::All)).await.expect_err("busy");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_refused_stat_asks_for_a_byte_to_hear_why() {
    let server = Server::start(|request| match request.method.as_str() {
        "HEAD" => Answer::head("400 Bad Request", 0, &[]),
        _ => Answer::error("400 Bad Request", "InvalidToken", &[]),
    })
    .await;
    let stat = open(&server.url()).await.stat(&Key::from("a"), StatRequest::new()).await;
    let error = stat.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert_eq!(server.seen()[1].header("range"), Some("bytes=0-0"));
}

#[tokio::test]
async fn a_server_that_knows_no_head_is_asked_for_a_byte() {
    let server = Server::start(|request| match request.method.as_str() {
        "HEAD" => Answer::head("501 Not Implemented", 0, &[]),
        _ => {
            Answer::new("206 Partial Content", &["ETag: \"t\"", "Content-Range: bytes 0-0/42"], "x")
        }
    })
    .await;
    let stat = open(&server.url()).await.stat(&Key::from("a"), StatRequest::new()).await;
    assert_eq!(stat.expect("facts").size, Some(42));
}

#[tokio::test]
async fn a_stat_of_what_is_missing_is_one_request() {
    let server = Server::start(|_| Answer::head("404 Not Found", 0, &[])).await;
    let stat = open(&server.url()).await.stat(&Key::from("a"), StatRequest::new()).await;
    assert_eq!(stat.expect_err("missing").kind(), ErrorKind::NotFound);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_page_for_people_is_never_an_object() {
    let login = ["Content-Type: text/html; charset=utf-8"];
    let error = fail(Answer::new("200 OK", &login, "<html>Sign in</html>")).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.hint().is_some_and(|hint| hint.contains("endpoint-url")), "{error:?}");
    let stored = ["Content-Type: text/html", "ETag: \"t\""];
    let server = Server::start(move |_| Answer::new("200 OK", &stored, "<html>")).await;
    let read = open(&server.url()).await.read(&Key::from("a.html"), ReadRequest::new()).await;
    read.expect("a page that somebody stored");
}

#[tokio::test]
async fn an_error_body_that_stalls_or_is_cut_does_not_hide_the_status() {
    let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nno";
    assert_eq!(fail(Answer::raw(head)).await.kind(), ErrorKind::NotFound);
    let stalled = fail(Answer::raw(head).then_stall());
    let error = tokio::time::timeout(Duration::from_secs(30), stalled).await.expect("an end");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_is_secret_and_echoed_is_not_shown() {
    let server = Server::start(|request| {
        let echo = request.header("x-amz-security-token").unwrap_or("my-secret-key").to_owned();
        let body = format!("<Error><Code>AccessDenied</Code><Message>{echo}</Message></Error>");
        Answer::new("403 Forbidden", &[], body)
    })
    .await;
    let store = open_as(&server.url(), &signed_in("id", "my-secret-key")).await;
    let error = store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("denied");
    let shown = format!("{error} {error:?} {store:?}");
    assert!(shown.contains("[secret]") && !shown.contains("my-secret-key"), "{shown}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let server = Server::start(|_| Answer::head("200 OK", 0, &[])).await;
    let (url, store) = (server.url(), open(&server.url()).await);
    server.stop().await;
    let error = store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("nobody there");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Later));
    assert!(error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_unreachable() {
    let store = open("http://nowhere.invalid").await;
    let error = store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("no such host");
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("endpoint-url")));
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_broken_connection() {
    let error = fail(Answer::raw("SSH-2.0-OpenSSH_9.2\r\n\r\n")).await;
    assert_eq!(error.kind(), ErrorKind::Network, "{error:?}");
}

#[tokio::test]
async fn the_bucket_itself_is_no_object() {
    let server = Server::start(|_| Answer::head("200 OK", 0, &[])).await;
    let store = open(&server.url()).await;
    let stat = store.stat(&Key::root(), StatRequest::new()).await.expect_err("no object");
    let read = store.read(&Key::root(), ReadRequest::new()).await.expect_err("no object");
    assert_eq!([stat.kind(), read.kind()], [ErrorKind::IsDirectory; 2]);
    assert!(server.seen().is_empty());
}
