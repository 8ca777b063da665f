//! A bucket that is elsewhere, and servers that send us on.

use mlfetch_store::{ErrorKind, Key, ReadRequest, StatRequest, Store as _};

use crate::server::{Answer, Request, S3Answer, S3Request, Server};
use crate::support::{open, read};

const HERE: &str = "eu-north-1";

/// Answers in its own region only.
fn in_its_region(request: &Request, refusal: Answer) -> Answer {
    if request.region() != Some(HERE) {
        return refusal;
    }
    match request.method.as_str() {
        "HEAD" => Answer::head("200 OK", 5, &["ETag: \"t\""]),
        _ => Answer::new("200 OK", &["ETag: \"t\""], "bytes"),
    }
}

#[tokio::test]
async fn a_bucket_in_another_region_is_asked_there_from_then_on() {
    let header = "x-amz-bucket-region: eu-north-1";
    let malformed = include_str!("../data/wrong_region.xml");
    for refusal in [
        Answer::error("301 Moved Permanently", "PermanentRedirect", &[header]),
        Answer::error("307 Temporary Redirect", "TemporaryRedirect", &[header]),
        Answer::error("400 Bad Request", "IllegalLocationConstraintException", &[header]),
        Answer::new("400 Bad Request", &[], malformed),
    ] {
        let server = Server::start(move |request| in_its_region(request, refusal.clone())).await;
        let store = open(&server.url()).await;
        for _ in 0..3 {
            assert_eq!(read(&store, "a").await.expect("an object"), b"bytes");
        }
        let regions: Vec<_> =
            server.seen().iter().map(|seen| seen.region().map(str::to_owned)).collect();
        let of = |name: &str| Some(name.to_owned());
        assert_eq!(regions, [of("us-east-1"), of(HERE), of(HERE), of(HERE)]);
    }
}

#[tokio::test]
async fn a_stat_learns_the_region_from_a_header() {
    for status in ["301 Moved Permanently", "400 Bad Request"] {
        let refusal = Answer::head(status, 0, &["x-amz-bucket-region: eu-north-1"]);
        let server = Server::start(move |request| in_its_region(request, refusal.clone())).await;
        let stat = open(&server.url()).await.stat(&Key::from("a"), StatRequest::new()).await;
        assert_eq!(stat.expect("facts").size, Some(5), "{status}");
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn regions_that_send_us_to_and_fro_end_after_one_change() {
    let server = Server::start(|request| {
        let other = if request.region() == Some(HERE) { "us-east-1" } else { HERE };
        let header = format!("x-amz-bucket-region: {other}");
        Answer::error("301 Moved Permanently", "PermanentRedirect", &[&header])
    })
    .await;
    let error = read(&open(&server.url()).await, "a").await.expect_err("nowhere");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.hint().is_some_and(|hint| hint.contains("region")), "{error:?}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Server::start(|_| Answer::new("200 OK", &["ETag: \"t\""], "bytes")).await;
    let location = format!("Location: {}/bucket/a", elsewhere.url());
    for status in
        ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let location = location.clone();
        let server = Server::start(move |_| Answer::new(status, &[&location], "")).await;
        let store = open(&server.url()).await;
        let error = store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("sent on");
        assert_eq!(error.kind(), ErrorKind::Refused, "{status}: {error}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_region_in_a_denial_is_no_reason_to_ask_again() {
    let denied = |_: &Request| {
        Answer::error("403 Forbidden", "AccessDenied", &["x-amz-bucket-region: eu-north-1"])
    };
    let server = Server::start(denied).await;
    let error = read(&open(&server.url()).await, "a").await.expect_err("denied");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(server.seen().len(), 1);
}
