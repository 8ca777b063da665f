//! What an error says, whether it is asked again, and what it costs. The table itself is tested beside
//! it; here its rows come over the wire.

use std::time::Duration;

use mlfetch_azure::AzureConfig;
use mlfetch_store::{
    Depth, Error, ErrorKind, Key, ListRequest, Options, ReadRequest, Retry, Secret, StatRequest,
    Store as _,
};

use crate::server::{Answer, AzureAnswer, Server};
use crate::support::{ACCESS_KEY, at, open, open_location};

async fn fail(answer: Answer) -> Error {
    let server = Server::start(move |_| answer.clone()).await;
    let read = open(&server.url()).read(&Key::from("a/b"), ReadRequest::new()).await;
    read.expect_err("refused")
}

#[tokio::test]
async fn a_busy_server_is_asked_again_after_its_own_time() {
    for status in ["503 Server Busy", "429 Too Many Requests"] {
        let busy = |headers: &[&str]| Answer::error(status, "ServerBusy", headers);
        let error = fail(busy(&["Retry-After: 7"])).await;
        let wait = Retry::After(Duration::from_secs(7));
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, wait), "{status}");
        assert_eq!(fail(busy(&[])).await.retry(), Retry::Later);
    }
}

#[tokio::test]
async fn one_call_is_one_request() {
    let server = Server::start(|_| Answer::error("503 Server Busy", "ServerBusy", &[])).await;
    let store = open(&server.url());
    store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("busy");
    store.list_page(ListRequest::new(Key::root(), Depth::All)).await.expect_err("busy");
    store.stat(&Key::from("a"), StatRequest::new()).await.expect_err("busy");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_refused_stat_says_why_without_a_body() {
    let headers = ["x-ms-error-code: BlobArchived"];
    let server = Server::start(move |_| Answer::head("409 Conflict", 0, &headers)).await;
    let stat = open(&server.url()).stat(&Key::from("a"), StatRequest::new()).await;
    let error = stat.expect_err("archived");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unsupported, Retry::Never));
    assert!(error.to_string().contains("it is archived"), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_refused_stat_asks_for_a_byte_to_hear_why() {
    let body = include_str!("../data/expired.xml");
    let server = Server::start(move |request| match request.method.as_str() {
        "HEAD" => Answer::head("403 Forbidden", 0, &["x-ms-error-code: AuthenticationFailed"]),
        _ => Answer::new("403 Forbidden", &["x-ms-error-code: AuthenticationFailed"], body),
    })
    .await;
    let stat = open(&server.url()).stat(&Key::from("a"), StatRequest::new()).await;
    let error = stat.expect_err("refused");
    assert!(error.to_string().contains("time frame"), "{error}");
    assert_eq!(server.seen()[1].header("range"), Some("bytes=0-0"));
}

#[tokio::test]
async fn a_signature_that_has_expired_is_told_so() {
    let body = include_str!("../data/expired.xml");
    let answer = Answer::new("403 Forbidden", &["x-ms-error-code: AuthenticationFailed"], body);
    let server = Server::start(move |_| answer.clone()).await;
    let config = AzureConfig::new().with_endpoint(format!("{}/account", server.url()));
    let sas = Secret::new("sv=2023-11-03&sp=r&sr=c&se=2026-11-24T00:00:00Z&sig=s3cret");
    let store = at(config.with_sas_token(sas), "container");
    let error = store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("expired");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let text = format!("{error} {error:?}");
    assert!(text.contains("has expired") && text.contains("Expiry [Tue, 24 Nov 2026"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_wrong_clock_is_told_so() {
    let body = "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>Server failed \
                to authenticate the request.</Message><AuthenticationErrorDetail>Request date header \
                too old: 'Tue, 24 Nov 2026 12:00:00 GMT'</AuthenticationErrorDetail></Error>";
    let headers = ["x-ms-error-code: AuthenticationFailed"];
    let error = fail(Answer::new("403 Forbidden", &headers, body)).await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("the clock here and the server's"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("set the clock")), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_nothing_goes_along() {
    let elsewhere = Server::start(|_| Answer::new("200 OK", &[], "x")).await;
    let location = format!("Location: {}/account/container/a", elsewhere.url());
    for status in ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let error = fail(Answer::new(status, &[&location], "")).await;
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Refused, Retry::Never), "{status}");
        assert!(error.to_string().contains("sends us on"), "{error}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_page_for_people_is_never_a_blob() {
    let login = ["Content-Type: text/html; charset=utf-8", "ETag: \"t\""];
    let error = fail(Answer::new("200 OK", &login, "<html>Sign in</html>")).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.hint().is_some_and(|hint| hint.contains("login")), "{error:?}");
    let stored = ["Content-Type: text/html", "ETag: \"t\"", "x-ms-blob-type: BlockBlob"];
    let server = Server::start(move |_| Answer::new("200 OK", &stored, "<html>")).await;
    let read = open(&server.url()).read(&Key::from("a.html"), ReadRequest::new()).await;
    read.expect("a page that somebody stored");
}

#[tokio::test]
async fn an_error_body_that_stalls_or_is_cut_does_not_hide_the_status() {
    let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nno";
    assert_eq!(fail(Answer::raw(head)).await.kind(), ErrorKind::NotFound);
    let stalled = fail(Answer::raw(head).then_stall());
    let error = tokio::time::timeout(Duration::from_secs(30), stalled).await.expect("an end");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_is_secret_and_echoed_is_not_shown() {
    let server = Server::start(|request| {
        let echo = request.parameter("sig").map_or(ACCESS_KEY.to_owned(), str::to_owned);
        let body =
            format!("<Error><Code>AuthorizationFailure</Code><Message>{echo}</Message></Error>");
        Answer::new("403 Forbidden", &[], body)
    })
    .await;
    let config = AzureConfig::new().with_endpoint(format!("{}/account", server.url()));
    let key = config.clone().with_access_key(Secret::new(ACCESS_KEY));
    let sas = config.with_sas_token(Secret::new("sv=1&sp=r&sig=s3cr%2Ft"));
    for (config, secret) in [(key, ACCESS_KEY), (sas, "s3cr")] {
        let store = at(config, "container");
        let error = store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("denied");
        let shown = format!("{error} {error:?} {store:?}");
        assert!(shown.contains("[secret]") && !shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn an_account_that_does_not_exist_has_no_address() {
    let uri = "wasbs://c@mlfetchnosuchaccountatall.blob.core.windows.net/a";
    let options = Options::new().with("azure-access-key", ACCESS_KEY);
    let opened = open_location(uri, &options).await.expect("a store");
    let error = opened.store.stat(&opened.key, StatRequest::new()).await.expect_err("no account");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Later), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("storage account")), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let server = Server::start(|_| Answer::head("200 OK", 0, &[])).await;
    let store = open(&server.url());
    server.stop().await;
    let error = store.read(&Key::from("a"), ReadRequest::new()).await.expect_err("nobody there");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Later));
    assert!(error.hint().is_some_and(|hint| hint.contains("azure-endpoint")), "{error:?}");
}

#[tokio::test]
async fn the_container_itself_is_no_blob() {
    let server = Server::start(|_| Answer::head("200 OK", 0, &[])).await;
    let store = open(&server.url());
    let stat = store.stat(&Key::root(), StatRequest::new()).await.expect_err("no blob");
    let read = store.read(&Key::root(), ReadRequest::new()).await.expect_err("no blob");
    assert_eq!([stat.kind(), read.kind()], [ErrorKind::IsDirectory; 2]);
    assert!(server.seen().is_empty());
}
