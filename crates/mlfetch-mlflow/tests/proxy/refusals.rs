//! Servers that serve no artifacts, or not to everybody.

use mlfetch_mlflow::ProxyStore;
use mlfetch_store::{ErrorKind, Key, ReadRequest, Retry};

use crate::support::{basic, config, list, open, read_error, variable};

#[tokio::test]
async fn a_server_that_serves_no_artifacts_says_so_at_once() {
    let store = open(&variable("MLFETCH_TEST_MLFLOW_DIRECT"));
    let listed = list(&store, &Key::root()).await.expect_err("artifact serving is off");
    let read = read_error(&store, &Key::from("1/x"), ReadRequest::new()).await;
    for error in [listed, read] {
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unsupported, Retry::Never));
        assert!(error.hint().is_some_and(|hint| hint.contains("--via direct")), "{error:?}");
    }
}

#[tokio::test]
async fn somebody_with_a_password_may_list_and_nobody_may_not() {
    let url = variable("MLFETCH_TEST_MLFLOW_AUTH");
    let password = variable("MLFETCH_TEST_MLFLOW_AUTH_PASSWORD");
    let credential = basic(&variable("MLFETCH_TEST_MLFLOW_AUTH_USERNAME"), &password);
    let signed_in = ProxyStore::open(config(&url).with_credential(credential.clone()));
    list(&signed_in, &Key::root()).await.expect("a listing");
    let error = list(&open(&url), &Key::root()).await.expect_err("nobody is signed in");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    assert!(error.hint().is_some());
    let wrong = ProxyStore::open(config(&url).with_credential(basic("administrator", "wrong-one")));
    let error = read_error(&wrong, &Key::from("1/x"), ReadRequest::new()).await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    assert!(!format!("{error:?} {wrong:?} {signed_in:?}").contains(&password));
}

#[tokio::test]
async fn a_server_of_another_origin_gets_no_credential() {
    let url = variable("MLFETCH_TEST_MLFLOW_AUTH");
    let credential = basic(
        &variable("MLFETCH_TEST_MLFLOW_AUTH_USERNAME"),
        &variable("MLFETCH_TEST_MLFLOW_AUTH_PASSWORD"),
    );
    let mut config = config(&url).with_credential(credential);
    config.address.same_origin = false;
    let error = list(&ProxyStore::open(config), &Key::root()).await.expect_err("not signed in");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
}
