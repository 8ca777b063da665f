//! Credentials that end while there is work left.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use mlfetch_s3::SdkConfig;
use mlfetch_store::{ErrorKind, Store as _};

use crate::server::{Answer, Request, S3Answer, Server};
use crate::support::{open_as, read};

/// Gives `key-0`, then `key-1`, up to a last one; each good for so long.
#[derive(Debug)]
struct Numbered {
    last: u32,
    good_for: Duration,
    asked: AtomicU32,
}

impl ProvideCredentials for Numbered {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.asked.fetch_add(1, Ordering::Relaxed).min(self.last);
        let expires = Some(SystemTime::now() + self.good_for);
        let token = Some(format!("token-{number}"));
        let keys = Credentials::new(format!("key-{number}"), "s", token, expires, "test");
        future::ProvideCredentials::ready(Ok(keys))
    }
}

fn numbered(last: u32, good_for: Duration) -> SdkConfig {
    let provider = Numbered { last, good_for, asked: AtomicU32::new(0) };
    SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

fn tokens(seen: &[Request]) -> Vec<&str> {
    seen.iter().filter_map(|request| request.header("x-amz-security-token")).collect()
}

/// Takes `key-0` for expired.
fn strict(request: &Request) -> Answer {
    match request.header("x-amz-security-token") {
        Some("token-0") => Answer::error("400 Bad Request", "ExpiredToken", &[]),
        _ => Answer::new("200 OK", &["ETag: \"t\""], "bytes"),
    }
}

#[tokio::test]
async fn keys_that_the_server_takes_for_expired_are_replaced_once() {
    let server = Server::start(strict).await;
    let store = open_as(&server.url(), &numbered(9, Duration::from_hours(1))).await;
    for _ in 0..2 {
        assert_eq!(read(&store, "a").await.expect("an object"), b"bytes");
    }
    assert_eq!(tokens(&server.seen()), ["token-0", "token-1", "token-1"]);
}

#[tokio::test]
async fn without_other_keys_the_error_says_that_they_have_expired() {
    let server = Server::start(strict).await;
    let store = open_as(&server.url(), &numbered(0, Duration::from_hours(1))).await;
    let error = read(&store, "a").await.expect_err("expired");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("the credentials have expired (ExpiredToken"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("aws sso login")));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn keys_are_renewed_before_they_end() {
    let server = Server::start(|_| Answer::new("200 OK", &["ETag: \"t\""], "bytes")).await;
    let store = open_as(&server.url(), &numbered(9, Duration::from_secs(30))).await;
    for _ in 0..3 {
        read(&store, "a").await.expect("an object");
    }
    assert_eq!(tokens(&server.seen()), ["token-0", "token-1", "token-2"]);
}

#[tokio::test]
async fn the_store_knows_whom_the_server_saw_last() {
    let server = Server::start(strict).await;
    let store = open_as(&server.url(), &numbered(9, Duration::from_hours(1))).await;
    assert_eq!(store.identity(), None, "nobody was asked");
    assert_eq!(read(&store, "a").await.expect("an object"), b"bytes");
    assert_eq!(store.identity().as_deref(), Some("key-1"));
}
