//! Who asks, and what nobody else gets to see.

use mlfetch_store::{Depth, ErrorKind, Key, ListRequest, Secret, StatRequest, Store as _};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::hadoop;
use crate::server::{Answer, HdfsAnswer, Server, open, open_with};
use crate::support::read;

const TOKEN: &str = "s3cret-delegation-token";

fn with_token() -> WebHdfsConfig {
    WebHdfsConfig::new().with_delegation_token(Some(Secret::new(TOKEN)))
}

#[tokio::test]
async fn the_user_is_named_in_every_question() {
    let server = Server::start(|_| Answer::status(3)).await;
    open(&[&server]).stat(&Key::from("a"), StatRequest::new()).await.expect("facts");
    assert_eq!(server.seen()[0].parameter("user.name"), Some("alice"));
    assert_eq!(server.seen()[0].parameter("doas"), None);
}

#[tokio::test]
async fn a_token_stands_for_the_user_and_is_in_no_message() {
    let server = Server::start(|_| {
        let words = format!("token {TOKEN} can't be found in cache");
        Answer::exception("403 Forbidden", "InvalidToken", &words)
    })
    .await;
    let store = open_with(with_token(), &[&server]);
    let error = read(&store, "a").await.expect_err("not valid");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let shown = format!("{error} {error:?} {store:?}");
    assert!(shown.contains("[secret]") && !shown.contains(TOKEN), "{shown}");
    let request = &server.seen()[0];
    assert_eq!(request.parameter("delegation"), Some(TOKEN));
    assert_eq!(request.parameter("user.name"), None);
}

#[tokio::test]
async fn a_token_is_not_sent_to_a_cluster_that_a_uri_alone_names() {
    let server = Server::start(|_| Answer::status(3)).await;
    let uri = server.url().replace("http://", "webhdfs://");
    let error = mlfetch_webhdfs::WebHdfsStore::open(&with_token(), &uri).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.hint().is_some_and(|hint| hint.contains("HADOOP_CONF_DIR")), "{error:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_connection_that_fails_does_not_show_the_token_either() {
    let server = Server::start(|_| Answer::status(3)).await;
    let store = open_with(with_token(), &[&server]);
    drop(server);
    tokio::task::yield_now().await;
    let error = read(&store, "a").await.expect_err("nobody there");
    assert!(!format!("{error:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_token_that_the_namenode_puts_into_a_redirect_is_not_shown_when_it_is_echoed() {
    let datanode = Server::start(|request| {
        let token = request.parameter("delegation").unwrap_or_default().to_owned();
        Answer::exception("403 Forbidden", "InvalidToken", &format!("no token {token}"))
    })
    .await;
    let place = format!("{}/webhdfs/v1/a?op=OPEN&delegation=given-by-namenode", datanode.url());
    let namenode = Server::start(move |_| Answer::redirect(&place)).await;
    let error = read(&open(&[&namenode]), "a").await.expect_err("refused");
    assert!(!format!("{error:?}").contains("given-by-namenode"), "{error:?}");
    assert!(error.to_string().contains("[secret]"), "{error}");
}

#[tokio::test]
async fn one_who_may_reads_for_another() {
    let prefix = hadoop::fresh_prefix();
    hadoop::put(&prefix, &[(Key::from("a.txt"), "x")]).expect("seeded");
    let path = format!("/{}", prefix.to_str().expect("text").trim_end_matches('/'));
    let conf = hadoop::conf();
    hadoop::shell(conf.as_ref(), &["-chown", "-R", "bob", &path]);
    hadoop::shell(conf.as_ref(), &["-chmod", "-R", "700", &path]);
    let as_proxy = |user: &str, proxy: Option<&str>| {
        let config = WebHdfsConfig::new().with_user(user.to_owned());
        hadoop::open_with(config.with_proxy_user(proxy.map(str::to_owned)))
    };
    let key = prefix.append("a.txt");
    let name = key.to_str().expect("text");
    let own = read(&as_proxy("carrier", None), name).await.expect_err("not the owner");
    assert_eq!(own.kind(), ErrorKind::PermissionDenied);
    assert_eq!(read(&as_proxy("carrier", Some("bob")), name).await.expect("bytes"), b"x");
    let refused = read(&as_proxy("mallory", Some("bob")), name).await.expect_err("may not");
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    assert!(refused.hint().is_some_and(|hint| hint.contains("proxyuser")), "{refused:?}");
}

#[tokio::test]
async fn a_file_of_tokens_for_another_cluster_is_refused_before_anything_is_sent() {
    let server = Server::start(|_| Answer::status(3)).await;
    let mut config = WebHdfsConfig::new().with_addresses([server.url()]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokens-protobuf");
    config.token_file = Some(file.into());
    let error = mlfetch_webhdfs::WebHdfsStore::open(&config, "hdfs://elsewhere").err();
    assert_eq!(error.expect("none for it").kind(), ErrorKind::InvalidInput);
    let store = mlfetch_webhdfs::WebHdfsStore::open(&config, "hdfs://10.0.0.1:8020");
    let list = ListRequest::new(Key::root(), Depth::One);
    store.expect("one for it").list_page(list).await.expect_err("no listing");
    let expected = "BW90aGVy";
    let sent = server.seen()[0].parameter("delegation").map(str::to_owned);
    assert!(sent.is_some_and(|sent| sent.starts_with(expected)));
}
