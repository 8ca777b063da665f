//! Where redirects lead, and where they do not.

use mlfetch_http::{HttpRequest, HttpResponse, Method, Redirects};
use mlfetch_store::{Error, ErrorKind, Key, ReadRequest, StatRequest, Store as _};

use crate::server::{Answer, Server, WebAnswer, WebServer, client};

async fn send(server: &Server, method: Method) -> Result<HttpResponse, Error> {
    client().send(HttpRequest::new(method, server.at("/a")).with_body("body")).await
}

#[tokio::test]
async fn a_loop_of_redirects_ends() {
    let server = Server::start(|_| Answer::redirect(302, "/again")).await;
    let error = client().send(HttpRequest::get(server.at("/"))).await.expect_err("a loop");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn a_request_with_a_body_follows_307_and_308_only() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(move |request| match request.target.as_str() {
            "/a" => Answer::redirect(status, "/b"),
            _ => Answer::ok("x"),
        })
        .await;
        let answer = send(&server, Method::POST).await;
        if status < 307 {
            assert_eq!(answer.expect_err("refused").kind(), ErrorKind::Refused, "{status}");
            assert_eq!(server.seen().len(), 1);
        } else {
            answer.expect("an answer");
            assert_eq!(server.seen()[1].method, "POST");
        }
    }
}

#[tokio::test]
async fn no_redirect_is_followed_where_none_may_be() {
    let server = Server::start(|_| Answer::redirect(307, "/b")).await;
    let request = HttpRequest::get(server.at("/a")).with_redirects(Redirects::Never);
    let error = client().send(request).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_that_is_to_be_reported_is_an_answer() {
    let server = Server::start(|_| Answer::redirect(307, "http://elsewhere.example/b")).await;
    let request = HttpRequest::get(server.at("/a")).with_redirects(Redirects::Reported);
    let answer = client().send(request).await.expect("an answer");
    assert_eq!(answer.status(), 307);
    let location = answer.header(mlfetch_http::header::LOCATION);
    assert_eq!(location, Some("http://elsewhere.example/b"));
}

#[tokio::test]
async fn a_redirect_to_another_scheme_is_refused() {
    for target in ["file:///etc/passwd", "ftp://h/x", "data:,x"] {
        let server = Server::start(move |_| Answer::redirect(302, target)).await;
        let error = client().send(HttpRequest::get(server.at("/"))).await.expect_err(target);
        assert_eq!(error.kind(), ErrorKind::Refused, "{target}");
    }
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_is_an_answer_and_no_success() {
    for location in ["Location: http://", "X: y", "Location: http://h:99999/"] {
        let server = Server::start(move |_| Answer::new("302 Found", &[location], "")).await;
        let store = server.store();
        let error = store.read(&Key::from("x"), ReadRequest::new()).await.expect_err(location);
        assert_eq!(error.kind(), ErrorKind::Refused, "{location}");
    }
}

#[tokio::test]
async fn a_login_page_after_a_redirect_is_not_the_object() {
    let server = Server::start(|request| match request.target.as_str() {
        "/login" => Answer::new("200 OK", &["Content-Type: text/html; charset=utf-8"], "<form>"),
        _ => Answer::redirect(302, "/login"),
    })
    .await;
    let key = Key::from("model.bin");
    let read = server.store().read(&key, ReadRequest::new()).await.expect_err("a login");
    let stat = server.store().stat(&key, StatRequest::new()).await.expect_err("a login");
    for error in [read, stat] {
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(error.hint().is_some_and(|hint| hint.contains("sign in")));
    }
}

#[tokio::test]
async fn bytes_that_lie_elsewhere_are_read_from_there() {
    let server = Server::start(|request| match request.target.as_str() {
        "/mirror/other-name" => Answer::ok("bytes"),
        _ => Answer::redirect(302, "/mirror/other-name"),
    })
    .await;
    let object = server.store().read(&Key::from("x"), ReadRequest::new()).await;
    assert_eq!(object.expect("an object").info.size, Some(5));
}

#[tokio::test]
async fn the_name_of_a_directory_is_not_its_index() {
    let server = Server::start(|request| match request.target.as_str() {
        "/dir/" => Answer::new("200 OK", &["Content-Type: text/html"], "<title>Index of /dir/"),
        _ => Answer::redirect(301, "/dir/"),
    })
    .await;
    for name in ["dir", "dir/"] {
        let key = Key::from(name);
        let read = server.store().read(&key, ReadRequest::new()).await.expect_err("a directory");
        let stat = server.store().stat(&key, StatRequest::new()).await.expect_err("a directory");
        assert_eq!((read.kind(), stat.kind()), (ErrorKind::IsDirectory, ErrorKind::IsDirectory));
    }
}
