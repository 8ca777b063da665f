//! A credential belongs to one scheme, host and port.

use mlfetch_http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use mlfetch_http::{Credential, HttpRequest};
use mlfetch_store::{ErrorKind, Key, ReadRequest, Secret, Store as _};

use crate::server::{Answer, Server, WebAnswer, WebServer, client};

fn token() -> Credential {
    Credential::Bearer(Secret::new("t0ken-of-mine"))
}

#[tokio::test]
async fn a_credential_never_reaches_another_origin() {
    let other = Server::start(|_| Answer::ok("theirs")).await;
    let target = other.at("/x").to_string();
    let home = Server::start(move |_| Answer::redirect(302, &target)).await;
    let request = HttpRequest::get(home.at("/x")).with_credential(token());
    let answer = client().send(request).await.expect("an answer");
    assert_eq!(answer.bytes(100).await.expect("bytes"), "theirs");
    assert_eq!(home.seen()[0].header("authorization"), Some("Bearer t0ken-of-mine"));
    assert_eq!(other.seen().len(), 1);
    assert_eq!(other.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn headers_that_say_who_asks_do_not_reach_another_origin() {
    let other = Server::start(|_| Answer::ok("")).await;
    let target = other.at("/x").to_string();
    let home = Server::start(move |_| Answer::redirect(307, &target)).await;
    let mut key = HeaderValue::from_static("k3y");
    key.set_sensitive(true);
    let request = HttpRequest::get(home.at("/x"))
        .with_header(AUTHORIZATION, HeaderValue::from_static("Custom k3y"))
        .with_header(COOKIE, HeaderValue::from_static("session=k3y"))
        .with_header(HeaderName::from_static("x-api-key"), key)
        .with_header(HeaderName::from_static("x-plain"), HeaderValue::from_static("stays"));
    client().send(request).await.expect("an answer");
    let (home, other) = (home.seen().remove(0), other.seen().remove(0));
    for name in ["authorization", "cookie", "x-api-key"] {
        assert!(home.header(name).is_some() && other.header(name).is_none(), "{name}");
    }
    assert_eq!(other.header("x-plain"), Some("stays"));
}

#[tokio::test]
async fn a_credential_that_left_home_does_not_come_back() {
    let other = Server::start(|request| {
        let back = request.target.trim_start_matches("/to/").to_owned();
        Answer::redirect(302, &back)
    })
    .await;
    let away = other.at("/to/").to_string();
    let home = Server::start(move |request| match request.target.as_str() {
        "/begin" => Answer::redirect(302, &format!("{away}http://{}/chosen", host(request))),
        _ => Answer::ok("x"),
    })
    .await;
    let request = HttpRequest::get(home.at("/begin")).with_credential(token());
    client().send(request).await.expect("an answer");
    let seen = home.seen();
    assert_eq!(seen[1].target, "/chosen");
    assert_eq!(seen[1].header("authorization"), None);
}

fn host(request: &crate::server::Request) -> &str {
    request.header("host").expect("a host")
}

#[tokio::test]
async fn a_credential_goes_along_within_its_origin() {
    let home = Server::start(|request| match request.target.as_str() {
        "/a" => Answer::redirect(301, "/b"),
        _ => Answer::ok("x"),
    })
    .await;
    let request = HttpRequest::get(home.at("/a")).with_credential(token());
    client().send(request).await.expect("an answer");
    assert!(home.seen().iter().all(|request| request.header("authorization").is_some()));
}

#[tokio::test]
async fn user_and_password_in_a_location_header_are_not_used() {
    let other = Server::start(|_| Answer::ok("x")).await;
    let target = other.at("/x").to_string().replace("://", "://user:password@");
    let home = Server::start(move |_| Answer::redirect(302, &target)).await;
    client().send(HttpRequest::get(home.at("/"))).await.expect("an answer");
    assert_eq!(other.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_signed_query_does_not_reach_another_origin() {
    let other = Server::start(|_| Answer::ok("x")).await;
    let target = other.at("/x").to_string();
    let home = Server::start(move |_| Answer::redirect(302, &target)).await;
    let root = home.at("/?sig=s3cret");
    let store = mlfetch_http::HttpStore::new(client(), &root).expect("a root");
    store.read(&Key::from("x"), ReadRequest::new()).await.expect("an object");
    assert_eq!(home.seen()[0].target, "/x?sig=s3cret");
    assert_eq!(other.seen()[0].target, "/x");
}

#[tokio::test]
async fn an_echoed_secret_is_taken_out_of_the_error() {
    let home = Server::start(|request| {
        let echoed = format!(
            "no entry for {:?} at {}\u{1b}[31m",
            request.header("authorization"),
            request.target
        );
        Answer::new("403 Forbidden", &[], echoed)
    })
    .await;
    let root = home.at("/?sig=s3cret%2Fsignature");
    for credential in [
        token(),
        Credential::Basic { username: "me".to_owned(), password: Secret::new("t0ken-of-mine") },
    ] {
        let store = mlfetch_http::HttpStore::new(client(), &root).expect("a root");
        let store = store.with_credential(credential);
        let error = store.read(&Key::from("x"), ReadRequest::new()).await.expect_err("forbidden");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        let shown = format!("{error} {error:?} {store:?}");
        assert!(shown.contains("[secret]"), "{shown}");
        for secret in ["t0ken-of-mine", "bWU6", "s3cret", "\u{1b}"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
