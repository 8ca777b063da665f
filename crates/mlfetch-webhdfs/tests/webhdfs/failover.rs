//! Two NameNodes, as a script has them.

use mlfetch_store::{ErrorKind, Key, Retry, StatRequest, Store as _};

use crate::server::{Answer, HdfsAnswer, Server, open};

fn standby() -> Answer {
    let words = "Operation category READ is not supported in state standby";
    Answer::exception("403 Forbidden", "StandbyException", words)
}

#[tokio::test]
async fn the_other_one_is_asked_and_then_asked_first() {
    let first = Server::start(|_| standby()).await;
    let second = Server::start(|_| Answer::status(3)).await;
    let store = open(&[&first, &second]);
    for _ in 0..3 {
        let info = store.stat(&Key::from("a"), StatRequest::new()).await.expect("facts");
        assert_eq!(info.size, Some(3));
    }
    assert_eq!((first.seen().len(), second.seen().len()), (1, 3));
}

#[tokio::test]
async fn one_that_is_gone_is_no_reason_to_stop() {
    let gone = Server::start(|_| standby()).await;
    let second = Server::start(|_| Answer::status(3)).await;
    let store = open(&[&gone, &second]);
    drop(gone);
    tokio::task::yield_now().await;
    store.stat(&Key::from("a"), StatRequest::new()).await.expect("facts");
}

#[tokio::test]
async fn two_on_standby_are_asked_once_each_and_again_later() {
    let servers = [Server::start(|_| standby()).await, Server::start(|_| standby()).await];
    let store = open(&[&servers[0], &servers[1]]);
    let error = store.stat(&Key::from("a"), StatRequest::new()).await.expect_err("none active");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Later));
    assert_eq!(servers.map(|server| server.seen().len()), [1, 1]);
}

#[tokio::test]
async fn what_is_refused_by_one_is_not_asked_of_the_other() {
    let first = Server::start(|_| {
        Answer::exception("403 Forbidden", "AccessControlException", "Permission denied")
    })
    .await;
    let second = Server::start(|_| Answer::status(3)).await;
    let stat = open(&[&first, &second]).stat(&Key::from("a"), StatRequest::new()).await;
    assert_eq!(stat.expect_err("denied").kind(), ErrorKind::PermissionDenied);
    assert!(second.seen().is_empty());
}
