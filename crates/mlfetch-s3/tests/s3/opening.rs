//! Locations and settings, and what is sent because of them.

use mlfetch_store::{Depth, ErrorKind, Key, ListRequest, Options, ReadRequest, StatRequest};

use crate::server::{Answer, S3Request, Server};
use crate::support::open_location;

async fn server() -> Server {
    Server::start(|_| Answer::head("200 OK", 7, &["ETag: \"t\""])).await
}

fn at(server: &Server) -> Options {
    Options::new().with("endpoint-url", server.url())
}

/// What a server sees of a stat of `s3://bucket/a`.
async fn seen(option: &str, value: &str) -> crate::server::Request {
    let server = server().await;
    let options = at(&server).with(option, value);
    let opened = open_location("s3://bucket/a", &options).await.expect("a location");
    opened.store.stat(&opened.key, StatRequest::new()).await.expect("facts");
    server.seen().remove(0)
}

#[tokio::test]
async fn opening_asks_nobody() {
    let server = server().await;
    let opened = open_location("s3a://bucket/d/50%.txt", &at(&server)).await.expect("a location");
    assert_eq!(opened.key, Key::from("d/50%.txt"));
    assert_eq!(opened.store.info().root, "s3://bucket/");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn each_setting_is_sent() {
    let request = seen("request-payer", "true").await;
    assert_eq!(request.header("x-amz-request-payer"), Some("requester"));
    let request = seen("expected-bucket-owner", "123456789012").await;
    assert_eq!(request.header("x-amz-expected-bucket-owner"), Some("123456789012"));
    assert_eq!(seen("region", "eu-north-1").await.region(), Some("eu-north-1"));
    for (option, value) in [("no-sign-request", "true"), ("s3-signature-version", "unsigned")] {
        let request = seen(option, value).await;
        assert_eq!(request.header("authorization"), None, "{option}");
        assert_eq!(request.header("x-amz-date"), None, "{option}");
    }
    let signed = seen("no-sign-request", "false").await;
    let value = signed.header("authorization").expect("signed");
    assert!(value.starts_with("AWS4-HMAC-SHA256 Credential=test-access-key/"), "{value}");
}

#[tokio::test]
async fn a_version_is_the_one_of_the_object_that_the_location_names() {
    let server = server().await;
    let options = at(&server).with("version-id", "v1");
    let opened = open_location("s3://bucket/a", &options).await.expect("a location");
    let info = opened.store.stat(&opened.key, StatRequest::new()).await.expect("facts");
    assert_eq!(info.version.as_deref(), Some("v1"));
    let other = opened.store.stat(&Key::from("b"), StatRequest::new()).await.expect("facts");
    assert_eq!(other.version, None);
    opened.store.read(&opened.key, ReadRequest::new().with_range(0..0)).await.expect("nothing");
    let targets: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    let expected = ["/bucket/a?versionId=v1", "/bucket/b", "/bucket/a?versionId=v1"];
    assert_eq!(targets, expected);
    let error = open_location("s3://bucket/d/", &options).await.expect_err("a directory");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn what_contradicts_itself_is_named_before_any_request() {
    for (option, value) in [
        ("endpoint-url", "127.0.0.1:9000"),
        ("s3-addressing-style", "somewhere"),
        ("s3-ignore-tls", "perhaps"),
        ("s3-signature-version", "s3"),
    ] {
        let options = Options::new().with(option, value);
        let error = open_location("s3://bucket/a", &options).await.expect_err("no such setting");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{option}");
    }
}

#[tokio::test]
async fn a_directory_bucket_is_asked_with_the_keys_of_a_session() {
    let server = Server::start(|request| {
        if request.target.ends_with("?session=") {
            return Answer::new(
                "200 OK",
                &[],
                include_str!("../data/session.xml").replace("2026", "2126"),
            );
        }
        Answer::new(
            "200 OK",
            &[],
            "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
        )
    })
    .await;
    let uri = "s3://models--use1-az4--x-s3/d/";
    let opened = open_location(uri, &at(&server)).await.expect("a location");
    for _ in 0..2 {
        let request = ListRequest::new(opened.key.clone(), Depth::All);
        opened.store.list_page(request).await.expect("a page");
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 3, "one session for both");
    assert_eq!(seen[0].header("x-amz-create-session-mode"), Some("ReadOnly"));
    assert_eq!(seen[0].header("x-amz-s3session-token"), None);
    assert!(seen[0].header("authorization").is_some_and(|value| value.contains("test-access-key")));
    for listing in &seen[1..] {
        assert_eq!(listing.header("x-amz-s3session-token"), Some("token/of+session=="));
        assert_eq!(listing.header("x-amz-security-token"), None);
        let value = listing.header("authorization").expect("signed");
        assert!(value.contains("ASIAEXAMPLE") && value.contains("/s3express/"), "{value}");
    }
}
