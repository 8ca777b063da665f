//! A NameNode and a DataNode that speak TLS alone.

use mlfetch_store::{
    Depth, Error, ErrorKind, Key, ListRequest, ReadRequest, Retry, StatRequest, Store as _,
};
use mlfetch_webhdfs::{WebHdfsConfig, WebHdfsStore};

use crate::hadoop;
use crate::support::{bytes, noise, read, variable};

fn tls(name: &str) -> String {
    variable(&format!("MLFETCH_TEST_HDFS_TLS_{name}"))
}

fn config() -> WebHdfsConfig {
    WebHdfsConfig::new().with_user(hadoop::superuser())
}

fn with_authority() -> WebHdfsConfig {
    let mut config = config();
    config.ca_bundle = Some(tls("CA").into());
    config
}

fn open(config: &WebHdfsConfig, scheme: &str) -> WebHdfsStore {
    let uri = tls("URL").replace("https", scheme);
    WebHdfsStore::open(config, &uri).expect("a store")
}

/// Puts a file by Hadoop's own client, and gives its key.
fn put(bytes: &[u8]) -> Key {
    let local = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(local.path(), bytes).expect("written");
    let prefix = hadoop::fresh_prefix();
    let conf = tls("CONF");
    let directory = format!("/{}", prefix.to_str().expect("text"));
    hadoop::shell(conf.as_ref(), &["-mkdir", &directory]);
    let target = format!("{directory}a b.bin");
    let from = local.path().display().to_string();
    hadoop::shell(conf.as_ref(), &["-put", &from, &target]);
    prefix.append("a b.bin")
}

#[tokio::test]
async fn files_come_over_tls_from_both_kinds_of_servers() {
    let all = noise(1_000_000);
    let key = put(&all);
    let store = open(&with_authority(), "swebhdfs");
    let prefix = key.to_str().expect("text").rsplit_once('/').expect("a directory").0;
    let list = ListRequest::new(Key::from(format!("{prefix}/")), Depth::One);
    assert_eq!(store.list_page(list).await.expect("a page").entries.len(), 1);
    let info = store.stat(&key, StatRequest::new().with_checksums()).await.expect("facts");
    assert_eq!((info.size, info.checksums.len()), (Some(1_000_000), 1), "{info:?}");
    assert!(read(&store, key.to_str().expect("text")).await.expect("bytes") == all);
    let part = ReadRequest::new().with_range(500_000..700_000);
    let part = bytes(store.read(&key, part).await.expect("an object")).await.expect("bytes");
    assert!(part == all[500_000..700_000], "{} bytes", part.len());
}

#[tokio::test]
async fn the_policy_of_the_cluster_means_tls_for_hdfs_too() {
    let key = put(b"bytes");
    let config = with_authority().with_conf_dir(Some(tls("CONF").into()));
    let store = WebHdfsStore::open(&config, "hdfs:///").expect("a store");
    assert_eq!(read(&store, key.to_str().expect("text")).await.expect("bytes"), b"bytes");
}

async fn fail(config: &WebHdfsConfig, scheme: &str) -> Error {
    open(config, scheme).stat(&Key::from("a"), StatRequest::new()).await.expect_err("no answer")
}

#[tokio::test]
async fn without_its_authority_it_is_not_believed_and_the_setting_is_named() {
    let error = fail(&config(), "swebhdfs").await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Tls, Retry::Never), "{error:?}");
    let text = error.to_string();
    let address = tls("URL").replace("https://", "");
    assert!(text.contains("no secure connection") && text.contains(&address), "{text}");
    assert!(error.hint().is_some_and(|hint| hint.contains("webhdfs-ca-bundle")), "{error:?}");
}

#[tokio::test]
async fn who_asks_for_it_believes_any_server() {
    let mut config = config();
    config.insecure_tls = true;
    assert_eq!(fail(&config, "swebhdfs").await.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn who_asks_it_without_tls_is_told_that_it_may_speak_tls() {
    let error = fail(&config(), "webhdfs").await;
    assert!(error.hint().is_some_and(|hint| hint.contains("swebhdfs")), "{error:?}");
}
