//! One ticket for a long run: it gets a token, and the token is given back.

use std::sync::Arc;

use futures_util::future::join_all;
use mlfetch_store::{ErrorKind, Key, Secret, StatRequest, Store as _};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::hadoop;
use crate::realm::{keeper, open_with, realm};
use crate::server::{Answer, HdfsAnswer, HdfsRequest, Server, operations};
use crate::support::read;

/// A NameNode in the realm that wants a ticket, gives a token for it, and then takes the token.
async fn namenode(datanode: String) -> Server {
    Server::start(move |request| {
        let has_token = request.parameter("delegation") == Some("given-for-a-ticket");
        match request.operation() {
            "GETDELEGATIONTOKEN" if request.head.contains("authorization: Negotiate YI") => {
                Answer::new(
                    "200 OK",
                    &["Set-Cookie: hadoop.auth=\"u=alice&s=x\"; Path=/; HttpOnly"],
                    r#"{"Token":{"urlString":"given-for-a-ticket"}}"#,
                )
            }
            "CANCELDELEGATIONTOKEN" => Answer::ok(""),
            "GETFILESTATUS" if has_token => Answer::status(3),
            "OPEN" if has_token => Answer::redirect(&datanode),
            _ => Answer::new("401 Unauthorized", &["WWW-Authenticate: Negotiate"], ""),
        }
    })
    .await
}

fn config(server: &Server) -> WebHdfsConfig {
    let url = server.url().replace("127.0.0.1", "localhost");
    let config = WebHdfsConfig::new().with_ticket_cache(realm("CACHE")).with_addresses([url]);
    config.with_checksums(false)
}

#[tokio::test]
async fn many_reads_show_one_ticket_and_datanodes_see_none() {
    let datanode = Server::start(|_| Answer::ok("abc")).await;
    let place = format!("{}/webhdfs/v1/a?op=OPEN&delegation=given-for-a-ticket", datanode.url());
    let namenode = namenode(place).await;
    let store = Arc::new(open_with(config(&namenode)));
    let reads = (0..20).map(|_| {
        let store = Arc::clone(&store);
        async move { read(&*store, "a").await }
    });
    for bytes in join_all(reads).await {
        assert_eq!(bytes.expect("bytes"), b"abc");
    }
    let shown = namenode.seen().into_iter().filter(|request| request.head.contains("Negotiate"));
    assert_eq!(shown.count(), 1);
    for request in datanode.seen() {
        assert!(!request.head.to_lowercase().contains("authorization"), "{}", request.head);
        assert!(!request.head.to_lowercase().contains("cookie"), "{}", request.head);
    }
    let shown = format!("{store:?}");
    assert!(!shown.contains("given-for-a-ticket") && !shown.contains("hadoop.auth"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_given_back_when_the_store_goes() {
    let namenode = namenode(String::new()).await;
    let store = open_with(config(&namenode));
    store.stat(&Key::from("a"), StatRequest::new()).await.expect("facts");
    let clone = store.clone();
    drop(store);
    assert!(!operations(&namenode).contains(&"CANCELDELEGATIONTOKEN".to_owned()));
    drop(clone);
    let seen = namenode.seen();
    let cancelled = seen.last().expect("requests");
    assert_eq!(cancelled.operation(), "CANCELDELEGATIONTOKEN");
    assert_eq!(cancelled.parameter("token"), Some("given-for-a-ticket"));
    assert!(cancelled.head.starts_with("PUT "), "{}", cancelled.head);
    assert!(
        cancelled.head.contains("cookie: hadoop.auth=\"u=alice&s=x\"\r\n"),
        "{}",
        cancelled.head
    );
}

#[tokio::test]
async fn a_token_of_ours_that_is_not_known_any_more_is_replaced() {
    let given = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |request| match request.operation() {
        "GETDELEGATIONTOKEN" => {
            let number = given.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Answer::ok(format!(r#"{{"Token":{{"urlString":"token-{number}"}}}}"#))
        }
        _ if request.parameter("delegation") == Some("token-1") => Answer::status(3),
        _ if request.parameter("delegation") == Some("token-0") => {
            Answer::exception("403 Forbidden", "InvalidToken", "token can't be found in cache")
        }
        _ => Answer::new("401 Unauthorized", &["WWW-Authenticate: Negotiate"], ""),
    })
    .await;
    let store = open_with(config(&server));
    store.stat(&Key::from("a"), StatRequest::new()).await.expect_err("the first is stale at once");
    store.stat(&Key::from("a"), StatRequest::new()).await.expect("the second is not");
}

/// Passes requests on to a NameNode, and shows what they are.
async fn forwarder(to: String) -> Server {
    use std::io::{Read as _, Write as _};
    Server::start(move |request| {
        let address = to.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).expect("the NameNode answers");
        let head = request.head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        Answer::raw(answer)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_token_is_no_good_after_the_run() {
    let prefix = hadoop::fresh_prefix();
    hadoop::put_at(&realm("URL"), keeper(), &prefix, &[(Key::from("a.txt"), "x")]).expect("seeded");
    let key = prefix.append("a.txt");
    let name = key.to_str().expect("text");
    let forwarder = forwarder(realm("URL")).await;
    let store = open_with(config(&forwarder));
    assert_eq!(read(&store, name).await.expect("bytes"), b"x");
    let seen = forwarder.seen();
    let token = seen.iter().find_map(|request| request.parameter("delegation"));
    let token = token.expect("a token was used").to_owned();
    let with_token = || {
        let config = WebHdfsConfig::new().with_delegation_token(Some(Secret::new(token.clone())));
        open_with(config)
    };
    assert_eq!(read(&with_token(), name).await.expect("the run goes on"), b"x");
    drop(store);
    let error = read(&with_token(), name).await.expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
}

#[tokio::test]
async fn a_key_is_as_good_as_a_ticket() {
    let prefix = hadoop::fresh_prefix();
    hadoop::put_at(&realm("URL"), keeper(), &prefix, &[(Key::from("a.txt"), "x")]).expect("seeded");
    let cache = std::env::temp_dir().join(format!("mlfetch-key-{}", std::process::id()));
    let config = WebHdfsConfig::new().with_keytab(realm("KEYTAB"), "bob");
    let store = open_with(config.with_ticket_cache(format!("FILE:{}", cache.display())));
    let key = prefix.append("a.txt");
    assert_eq!(read(&store, key.to_str().expect("text")).await.expect("bytes"), b"x");
}
