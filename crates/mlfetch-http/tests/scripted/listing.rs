//! Listings from indexes, and from what is none.

use std::num::NonZeroUsize;

use mlfetch_store::{Depth, Entry, Error, ErrorKind, Key, ListRequest, Page, Store as _};

use crate::server::{Answer, Server, WebServer};

const INDEX: &str = "<title>Index of /d/</title><a href=\"../\">up</a><a href=\"?C=M;O=A\">sort</a>\
     <a href=\"a%20b\">a</a><a href=\"c/\">c</a><a href=\"http://other.example/d/e\">e</a>\
     <a href=\"..%2fescape\">f</a></html>";

fn html(page: impl AsRef<[u8]>) -> Answer {
    Answer::new("200 OK", &["Content-Type: text/html"], page)
}

async fn list(answer: Answer) -> Result<Page, Error> {
    let server = Server::start(move |_| answer.clone()).await;
    server.store().list_page(ListRequest::new(Key::from("d/"), Depth::One)).await
}

#[tokio::test]
async fn only_what_is_in_the_directory_is_listed_and_what_cannot_be_is_named() {
    let page = list(html(INDEX)).await.expect("a page");
    let rows: Vec<String> = page
        .entries
        .iter()
        .map(|entry| match entry {
            Entry::Object(info) => format!("object {}", info.key),
            Entry::Directory(key) => format!("directory {key}"),
            Entry::Refused(refused) => format!("refused {}", refused.key),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(rows, ["object d/a b", "directory d/c/", "refused d/../escape"]);
    assert!(page.next.is_none());
}

#[tokio::test]
async fn a_page_that_is_no_index_is_not_read_as_one() {
    for answer in [
        html("<title>My model</title><a href=\"a\">a</a>"),
        html("<form action=login>"),
        Answer::ok("name,size\n"),
        Answer::new("200 OK", &["Content-Type: application/json"], "{\"files\": [\"a\"]}"),
    ] {
        let error = list(answer).await.expect_err("no index");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn an_index_that_is_forbidden_or_missing_says_so() {
    let error = list(Answer::new("403 Forbidden", &[], "")).await.expect_err("forbidden");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.hint().is_some_and(|hint| hint.contains("listings")));
    let error = list(Answer::new("404 Not Found", &[], "")).await.expect_err("missing");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_index_without_end_is_left_at_the_limit() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1073741824\r\n\r\n";
    let server = Server::start(move |_| Answer::raw(head).then_flood(1 << 30)).await;
    let request = ListRequest::new(Key::root(), Depth::One);
    let error = server.store().list_page(request).await.expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(server.flooded() < 1 << 27, "{} bytes were taken", server.flooded());
}

#[tokio::test]
async fn an_index_that_is_cut_is_an_error_not_a_shorter_list() {
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{INDEX}");
    assert_eq!(list(Answer::raw(cut)).await.expect_err("cut").kind(), ErrorKind::Network);
}

#[tokio::test]
async fn an_index_that_http_calls_whole_and_is_not_may_be_asked_for_again() {
    let cut = list(html(&INDEX[..INDEX.len() - 20])).await.expect_err("cut");
    // An answer that makes no sense is.
    assert_eq!(cut.kind(), ErrorKind::Protocol);
    for cut in ["", "<html>\r\n<head><title>Index of", "[{\"name\""] {
        assert_eq!(list(html(cut)).await.expect_err("cut").kind(), ErrorKind::Protocol, "{cut}");
    }
}

#[tokio::test]
async fn a_compressed_index_is_an_error() {
    let answer = Answer::new("200 OK", &["Content-Encoding: gzip"], INDEX);
    assert_eq!(list(answer).await.expect_err("compressed").kind(), ErrorKind::Protocol);
}

fn page_of_one(token: Option<mlfetch_store::PageToken>) -> ListRequest {
    let one = NonZeroUsize::new(1);
    ListRequest::new(Key::from("d/"), Depth::One).with_max_entries(one).with_token(token)
}

#[tokio::test]
async fn pages_of_one_fetch_the_index_once() {
    let server = Server::start(|_| html(INDEX)).await;
    let store = server.store();
    let (mut rows, mut token) = (0, None);
    loop {
        let page = store.list_page(page_of_one(token)).await.expect("a page");
        rows += page.entries.len();
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!((rows, server.seen().len()), (3, 1));
}

#[tokio::test]
async fn pages_of_two_different_indexes_are_not_mixed() {
    let server = Server::start(|request| {
        let more = if request.header("authorization").is_some() { "<a href=z>" } else { "" };
        html(format!("{INDEX}{more}"))
    })
    .await;
    let first = server.store().list_page(page_of_one(None)).await.expect("a page");
    // Another store has nothing kept: it fetches the index again.
    let same = server.store().list_page(page_of_one(first.next.clone())).await;
    assert_eq!(same.expect("a page").entries.len(), 1);
    let token = mlfetch_http::Credential::Bearer(mlfetch_store::Secret::new("token"));
    let other = server.store().with_credential(token);
    let error = other.list_page(page_of_one(first.next)).await.expect_err("it changed");
    assert_eq!(error.kind(), ErrorKind::Changed);
}

#[tokio::test]
async fn all_depths_at_once_are_not_offered() {
    let server = Server::start(|_| html(INDEX)).await;
    for (prefix, depth) in [("d/", Depth::All), ("d", Depth::One)] {
        let request = ListRequest::new(Key::from(prefix), depth);
        let error = server.store().list_page(request).await.expect_err("not offered");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn an_index_behind_a_folded_prefix_is_refused() {
    let server = Server::start(|_| html(INDEX)).await;
    let request = ListRequest::new(Key::from("a//d/"), Depth::One);
    let error = server.store().list_page(request).await.expect_err("folded");
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
}
