//! Runs whose files lie on the disk of a server that does not serve artifacts.

use std::path::PathBuf;

use mlfetch_http::header::{CONTENT_TYPE, HeaderValue};
use mlfetch_http::{ClientConfig, HttpClient, HttpRequest, Method, Url};
use mlfetch_mlflow::ProxyStore;
use mlfetch_store::{ErrorKind, Key, ReadRequest, StatRequest, Store};
use serde_json::{Value, json};

use crate::support::{bytes_of, config, fresh_prefix, list, read, read_error, variable};

async fn post(path: &str, body: &Value) -> Value {
    let url = format!("{}/api/2.0/mlflow/{path}", variable("MLFETCH_TEST_MLFLOW_DIRECT"));
    let request = HttpRequest::new(Method::POST, Url::parse(&url).expect("a URL"))
        .with_header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .with_body(body.to_string());
    let client = HttpClient::new(&ClientConfig::new()).expect("a client");
    let response = client.send(request).await.expect("an answer");
    let response = response.error_for_status().await.expect("a success");
    serde_json::from_slice(&response.bytes(1 << 20).await.expect("a body")).expect("JSON")
}

/// A run of the server, its files, and the store of it.
async fn run(files: &[(&str, &str)]) -> ProxyStore {
    let name = fresh_prefix().to_string();
    let experiment = post("experiments/create", &json!({ "name": name })).await;
    let run = post("runs/create", &json!({"experiment_id": experiment["experiment_id"]})).await;
    let info = &run["run"]["info"];
    let root = PathBuf::from(info["artifact_uri"].as_str().expect("a path"));
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("is made");
        std::fs::write(path, text).expect("is written");
    }
    let run_id = info["run_id"].as_str().expect("an ID").to_owned();
    ProxyStore::open(config(&variable("MLFETCH_TEST_MLFLOW_DIRECT")).with_run(run_id))
}

#[tokio::test]
async fn a_run_on_the_servers_own_disk_is_listed_and_read() {
    let store = run(&[("d/x.txt", "0123456789"), ("a b+%.txt", "odd"), ("a?", "asked")]).await;
    let (names, refused) = list(&store, &Key::root()).await.expect("a listing");
    assert_eq!((names, refused.len()), (["a b+%.txt", "a?", "d/"].map(String::from).to_vec(), 0));
    assert_eq!(list(&store, &Key::from("d/")).await.expect("a listing").0, ["x.txt"]);
    for (name, text) in [("d/x.txt", "0123456789"), ("a b+%.txt", "odd"), ("a?", "asked")] {
        assert_eq!(read(&store, &Key::from(name)).await.expect(name), text.as_bytes());
    }
}

#[tokio::test]
async fn a_file_of_such_a_run_has_a_tag_and_ranges() {
    let store = run(&[("d/x.txt", "0123456789")]).await;
    let key = Key::from("d/x.txt");
    let info = store.stat(&key, StatRequest::new()).await.expect("facts");
    assert!(info.etag.is_some());
    let request = ReadRequest::new().with_range(2..5).with_if_match(info.etag);
    let object = store.read(&key, request).await.expect("a range");
    assert_eq!(bytes_of(object).await.expect("bytes"), b"234");
    for request in [ReadRequest::new(), ReadRequest::new().with_range(2..5)] {
        let error = read_error(&store, &key, request.with_if_match("\"x\"".to_owned())).await;
        assert_eq!(error.kind(), ErrorKind::Changed, "{error:?}");
        assert!(!error.to_string().contains("0123"), "{error}");
    }
}

#[tokio::test]
async fn what_such_a_run_does_not_have_is_named() {
    let store = run(&[("d/x.txt", "x"), ("%41", "encoded"), ("A", "decoded")]).await;
    for (name, kind) in [
        ("nobody", ErrorKind::NotFound),
        ("d", ErrorKind::IsDirectory),
        ("%41", ErrorKind::InvalidKey),
    ] {
        let error = read_error(&store, &Key::from(name), ReadRequest::new()).await;
        assert_eq!(error.kind(), kind, "{error:?}");
    }
    let nobody = config(&variable("MLFETCH_TEST_MLFLOW_DIRECT")).with_run("0".repeat(32));
    let error = list(&ProxyStore::open(nobody), &Key::root()).await.expect_err("no such run");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
}
