//! What an error says, and what it costs.

use std::time::Duration;

use mlfetch_store::{Error, ErrorKind, Key, ReadRequest, Retry, Store as _};

use crate::server::{Answer, Server, WebServer};

async fn fail(answer: Answer) -> Error {
    let server = Server::start(move |_| answer.clone()).await;
    server.store().read(&Key::from("x"), ReadRequest::new()).await.expect_err("an error")
}

#[tokio::test]
async fn the_server_s_time_to_wait_is_passed_on() {
    let busy = |headers: &[&str]| Answer::new("503 Service Unavailable", headers, "busy");
    let error = fail(busy(&["Retry-After: 7"])).await;
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)));
    assert_eq!(
        error.to_string(),
        "cannot read `x`: the server answered 503 Service Unavailable: busy"
    );
    assert_eq!(fail(busy(&[])).await.retry(), Retry::Later);
    let error = fail(Answer::new("404 Not Found", &["Retry-After: 7"], "")).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::NotFound, Retry::Never));
}

#[tokio::test]
async fn an_endless_error_body_is_not_read_to_its_end() {
    const GIGABYTE: u64 = 1 << 30;
    let head = format!("HTTP/1.1 500 Internal Server Error\r\nContent-Length: {GIGABYTE}\r\n\r\n");
    let server = Server::start(move |_| Answer::raw(head.as_str()).then_flood(GIGABYTE)).await;
    let read = server.store().read(&Key::from("x"), ReadRequest::new()).await;
    let error = read.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().len() < 2048);
    // What the kernel takes in on both sides is beyond anybody's control, and far from a gigabyte.
    assert!(server.flooded() < GIGABYTE / 10, "{} bytes were taken", server.flooded());
}

#[tokio::test]
async fn an_error_body_that_stalls_does_not_hide_the_status() {
    let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n";
    let failed = fail(Answer::raw(head).then_stall());
    let error = tokio::time::timeout(Duration::from_secs(30), failed).await.expect("an end");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_error_body_that_is_cut_does_not_hide_the_status() {
    let error = fail(Answer::raw("HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nno")).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn of_an_html_page_only_the_title_is_shown() {
    let page = "<html><title>Maintenance &amp; more</title><body>a long story</body>";
    let html = ["Content-Type: text/html"];
    let error = fail(Answer::new("503 Service Unavailable", &html, page)).await;
    let text = error.to_string();
    assert!(text.ends_with("503 Service Unavailable: Maintenance & more"), "{text}");
    let error = fail(Answer::new("404 Not Found", &html, "<title>404 Not Found</title>")).await;
    assert_eq!(error.to_string(), "cannot read `x`: the server answered 404 Not Found");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let server = Server::start(|_| Answer::ok("")).await;
    let store = server.store();
    server.stop().await;
    let error = store.read(&Key::from("x"), ReadRequest::new()).await.expect_err("nobody there");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Later));
}

#[tokio::test]
async fn a_header_block_without_end_is_an_error() {
    let endless = "HTTP/1.1 200 OK\r\nX-Long: ";
    let server = Server::start(move |_| Answer::raw(endless).then_flood(1 << 30)).await;
    let read = server.store().read(&Key::from("x"), ReadRequest::new()).await;
    read.expect_err("too long a header");
    assert!(server.flooded() < 1 << 26, "{} bytes were taken", server.flooded());
}
