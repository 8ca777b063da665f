//! Servers that misbehave, as scripts.

use std::num::NonZeroUsize;

use mlfetch_mlflow::{ProxyStore, Transfer};
use mlfetch_store::{Depth, ErrorKind, Key, ListRequest, ReadRequest, Retry, StatRequest, Store};
use serde_json::json;

use crate::scripted_server::{Answer, Asked, ScriptedServer};
use crate::support::{basic, config, list, open, read, read_error};

const TAG: &str = "\"781e5e245d69b566979b86e28d23f2c7\"";

/// A tracking server that signs URLs of the bucket at `bucket`, each with a signature of its own.
async fn signing(bucket: String) -> ScriptedServer {
    ScriptedServer::start(move |asked, number| match asked.target.as_str() {
        "/api/3.0/mlflow/server-info" => {
            Answer::json(&json!({"multipart_downloads_enabled": true}))
        }
        target if target.starts_with("/api/2.0/mlflow-artifacts/presigned/") => {
            let url = format!("{bucket}/key?X-Amz-Expires=300&X-Amz-Signature=s3cret{number}");
            Answer::json(&json!({"url": url, "headers": {"x-amz-owner": "1"}, "file_size": 4}))
        }
        _ => Answer::new(200, "proxied").with("etag", "\"p\""),
    })
    .await
}

fn signed_in(server: &ScriptedServer) -> ProxyStore {
    ProxyStore::open(config(&server.url).with_credential(basic("user", "hunter22")))
}

fn without_credential(asked: &Asked) -> bool {
    asked.header("authorization").is_none() && asked.header("cookie").is_none()
}

#[tokio::test]
async fn the_bucket_gets_no_credential_and_the_tracking_server_does() {
    let bucket = ScriptedServer::start(|_, _| Answer::new(200, "four").with("etag", TAG)).await;
    let server = signing(bucket.url.clone()).await;
    let store = signed_in(&server);
    assert_eq!(read(&store, &Key::from("a/b")).await.expect("bytes"), b"four");
    assert_eq!(store.taken().expect("it came").way, "presigned");
    assert!(bucket.asked().iter().all(without_credential));
    assert_eq!(bucket.asked()[0].header("x-amz-owner"), Some("1"));
    assert_eq!(bucket.asked()[0].header("accept-encoding"), Some("identity"));
    assert!(server.asked().iter().all(|asked| asked.header("authorization").is_some()));
}

#[tokio::test]
async fn a_url_is_kept_and_signed_anew_when_the_bucket_refuses_it() {
    let bucket = ScriptedServer::start(|asked, number| {
        let expired = "<Error><Code>ExpiredToken</Code><Url>s3cret</Url></Error>";
        match number {
            2 => Answer::new(403, expired),
            _ if asked.target.contains("s3cret") => Answer::new(200, "four").with("etag", TAG),
            _ => Answer::new(400, ""),
        }
    })
    .await;
    let server = signing(bucket.url.clone()).await;
    let store = open(&server.url);
    for _ in 0..3 {
        assert_eq!(read(&store, &Key::from("a")).await.expect("bytes"), b"four");
    }
    let signed = server.asked().iter().filter(|asked| asked.target.contains("presigned")).count();
    assert_eq!((signed, bucket.asked().len()), (2, 4));
}

#[tokio::test]
async fn a_url_that_is_refused_twice_is_an_error_without_the_signature() {
    let body = "<Error><Code>AccessDenied</Code><StringToSign>s3cret0</StringToSign></Error>";
    let bucket = ScriptedServer::start(move |_, _| Answer::new(403, body)).await;
    let server = signing(bucket.url.clone()).await;
    let store = open(&server.url);
    let error = read_error(&store, &Key::from("a"), ReadRequest::new()).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("AccessDenied"), "{error}");
    assert!(!format!("{error:?} {store:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_bucket_that_cannot_be_reached_from_here_is_left_to_the_server() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let bucket = format!("http://{}", closed.local_addr().expect("an address"));
    drop(closed);
    let server = signing(bucket).await;
    let store = open(&server.url);
    for _ in 0..2 {
        assert_eq!(read(&store, &Key::from("a")).await.expect("bytes"), b"proxied");
    }
    let taken = store.taken().expect("it came");
    let why = "the URLs that the server signs are of no use here";
    assert_eq!((taken.way, taken.why), ("proxy", Some(why)));
    let signed = server.asked().iter().filter(|asked| asked.target.contains("presigned")).count();
    assert_eq!(signed, 1, "it is tried once");
    let only = ProxyStore::open(config(&server.url).with_transfer(Transfer::Presigned));
    let error = read_error(&only, &Key::from("a"), ReadRequest::new()).await;
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn a_bucket_is_not_followed_elsewhere() {
    let bucket = ScriptedServer::start(|_, _| {
        Answer::new(302, "").with("location", "http://127.0.0.1:9/elsewhere?X-Amz-Signature=s3cret")
    })
    .await;
    let server = signing(bucket.url.clone()).await;
    let error = read_error(&open(&server.url), &Key::from("a"), ReadRequest::new()).await;
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

/// A proxy over a bucket: 500 for what is missing, and a listing that tells.
async fn copying() -> ScriptedServer {
    ScriptedServer::start(|asked, _| match asked.target.as_str() {
        "/api/2.0/mlflow-artifacts/artifacts?path=d" => {
            Answer::json(&json!({"files": [{"path": "there", "file_size": "4"}]}))
        }
        target if target.contains("/artifacts/d/") => {
            Answer::new(500, r#"{"error_code":"INTERNAL_ERROR","message":"x"}"#)
        }
        _ => Answer::new(404, ""),
    })
    .await
}

#[tokio::test]
async fn a_500_for_a_missing_object_is_not_found_and_for_another_may_pass() {
    let server = copying().await;
    let store = open(&server.url);
    let missing = read_error(&store, &Key::from("d/gone"), ReadRequest::new()).await;
    assert_eq!((missing.kind(), missing.retry()), (ErrorKind::NotFound, Retry::Never));
    let there = read_error(&store, &Key::from("d/there"), ReadRequest::new()).await;
    assert_eq!((there.kind(), there.retry()), (ErrorKind::Unavailable, Retry::Later));
}

#[tokio::test]
async fn a_login_page_is_neither_a_listing_nor_a_file() {
    let page = |_: &Asked, _| {
        Answer::new(200, "<html>sign in</html>").with("content-type", "text/html; charset=utf-8")
    };
    let server = ScriptedServer::start(page).await;
    let store = open(&server.url);
    let listed = list(&store, &Key::root()).await.expect_err("a page");
    let read = read_error(&store, &Key::from("a"), ReadRequest::new()).await;
    for error in [listed, read] {
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.hint().is_some_and(|hint| hint.contains("login")), "{error:?}");
    }
}

#[tokio::test]
async fn an_artifact_that_is_a_web_page_is_a_file() {
    let server = ScriptedServer::start(|_, _| {
        Answer::new(200, "<html>a report</html>")
            .with("content-type", "text/html")
            .with("content-disposition", "attachment; filename=report.html")
    })
    .await;
    let bytes = read(&open(&server.url), &Key::from("report.html")).await.expect("bytes");
    assert_eq!(bytes, b"<html>a report</html>");
}

#[tokio::test]
async fn hostile_names_are_refused_one_by_one() {
    let names = ["..", "../x", "/etc/passwd", "", ".", "a/b", "ok", "%2e%2e", "a#b", "e\u{1b}[31m"];
    let server = ScriptedServer::start(move |_, _| {
        let rows: Vec<_> = names.iter().map(|name| json!({"path": name, "file_size": 1})).collect();
        Answer::json(&json!({ "files": rows }))
    })
    .await;
    let (listed, refused) = list(&open(&server.url), &Key::from("d/")).await.expect("a listing");
    assert_eq!((listed, refused.len()), (vec!["ok".to_owned()], names.len() - 1));
    assert!(refused.iter().all(|error| !error.to_string().contains(char::is_control)));
}

#[tokio::test]
async fn pages_are_cut_from_one_answer() {
    let server = ScriptedServer::start(|_, _| {
        let row = |number| json!({"path": format!("{number}.txt"), "file_size": 1});
        Answer::json(&json!({"files": (0..9).map(row).collect::<Vec<_>>()}))
    })
    .await;
    let store = open(&server.url);
    let mut request =
        ListRequest::new(Key::root(), Depth::One).with_max_entries(NonZeroUsize::new(2));
    let mut rows = 0;
    loop {
        let page = store.list_page(request.clone()).await.expect("a page");
        rows += page.entries.len();
        let Some(next) = page.next else { break };
        request = request.with_token(next);
    }
    assert_eq!((rows, server.asked().len()), (9, 1));
}

#[tokio::test]
async fn a_body_that_is_said_to_be_compressed_is_left_as_it_is() {
    let server = ScriptedServer::start(|_, _| {
        Answer::new(200, b"\x1f\x8b\x08raw".as_slice()).with("content-encoding", "gzip")
    })
    .await;
    let bytes = read(&open(&server.url), &Key::from("a.gz")).await.expect("bytes");
    assert_eq!(bytes, b"\x1f\x8b\x08raw");
    let asked = server.asked();
    let last = asked.last().expect("a request");
    assert_eq!(last.header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_server_that_gives_another_range_is_an_error() {
    for (status, range, kind) in [
        (200, None, ErrorKind::Unsupported),
        (206, None, ErrorKind::Protocol),
        (206, Some("bytes 0-3/10"), ErrorKind::Protocol),
        (206, Some("bytes 2-4/10"), ErrorKind::Protocol),
        (206, Some("bytes 2-6/10"), ErrorKind::Protocol),
    ] {
        let server = ScriptedServer::start(move |_, _| {
            let answer = Answer::new(status, "wxyz").with("etag", TAG);
            match range {
                Some(range) => answer.with("content-range", range),
                None => answer,
            }
        })
        .await;
        let request = ReadRequest::new().with_range(2..6);
        let error = read_error(&open(&server.url), &Key::from("a"), request).await;
        assert_eq!(error.kind(), kind, "{status} {range:?}");
    }
}

#[tokio::test]
async fn a_read_that_the_server_cannot_tie_is_not_given() {
    let server = ScriptedServer::start(|_, _| Answer::new(200, "four")).await;
    let store = ProxyStore::open(config(&server.url).with_transfer(Transfer::Proxy));
    let request = ReadRequest::new().with_if_match("\"a\"".to_owned());
    let error = read_error(&store, &Key::from("a"), request).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn what_cannot_be_listed_can_still_be_described() {
    let server = ScriptedServer::start(|asked, _| {
        if asked.target.contains("?path=") {
            return Answer::new(403, "Permission denied");
        }
        Answer::new(206, "f").with("etag", TAG).with("content-range", "bytes 0-0/4")
    })
    .await;
    let store = ProxyStore::open(config(&server.url).with_transfer(Transfer::Proxy));
    let info = store.stat(&Key::from("d/a"), StatRequest::new()).await.expect("facts");
    assert_eq!((info.size, info.etag.as_deref()), (Some(4), Some(TAG)));
    assert!(info.checksums.is_empty(), "a tag of MLflow's own is no checksum");
}

/// A server whose answers each have the tag of a file of its own, or of one file.
async fn with_file_tags(passing: bool) -> ScriptedServer {
    ScriptedServer::start(move |asked, number| {
        let path = if passing { number } else { 7 };
        let answer = if asked.header("range").is_some() {
            Answer::new(206, "f").with("content-range", "bytes 0-0/4")
        } else {
            Answer::new(200, "four")
        };
        answer.with("etag", format!("\"17954.5-4-{path}\""))
    })
    .await
}

#[tokio::test]
async fn the_tag_of_a_passing_copy_is_not_passed_on() {
    for passing in [true, false] {
        let server = with_file_tags(passing).await;
        let store = ProxyStore::open(config(&server.url).with_transfer(Transfer::Proxy));
        for _ in 0..3 {
            let object = store.read(&Key::from("a"), ReadRequest::new()).await.expect("an object");
            assert_eq!(object.info.etag.is_none(), passing);
        }
        assert_eq!(server.asked().len(), 4, "it is found out once");
        let tie = ReadRequest::new().with_if_match("\"17954.5-4-99\"".to_owned());
        let error = read_error(&store, &Key::from("a"), tie).await;
        assert_eq!(error.kind(), ErrorKind::Unsupported, "never bytes that are not tied");
    }
}
