//! HttpFS, Hadoop's own gateway: the suite, and what a gateway does in its own way.

mod conformance;

use std::num::NonZeroUsize;
use std::process::Command;

use mlfetch_store::{
    Coverage, Depth, ErrorKind, Key, ListRequest, ReadRequest, Retry, Secret, StatRequest,
    Store as _,
};
use mlfetch_webhdfs::{WebHdfsConfig, WebHdfsStore};
use serde_json::Value;

use crate::hadoop;
use crate::support::{bytes, noise, read, variable};

fn url() -> String {
    variable("MLFETCH_TEST_HTTPFS_URL")
}

/// Who may do everything in the HDFS behind it.
fn open() -> WebHdfsStore {
    open_with(&WebHdfsConfig::new().with_user(hadoop::superuser()))
}

fn open_with(config: &WebHdfsConfig) -> WebHdfsStore {
    let uri = url().replace("http://", "webhdfs://");
    WebHdfsStore::open(config, &uri).expect("a store")
}

/// Puts one file, and gives its key.
fn put(bytes: &[u8]) -> Key {
    let prefix = hadoop::fresh_prefix();
    hadoop::put(&prefix, &[(Key::from("a.bin"), bytes)]).expect("seeded");
    prefix.append("a.bin")
}

#[tokio::test]
async fn the_bytes_come_from_the_gateway_and_from_nowhere_else() {
    let bytes = noise(300_000);
    let key = put(&bytes);
    // No redirect is allowed to lead away from it.
    let config = WebHdfsConfig::new().with_user(hadoop::superuser());
    let store = open_with(&config.with_datanode_hosts("dn1.example").expect("a list"));
    assert!(read(&store, key.to_str().expect("text")).await.expect("bytes") == bytes);
}

#[tokio::test]
async fn a_file_of_several_blocks_comes_with_their_sizes() {
    let key = crate::checksums::put("a.bin", &["-D", "dfs.blocksize=1048576"], &noise(1_500_000));
    let info = open().read(&key, ReadRequest::new()).await.expect("an object").info;
    let [sum] = info.checksums.as_slice() else { panic!("one checksum: {info:?}") };
    let Coverage::Blocks(blocks) = &sum.coverage else { panic!("{sum:?}") };
    assert_eq!((&blocks.sizes, blocks.chunk_bytes), (&vec![1_048_576, 451_424], 512));
}

#[tokio::test]
async fn a_range_ends_where_it_was_asked_to() {
    let all = noise(2_000_000);
    let key = put(&all);
    let store = open();
    for range in [0..1, 1_999_999..2_000_000, 131_071..1_500_001, 7..7_usize] {
        let request = ReadRequest::new().with_range(range.start as u64..range.end as u64);
        let part = bytes(store.read(&key, request).await.expect("an object")).await.expect("bytes");
        assert!(part == all[range.clone()], "{range:?}: {} bytes", part.len());
    }
}

#[tokio::test]
async fn a_directory_comes_whole_and_pages_are_cut_from_it() {
    let prefix = hadoop::fresh_prefix();
    hadoop::put::<&str>(&prefix, &[]).expect("a directory");
    let path = |number: usize| format!("/{}{number:03}", prefix.to_str().expect("text"));
    let paths: Vec<String> = (0..250).map(path).collect();
    let arguments = ["-touchz"].into_iter().chain(paths.iter().map(String::as_str));
    hadoop::shell(hadoop::conf().as_ref(), &arguments.collect::<Vec<_>>());
    let store = open();
    let mut request = ListRequest::new(prefix.clone(), Depth::One);
    let page = store.list_page(request.clone()).await.expect("a page");
    assert_eq!((page.entries.len(), page.next), (250, None));
    request.max_entries = NonZeroUsize::new(120);
    let mut counts = Vec::new();
    loop {
        let page = store.list_page(request.clone()).await.expect("a page");
        counts.push(page.entries.len());
        request.token = page.next;
        if request.token.is_none() {
            break;
        }
    }
    assert_eq!(counts, [120, 120, 10]);
}

#[tokio::test]
async fn each_refusal_has_its_kind_as_it_has_without_a_gateway() {
    let key = put(b"x");
    let (prefix, _) = key.to_str().expect("text").rsplit_once('/').expect("a directory");
    hadoop::shell(hadoop::conf().as_ref(), &["-chmod", "700", &format!("/{prefix}")]);
    let (missing, directory) = (Key::from("no/such/file"), Key::from(prefix));
    let stranger = open_with(&WebHdfsConfig::new().with_user("mallory".to_owned()));
    for (store, key, kind) in [
        (&open(), &missing, ErrorKind::NotFound),
        (&open(), &directory, ErrorKind::IsDirectory),
        (&stranger, &key, ErrorKind::PermissionDenied),
    ] {
        let read = store.read(key, ReadRequest::new()).await.expect_err("refused");
        let stat = store.stat(key, StatRequest::new()).await.expect_err("refused");
        assert_eq!([read.kind(), stat.kind()], [kind; 2], "{key}: {read:?} {stat:?}");
        assert_eq!([read.retry(), stat.retry()], [Retry::Never; 2], "{read:?} {stat:?}");
    }
    let error = read(&stranger, key.to_str().expect("text")).await.expect_err("denied");
    assert!(error.to_string().contains("user=mallory"), "{error}");
}

#[tokio::test]
async fn a_file_is_no_directory() {
    let key = put(b"x");
    let list = ListRequest::new(key.append("/"), Depth::One);
    let error = open().list_page(list).await.expect_err("a file");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
}

#[tokio::test]
async fn who_may_act_for_others_reads_for_them_and_nobody_else_does() {
    let key = put(b"x");
    let name = key.to_str().expect("text");
    let as_carrier = |user: &str| {
        let config = WebHdfsConfig::new().with_user(user.to_owned());
        open_with(&config.with_proxy_user(hadoop::superuser()))
    };
    assert_eq!(read(&as_carrier("carrier"), name).await.expect("bytes"), b"x");
    let error = read(&as_carrier("mallory"), name).await.expect_err("may not");
    assert!(
        matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unauthenticated),
        "{error:?}"
    );
    assert!(error.to_string().contains("mallory"), "{error}");
}

#[tokio::test]
async fn a_token_of_the_gateway_says_who_asks() {
    let key = put(b"x");
    let address =
        format!("{}/webhdfs/v1/?op=GETDELEGATIONTOKEN&user.name={}", url(), hadoop::superuser());
    let given = Command::new("curl").args(["-sf", &address]).output().expect("curl runs").stdout;
    let given: Value = serde_json::from_slice(&given).expect("JSON");
    let token = given["Token"]["urlString"].as_str().expect("a token").to_owned();
    let open = |token: String| {
        let config = WebHdfsConfig::new().with_addresses([url()]);
        open_with(&config.with_delegation_token(Some(Secret::new(token))))
    };
    let bytes = read(&open(token.clone()), key.to_str().expect("text")).await;
    assert_eq!(bytes.expect("bytes"), b"x");
    let error = read(&open("AAAA".to_owned()), "a").await.expect_err("no token");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
}
