//! HDFS's checksums, and what they cover.

use mlfetch_store::{Algorithm, Coverage, Key, ReadRequest, StatRequest, Store as _};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::hadoop;
use crate::server::{Answer, HdfsAnswer, HdfsRequest, Server, open, operations};
use crate::support::noise;

/// Puts a file with Hadoop's own client, and gives its key.
pub(crate) fn put(name: &str, settings: &[&str], bytes: &[u8]) -> Key {
    let prefix = hadoop::fresh_prefix();
    hadoop::put::<&str>(&prefix, &[]).expect("a directory");
    let local = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(local.path(), bytes).expect("written");
    let key = prefix.append(name);
    let target = format!("/{}", key.to_str().expect("text"));
    let from = local.path().display().to_string();
    let put = ["-put", from.as_str(), target.as_str()];
    hadoop::shell(hadoop::conf().as_ref(), &[settings, &put].concat());
    key
}

#[tokio::test]
async fn a_file_of_several_blocks_comes_with_their_sizes() {
    let bytes = noise(2_500_001);
    let key = put("a.bin", &["-D", "dfs.blocksize=1048576"], &bytes);
    let store = hadoop::open();
    let stat = store.stat(&key, StatRequest::new().with_checksums()).await.expect("facts");
    let read = store.read(&key, ReadRequest::new()).await.expect("an object").info;
    for info in [stat, read] {
        let [sum] = info.checksums.as_slice() else { panic!("one checksum: {info:?}") };
        assert_eq!((sum.algorithm, sum.value.len()), (Algorithm::Md5, 16));
        let Coverage::Blocks(blocks) = &sum.coverage else { panic!("{sum:?}") };
        assert_eq!(blocks.sizes, [1_048_576, 1_048_576, 402_849]);
        assert_eq!((blocks.crc, blocks.chunk_bytes), (Algorithm::Crc32c, 512));
    }
}

#[tokio::test]
async fn other_crcs_and_chunks_are_told() {
    let settings = ["-D", "dfs.checksum.type=CRC32", "-D", "dfs.bytes-per-checksum=1000"];
    let block = ["-D", "dfs.blocksize=1048000"];
    let key = put("a.bin", &[settings.as_slice(), &block].concat(), &noise(1234));
    let info = hadoop::open().stat(&key, StatRequest::new().with_checksums()).await;
    let info = info.expect("facts");
    let Coverage::Blocks(blocks) = &info.checksums[0].coverage else { panic!("{info:?}") };
    assert_eq!(blocks.sizes, [1234]);
    assert_eq!((blocks.crc, blocks.chunk_bytes), (Algorithm::Crc32, 1000));
}

#[tokio::test]
async fn an_appended_file_has_a_short_block_in_its_middle() {
    let key = put("a.bin", &["-D", "dfs.blocksize=1048576"], &noise(1_500_000));
    let path = format!("/{}", key.to_str().expect("text"));
    let local = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(local.path(), noise(700_000)).expect("written");
    let from = local.path().display().to_string();
    let append = ["-D", "dfs.blocksize=1048576", "-appendToFile", "-n", &from, &path];
    hadoop::shell(hadoop::conf().as_ref(), &append);
    let info = hadoop::open().stat(&key, StatRequest::new().with_checksums()).await;
    let info = info.expect("facts");
    let Coverage::Blocks(blocks) = &info.checksums[0].coverage else { panic!("{info:?}") };
    assert_eq!(blocks.sizes, [1_048_576, 451_424, 700_000]);
}

#[tokio::test]
async fn an_empty_file_and_a_stat_without_checksums_have_none() {
    let key = put("empty", &[], b"");
    let store = hadoop::open();
    let with = store.stat(&key, StatRequest::new().with_checksums()).await.expect("facts");
    let read = store.read(&key, ReadRequest::new()).await.expect("an object").info;
    assert!(with.checksums.is_empty() && read.checksums.is_empty());
    let key = put("full", &[], b"x");
    let without = store.stat(&key, StatRequest::new()).await.expect("facts");
    assert!(without.checksums.is_empty());
}

#[tokio::test]
async fn who_wants_none_does_not_ask_for_them() {
    let server = Server::start(|request| match request.operation() {
        "GETFILESTATUS" => Answer::status(3),
        "OPEN" => Answer::ok("abc"),
        other => panic!("{other}"),
    })
    .await;
    let config = WebHdfsConfig::new().with_checksums(false);
    let store = crate::server::open_with(config, &[&server]);
    store.read(&Key::from("a"), ReadRequest::new()).await.expect("an object");
    let asked = StatRequest::new().with_checksums();
    store.stat(&Key::from("a"), asked).await.expect("facts");
    assert_eq!(operations(&server), ["OPEN", "GETFILESTATUS", "GETFILESTATUS"]);
}

/// A file of three bytes, whose facts and checksum are these.
async fn told(facts: &'static str, checksum: Answer) -> Vec<mlfetch_store::Checksum> {
    let server = Server::start(move |request| match request.operation() {
        "GETFILESTATUS" => Answer::ok(format!(
            r#"{{"FileStatus":{{"type":"FILE","length":3,"modificationTime":1{facts}}}}}"#
        )),
        "OPEN" => Answer::ok("abc"),
        "GETFILECHECKSUM" => checksum.clone(),
        other => panic!("{other}"),
    })
    .await;
    let read = open(&[&server]).read(&Key::from("a"), ReadRequest::new()).await;
    read.expect("an object").info.checksums
}

fn composite() -> Answer {
    Answer::ok(r#"{"FileChecksum":{"algorithm":"COMPOSITE-CRC32C","bytes":"364b3fb7","length":4}}"#)
}

#[tokio::test]
async fn the_checksum_of_what_is_encrypted_or_striped_is_none_of_the_bytes() {
    for facts in [r#","encBit":true"#, r#","ecBit":true"#] {
        assert!(told(facts, composite()).await.is_empty(), "{facts}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_it_leaves_the_file_without() {
    for answer in [
        Answer::exception("403 Forbidden", "IOException", "Fail to get checksum"),
        Answer::exception("400 Bad Request", "UnsupportedOperationException", "no"),
        Answer::new("501 Not Implemented", &[], ""),
        Answer::ok(r#"{"FileChecksum":{"algorithm":"XYZ","bytes":"00","length":1}}"#),
        Answer::ok(r#"{"FileChecksum":null}"#),
    ] {
        assert!(told("", answer).await.is_empty());
    }
}

#[tokio::test]
async fn a_checksum_that_cannot_be_given_now_is_asked_again() {
    let server = Server::start(|request| match request.operation() {
        "OPEN" => Answer::ok("abc"),
        "GETFILESTATUS" => Answer::status(3),
        _ => Answer::exception("403 Forbidden", "RetriableException", "later"),
    })
    .await;
    let read = open(&[&server]).read(&Key::from("a"), ReadRequest::new()).await;
    assert_eq!(read.expect_err("later").retry(), mlfetch_store::Retry::Later);
}
