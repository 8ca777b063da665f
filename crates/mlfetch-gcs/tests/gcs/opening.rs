//! Locations and settings, and what is sent because of them.

use mlfetch_store::{ErrorKind, Key, Options, ReadRequest};

use crate::server::{Answer, GcsAnswer, Request, Server};
use crate::support::{bytes, open_location};

fn at(server: &Server) -> Options {
    Options::new().with("gcs-emulator-host", server.host())
}

/// What a server sees of a read of `gs://bucket/a`.
async fn seen(uri: &str, option: &str, value: &str) -> Request {
    let server = Server::start(|_| Answer::object("bytes", &[])).await;
    let options = at(&server).with(option, value);
    let opened = open_location(uri, &options).await.expect("a location");
    let object = opened.store.read(&opened.key, ReadRequest::new()).await.expect("an object");
    assert_eq!(bytes(object).await.expect("bytes"), b"bytes");
    server.seen().remove(0)
}

#[tokio::test]
async fn opening_asks_the_bucket_nothing() {
    let server = Server::start(|_| Answer::object("", &[])).await;
    let opened = open_location("gs://bucket/d/50%.txt", &at(&server)).await.expect("a location");
    assert_eq!(opened.key, Key::from("d/50%.txt"));
    assert_eq!(opened.store.info().root, "gs://bucket/");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn the_project_that_pays_is_named_with_each_request() {
    let request = seen("gs://bucket/a", "gcs-user-project", "my project").await;
    assert_eq!(request.decoded_parameter("userProject").as_deref(), Some("my project"));
}

#[tokio::test]
async fn an_emulator_is_shown_no_credential() {
    let key = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(key.path(), "not read at all").expect("written");
    let path = key.path().to_str().expect("text");
    let request = seen("gs://bucket/a", "gcs-credentials", path).await;
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn a_generation_is_the_one_of_the_object_that_the_location_names() {
    const GENERATION: &str = "1764000000000001";
    for (uri, option, value) in [
        ("gs://bucket/a#1764000000000001", "gcs-user-project", "x"),
        ("gs://bucket/a", "gcs-generation", GENERATION),
        ("gs://bucket/a#1764000000000001", "gcs-generation", "7"),
    ] {
        let request = seen(uri, option, value).await;
        assert_eq!(request.path(), "/storage/v1/b/bucket/o/a", "{uri}");
        assert_eq!(request.decoded_parameter("generation").as_deref(), Some(GENERATION), "{uri}");
    }
    let server = Server::start(|_| Answer::object("bytes", &[])).await;
    let uri = "gs://bucket/a#1764000000000001";
    let opened = open_location(uri, &at(&server)).await.expect("a location");
    opened.store.read(&Key::from("b"), ReadRequest::new()).await.expect("another object");
    assert_eq!(server.seen()[0].decoded_parameter("generation"), None);
    let options = at(&server).with("gcs-generation", GENERATION);
    let error = open_location("gs://bucket/d/", &options).await.expect_err("a directory");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn what_cannot_be_is_named_before_any_request() {
    for (option, value) in [
        ("gcs-endpoint", "storage.example"),
        ("gcs-emulator-host", "ftp://h"),
        ("gcs-anonymous", "perhaps"),
        ("gcs-generation", "latest"),
        ("gcs-credentials", "/no/such/file.json"),
    ] {
        let options = Options::new().with(option, value);
        let error = open_location("gs://bucket/a", &options).await.expect_err(option);
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{option}");
    }
}
