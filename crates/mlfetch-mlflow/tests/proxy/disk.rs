//! A server with its artifacts on its own disk.

use std::path::PathBuf;

use mlfetch_mlflow::{ProxyStore, Transfer};
use mlfetch_store::{ErrorKind, Key, ReadRequest, Retry, StatRequest, Store};

use crate::support::{bytes_of, config, fresh_prefix, list, open, read, read_error, variable};

/// A run's directory on the server's disk, and its prefix behind the proxy.
struct Run {
    directory: PathBuf,
    prefix: Key,
}

impl Run {
    fn with(files: &[(&str, &str)]) -> Self {
        let prefix = fresh_prefix();
        let root = PathBuf::from(variable("MLFETCH_TEST_MLFLOW_PROXIED_ROOT"));
        let directory = root.join(prefix.to_str().expect("text"));
        for (name, text) in files {
            let path = directory.join(name);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("is made");
            std::fs::write(path, text).expect("is written");
        }
        Self { directory, prefix }
    }

    fn key(&self, name: &str) -> Key {
        self.prefix.append(name)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // What cannot be removed goes with the server's own directory.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn server() -> ProxyStore {
    open(&variable("MLFETCH_TEST_MLFLOW_PROXIED"))
}

#[tokio::test]
async fn a_file_has_size_time_and_the_tag_of_its_reads() {
    let run = Run::with(&[("d/x.txt", "0123456789")]);
    let store = server();
    let info = store.stat(&run.key("d/x.txt"), StatRequest::new()).await.expect("facts");
    assert_eq!(info.size, Some(10));
    assert!(info.modified.is_some() && info.checksums.is_empty());
    let request = ReadRequest::new().with_range(2..5).with_if_match(info.etag);
    let object = store.read(&run.key("d/x.txt"), request).await.expect("a range");
    assert_eq!((object.start, object.info.size), (2, Some(10)));
    assert_eq!(bytes_of(object).await.expect("bytes"), b"234");
    let taken = store.taken().expect("it came");
    assert_eq!(
        (taken.way, taken.why),
        ("proxy", Some("the server signs no URLs for its artifacts"))
    );
}

#[tokio::test]
async fn a_file_that_changed_between_two_ranges_is_changed() {
    let run = Run::with(&[("x.txt", "0123456789")]);
    let store = server();
    let info = store.stat(&run.key("x.txt"), StatRequest::new()).await.expect("facts");
    std::fs::write(run.directory.join("x.txt"), "abcdefghijk").expect("is written");
    for range in [None, Some(2..5)] {
        let request = ReadRequest::new().with_range(range).with_if_match(info.etag.clone());
        let error = read_error(&store, &run.key("x.txt"), request).await;
        assert_eq!(error.kind(), ErrorKind::Changed, "{error:?}");
    }
}

#[tokio::test]
async fn an_encoded_name_never_gives_the_decoded_file() {
    let run = Run::with(&[("%41.txt", "encoded"), ("A.txt", "decoded")]);
    let store = server();
    let (names, refused) = list(&store, &run.prefix).await.expect("a listing");
    assert_eq!(names, ["A.txt"]);
    assert_eq!(refused.len(), 1);
    let error = read_error(&store, &run.key("%41.txt"), ReadRequest::new()).await;
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    assert!(error.hint().is_some_and(|hint| hint.contains("--via direct")));
    assert_eq!(read(&store, &run.key("A.txt")).await.expect("bytes"), b"decoded");
}

#[tokio::test]
async fn names_that_lose_their_end_arrive_nevertheless() {
    let run = Run::with(&[("a?", "asked"), ("a;", "parted"), ("a", "plain"), ("d?/x", "inside")]);
    let store = server();
    for (name, text) in [("a?", "asked"), ("a;", "parted"), ("a", "plain"), ("d?/x", "inside")] {
        assert_eq!(read(&store, &run.key(name)).await.expect(name), text.as_bytes());
    }
    assert_eq!(list(&store, &run.key("d?/")).await.expect("a listing").0, ["x"]);
    let error = read_error(&store, &run.key("b?"), ReadRequest::new()).await;
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
}

#[tokio::test]
async fn a_directory_and_the_top_are_directories() {
    let run = Run::with(&[("d/x.txt", "x")]);
    let store = server();
    for key in [run.key("d"), run.key("d/"), Key::root()] {
        let stat = store.stat(&key, StatRequest::new()).await.expect_err("a directory");
        let read = read_error(&store, &key, ReadRequest::new()).await;
        assert_eq!((stat.kind(), read.kind()), (ErrorKind::IsDirectory, ErrorKind::IsDirectory));
    }
}

#[tokio::test]
async fn a_file_asked_for_as_a_directory_has_no_bytes() {
    let run = Run::with(&[("x.txt", "x")]);
    let error = read_error(&server(), &run.key("x.txt/"), ReadRequest::new()).await;
    assert_eq!(error.kind(), ErrorKind::IsDirectory);
}

#[tokio::test]
async fn an_empty_file_has_no_size_in_a_listing_and_zero_in_a_stat() {
    let run = Run::with(&[("empty", "")]);
    let store = server();
    let info = store.stat(&run.key("empty"), StatRequest::new()).await.expect("facts");
    assert_eq!(info.size, Some(0));
    assert_eq!(read(&store, &run.key("empty")).await.expect("bytes"), b"");
}

#[tokio::test]
async fn a_link_out_of_the_artifacts_is_refused() {
    let run = Run::with(&[("x.txt", "x")]);
    std::os::unix::fs::symlink("/etc/hostname", run.directory.join("out")).expect("a link");
    let error = read_error(&server(), &run.key("out"), ReadRequest::new()).await;
    assert_eq!(error.kind(), ErrorKind::Refused, "{error:?}");
}

#[tokio::test]
async fn a_dangling_link_spoils_the_listing_and_not_its_neighbours() {
    let run = Run::with(&[("x.txt", "12345")]);
    std::os::unix::fs::symlink("/nowhere/at/all", run.directory.join("gone")).expect("a link");
    let store = server();
    let error = list(&store, &run.prefix).await.expect_err("MLflow 3.17 answers 500");
    assert!(error.hint().is_some_and(|hint| hint.contains("dangling")), "{error:?}");
    let info = store.stat(&run.key("x.txt"), StatRequest::new()).await.expect("facts");
    assert_eq!(info.size, Some(5));
}

#[tokio::test]
async fn signed_urls_that_a_disk_cannot_have_are_a_clear_error() {
    let run = Run::with(&[("x.txt", "x")]);
    let config = config(&variable("MLFETCH_TEST_MLFLOW_PROXIED"));
    let store = ProxyStore::open(config.with_transfer(Transfer::Presigned));
    let error = read_error(&store, &run.key("x.txt"), ReadRequest::new()).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unsupported, Retry::Never));
    assert!(error.hint().is_some_and(|hint| hint.contains("--via proxy")), "{error:?}");
}
