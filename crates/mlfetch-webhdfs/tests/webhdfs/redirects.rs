//! Where a NameNode may send us.

use mlfetch_store::{ErrorKind, Key, ReadRequest, Retry, Secret, Store as _};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::server::{Answer, HdfsAnswer, HdfsRequest, Server, open, open_with, operations};
use crate::support::{bytes, read};

/// A NameNode that knows one file of three bytes, and leads to `place` for its bytes.
async fn namenode(place: String) -> Server {
    Server::start(move |request| match request.operation() {
        "GETFILESTATUS" => Answer::status(3),
        "OPEN" => Answer::redirect(&place),
        _ => Answer::exception("400 Bad Request", "UnsupportedOperationException", "no"),
    })
    .await
}

#[tokio::test]
async fn the_bytes_come_from_where_the_namenode_says() {
    let datanode = Server::start(|_| Answer::ok("abc")).await;
    let namenode = namenode(format!("{}/webhdfs/v1/a?op=OPEN&x=y", datanode.url())).await;
    assert_eq!(read(&open(&[&namenode]), "a").await.expect("bytes"), b"abc");
    let request = &datanode.seen()[0];
    assert_eq!(request.target, "/webhdfs/v1/a?op=OPEN&x=y");
    for header in ["authorization:", "cookie:", "referer:"] {
        assert!(!request.head.to_lowercase().contains(header), "{}", request.head);
    }
    assert_eq!(operations(&namenode).iter().filter(|name| *name == "OPEN").count(), 1);
}

#[tokio::test]
async fn a_host_that_is_not_listed_gets_nothing() {
    let elsewhere = Server::start(|_| Answer::ok("abc")).await;
    let namenode = namenode(format!("{}/webhdfs/v1/a?op=OPEN", elsewhere.url())).await;
    let config = WebHdfsConfig::new().with_datanode_hosts("dn1.example").expect("a list");
    let config = config.with_delegation_token(Some(Secret::new("s3cret-token")));
    let error = read(&open_with(config, &[&namenode]), "a").await.expect_err("refused");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Refused, Retry::Never));
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
}

#[tokio::test]
async fn a_listed_host_is_followed() {
    let datanode = Server::start(|_| Answer::ok("abc")).await;
    let namenode = namenode(format!("{}/webhdfs/v1/a?op=OPEN", datanode.url())).await;
    let config = WebHdfsConfig::new().with_datanode_hosts("dn1.example, 127.0.0.1");
    let store = open_with(config.expect("a list"), &[&namenode]);
    assert_eq!(read(&store, "a").await.expect("bytes"), b"abc");
}

#[tokio::test]
async fn a_datanode_that_leads_on_is_not_followed() {
    let third = Server::start(|_| Answer::ok("abc")).await;
    let onward = third.url();
    let datanode = Server::start(move |_| Answer::redirect(&onward)).await;
    let namenode = namenode(format!("{}/webhdfs/v1/a?op=OPEN", datanode.url())).await;
    let error = read(&open(&[&namenode]), "a").await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(third.seen().is_empty());
}

#[tokio::test]
async fn a_gateway_gives_the_bytes_itself() {
    let gateway = Server::start(|request| match request.operation() {
        "GETFILESTATUS" => Answer::status(3),
        "OPEN" => Answer::ok("abc"),
        _ => Answer::exception("400 Bad Request", "UnsupportedOperationException", "no"),
    })
    .await;
    assert_eq!(read(&open(&[&gateway]), "a").await.expect("bytes"), b"abc");
}

#[tokio::test]
async fn letters_that_a_server_would_compose_are_asked_for_as_they_are() {
    let datanode = Server::start(|_| Answer::ok("abc")).await;
    let namenode = namenode(format!("{}/webhdfs/v1/caf%C3%A9?op=OPEN", datanode.url())).await;
    read(&open(&[&namenode]), "cafe\u{301}").await.expect("bytes");
    assert_eq!(datanode.seen()[0].target, "/webhdfs/v1/cafe%CC%81?op=OPEN");
}

#[tokio::test]
async fn a_datanode_that_breaks_is_avoided_by_its_address() {
    let datanode = Server::start(|_| Answer::ok("abc").cut(2)).await;
    let place = format!("{}/webhdfs/v1/a?op=OPEN", datanode.url());
    let namenode = Server::start(move |request| match request.operation() {
        "GETFILESTATUS" => Answer::status(3),
        "OPEN" => Answer::redirect(&place),
        "GETFILEBLOCKLOCATIONS" => Answer::ok(
            r#"{"BlockLocations":{"BlockLocation":[{"offset":0,"length":3,
                "hosts":["127.0.0.1"],"names":["10.0.0.7:9866"]}]}}"#,
        ),
        _ => Answer::exception("400 Bad Request", "UnsupportedOperationException", "no"),
    })
    .await;
    let store = open_with(WebHdfsConfig::new().with_checksums(false), &[&namenode]);
    read(&store, "a").await.expect_err("cut");
    let read = store.read(&Key::from("a"), ReadRequest::new()).await.expect("opened again");
    assert_eq!(bytes(read).await.expect_err("cut").retry(), Retry::Later);
    let opened = namenode.seen().into_iter().filter(|request| request.operation() == "OPEN");
    let excluded: Vec<Option<String>> =
        opened.map(|request| request.parameter("excludedatanodes").map(str::to_owned)).collect();
    assert_eq!(excluded, [None, Some("10.0.0.7%3A9866".to_owned())]);
}

#[tokio::test]
async fn the_only_datanode_is_asked_again_when_there_is_no_other() {
    let datanode = Server::start(|_| Answer::ok("abc").cut(2)).await;
    let place = format!("{}/webhdfs/v1/a?op=OPEN", datanode.url());
    let namenode = Server::start(move |request| match request.operation() {
        "GETFILESTATUS" => Answer::status(3),
        "OPEN" if request.parameter("excludedatanodes").is_some() => {
            let words = "No active nodes contain this block";
            Answer::exception("403 Forbidden", "IOException", words)
        }
        "OPEN" => Answer::redirect(&place),
        _ => Answer::ok(
            r#"{"BlockLocations":{"BlockLocation":[{"offset":0,"length":3,
                "hosts":["127.0.0.1"],"names":["10.0.0.7:9866"]}]}}"#,
        ),
    })
    .await;
    let store = open_with(WebHdfsConfig::new().with_checksums(false), &[&namenode]);
    read(&store, "a").await.expect_err("cut");
    store.read(&Key::from("a"), ReadRequest::new()).await.expect("the same one");
    assert_eq!(datanode.seen().len(), 2);
}
