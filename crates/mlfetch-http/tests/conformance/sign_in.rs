//! Who is asking: right, wrong, nobody.

use mlfetch_conformance::Bytes;
use mlfetch_store::{
    Depth, Error, ErrorKind, Key, ListRequest, Options, ReadRequest, Secret, StatRequest,
};

use crate::nginx::{Directory, open, signed_in, variable};

/// Opens `a.txt` behind Basic authentication, and asks for it in every way there is.
async fn ask(options: &Options) -> [Option<Error>; 3] {
    let directory = Directory::with(&[(Key::from("a.txt"), Bytes::from("a"))]).expect("a file");
    let url = format!("{}/{}/", variable("MLFETCH_TEST_NGINX_AUTH_URL"), directory.name());
    let store = open(&url, options).await.expect("a location").store;
    let key = Key::from("a.txt");
    [
        store.stat(&key, StatRequest::new()).await.err(),
        store.read(&key, ReadRequest::new()).await.err(),
        store.list_page(ListRequest::new(Key::root(), Depth::One)).await.err(),
    ]
}

#[tokio::test]
async fn the_right_password_opens_everything() {
    let options = signed_in(&variable("MLFETCH_TEST_NGINX_PASSWORD"));
    assert!(ask(&options).await.iter().all(Option::is_none));
}

fn percent_encode(text: &str) -> String {
    let bytes = text.bytes().map(|byte| format!("%{byte:02X}"));
    bytes.collect::<Vec<String>>().concat()
}

#[tokio::test]
async fn user_and_password_of_the_url_are_used() {
    let url = variable("MLFETCH_TEST_NGINX_AUTH_URL");
    let encoded = percent_encode(&variable("MLFETCH_TEST_NGINX_PASSWORD"));
    let user = variable("MLFETCH_TEST_NGINX_USERNAME");
    let url = format!("{}/", url.replace("://", &format!("://{user}:{encoded}@")));
    let opened = open(&url, &Options::new()).await.expect("a location");
    let request = ListRequest::new(opened.key, Depth::One);
    opened.store.list_page(request).await.expect("a listing");
}

#[tokio::test]
async fn a_wrong_password_is_not_accepted_and_the_hint_says_so() {
    for error in ask(&signed_in("wr0ng-passw0rd")).await {
        let error = error.expect("not signed in");
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(error.hint().is_some_and(|hint| hint.contains("does not accept")));
        assert!(!format!("{error} {error:?}").contains("wr0ng"));
    }
}

#[tokio::test]
async fn without_a_password_the_hint_names_the_options() {
    for error in ask(&Options::new()).await {
        let error = error.expect("not signed in");
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(error.hint().is_some_and(|hint| hint.contains("http-username")));
    }
}

#[tokio::test]
async fn a_token_where_a_password_is_wanted_is_not_accepted() {
    let options = Options::new().with_secret("http-token", Secret::new("t0ken-of-mine"));
    for error in ask(&options).await {
        assert_eq!(error.expect("not signed in").kind(), ErrorKind::Unauthenticated);
    }
}
