//! Listings that a real server does not give: directories of hierarchical namespaces, and nonsense.

use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use mlfetch_azure::AzureStore;
use mlfetch_store::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, Page, ReadRequest, StatRequest, Store as _,
    WalkLimits, walk,
};

use crate::server::{Answer, Server};
use crate::support::open;

fn page(rows: &str, next: &str) -> Answer {
    let xml = format!(
        "<?xml version=\"1.0\"?><EnumerationResults><Blobs>{rows}</Blobs>\
         <NextMarker>{next}</NextMarker></EnumerationResults>"
    );
    Answer::new("200 OK", &["Content-Type: application/xml"], xml)
}

const FILE: &str = "<Blob><Name>d/a</Name><Properties><Content-Length>1</Content-Length>\
                    </Properties></Blob>";
const FOLDER: &str = "<Blob><Name>d</Name><Properties><Content-Length>0</Content-Length>\
                      <ResourceType>directory</ResourceType></Properties>\
                      <Metadata><hdi_isfolder>true</hdi_isfolder></Metadata></Blob>";
const PREFIX: &str = "<BlobPrefix><Name>d/</Name></BlobPrefix>";

fn names(page: &Page) -> Vec<String> {
    let name = |entry: &Entry| match entry {
        Entry::Object(info) => format!("file {}", info.key),
        Entry::Directory(key) => format!("directory {key}"),
        other => format!("{other:?}"),
    };
    page.entries.iter().map(name).collect()
}

async fn list(store: &AzureStore, depth: Depth) -> Result<Page, Error> {
    store.list_page(ListRequest::new(Key::root(), depth)).await
}

#[tokio::test]
async fn a_blob_that_stands_for_a_directory_is_one() {
    let server = Server::start(|_| page(&format!("{FOLDER}{FILE}"), "")).await;
    let found = list(&open(&server.url()), Depth::All).await.expect("a page");
    assert_eq!(names(&found), ["directory d/", "file d/a"]);
    assert!(server.seen()[0].target.contains("include=metadata"));
}

#[tokio::test]
async fn a_directory_that_comes_twice_is_listed_once() {
    let server = Server::start(|_| page(&format!("{FOLDER}{PREFIX}"), "")).await;
    let found = list(&open(&server.url()), Depth::One).await.expect("a page");
    assert_eq!(names(&found), ["directory d/"]);
}

#[tokio::test]
async fn a_directory_that_comes_twice_in_two_pages_is_listed_once() {
    let server = Server::start(|request| match request.parameter("marker") {
        None => page(FOLDER, "m/1"),
        Some("m%2F1") => page(PREFIX, ""),
        other => panic!("the marker is {other:?}"),
    })
    .await;
    let store = open(&server.url());
    let first = list(&store, Depth::One).await.expect("a page");
    assert_eq!(names(&first), ["directory d/"]);
    let request = ListRequest::new(Key::root(), Depth::One).with_token(first.next);
    let second = store.list_page(request).await.expect("a page");
    assert!(names(&second).is_empty() && second.next.is_none());
}

#[tokio::test]
async fn a_directory_has_neither_facts_nor_bytes() {
    for header in ["x-ms-resource-type: directory", "x-ms-meta-hdi_isfolder: true"] {
        let answer =
            Answer::new("200 OK", &["x-ms-blob-type: BlockBlob", "ETag: \"t\"", header], "");
        let server = Server::start(move |_| answer.clone()).await;
        let store = open(&server.url());
        let stat = store.stat(&Key::from("d"), StatRequest::new()).await.expect_err("a directory");
        let read = store.read(&Key::from("d"), ReadRequest::new()).await.expect_err("a directory");
        assert_eq!([stat.kind(), read.kind()], [ErrorKind::IsDirectory; 2], "{header}");
    }
}

#[tokio::test]
async fn a_listing_that_repeats_its_marker_ends_with_an_error() {
    let server = Server::start(|_| page(FILE, "again")).await;
    let walked = walk(Arc::new(open(&server.url())), Key::root(), WalkLimits::default());
    let error = walked.try_collect::<Vec<_>>().await.expect_err("no end");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("repeats its marker"), "{error}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn rows_are_asked_for_as_somebody_wants_and_never_too_many() {
    let server = Server::start(|_| page("", "")).await;
    let store = open(&server.url());
    for rows in [None, NonZeroUsize::new(7), NonZeroUsize::new(100_000)] {
        let request = ListRequest::new(Key::root(), Depth::All).with_max_entries(rows);
        store.list_page(request).await.expect("a page");
    }
    let rows: Vec<_> =
        server.seen().iter().map(|seen| seen.parameter("maxresults").map(str::to_owned)).collect();
    assert_eq!(rows, ["2000", "7", "2000"].map(|text| Some(text.to_owned())));
}

#[tokio::test]
async fn a_page_for_people_is_never_a_listing() {
    let login = ["Content-Type: text/html; charset=utf-8"];
    let server =
        Server::start(move |_| Answer::new("200 OK", &login, "<html>Sign in</html>")).await;
    let error = list(&open(&server.url()), Depth::All).await.expect_err("no listing");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.hint().is_some_and(|hint| hint.contains("login")), "{error:?}");
}
