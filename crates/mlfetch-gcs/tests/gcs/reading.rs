//! Generations, ranges, encodings, checksums: what is read is what is stored, or an error.

use mlfetch_store::{
    Algorithm, Checksum, Error, ErrorKind, Key, Object, ReadRequest, StatRequest, Store as _,
};

use crate::emulator;
use crate::server::{Answer, GcsAnswer, Server};
use crate::support::{bytes, open, read};

/// The nine bytes whose checksums are published with the algorithms.
const DIGITS: &[u8] = b"123456789";

/// `123456789`, compressed.
const GZIPPED: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x33\x34\x32\x36\x31\x35\x33\xb7\xb0\
\x04\x00\x26\x39\xf4\xcb\x09\x00\x00\x00";

fn crc32c(bytes: &[u8]) -> Checksum {
    let value = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes);
    Checksum::new(Algorithm::Crc32c, value.to_be_bytes()[4..].to_vec())
}

async fn ask(answer: Answer, request: ReadRequest) -> Result<Object, Error> {
    let server = Server::start(move |_| answer.clone()).await;
    open(&server.url()).await.read(&Key::from("a"), request).await
}

#[tokio::test]
async fn listing_stat_and_read_give_the_same_generation_and_checksum() {
    let key = emulator::fresh_prefix().append("object");
    let generation = emulator::put(&[(key.clone(), DIGITS)]).expect("an object").remove(0);
    let store = emulator::open().await;
    let stat = store.stat(&key, StatRequest::new()).await.expect("facts");
    let object = store.read(&key, ReadRequest::new()).await.expect("an object");
    for info in [&stat, &object.info] {
        assert_eq!(info.version.as_deref(), Some(generation.as_str()));
        assert_eq!(info.etag, info.version);
        assert_eq!(info.checksums, [crc32c(DIGITS)]);
        assert_eq!(info.size, Some(9));
        assert!(info.modified.is_some());
    }
    assert_eq!(object.info.checksums[0].hex(), "e3069283");
    assert_eq!(bytes(object).await.expect("bytes"), DIGITS);
}

#[tokio::test]
async fn an_object_that_was_replaced_is_changed_and_never_the_new_one() {
    let key = emulator::fresh_prefix().append("object");
    let old = emulator::put(&[(key.clone(), "old")]).expect("an object").remove(0);
    let new = emulator::put(&[(key.clone(), "new")]).expect("an object").remove(0);
    assert_ne!(old, new);
    let store = emulator::open().await;
    let tied = |tag: &str| ReadRequest::new().with_if_match(tag.to_owned());
    for request in [
        tied(&old),
        tied(&old).with_version(old.clone()),
        tied(&old).with_range(0..1),
        tied(&old).with_range(1..1),
    ] {
        let error = store.read(&key, request.clone()).await.expect_err("it was replaced");
        assert_eq!(error.kind(), ErrorKind::Changed, "{request:?}: {error}");
    }
    let now = tied(&new).with_version(new.clone());
    let object = store.read(&key, now).await.expect("the one that is there");
    assert_eq!(bytes(object).await.expect("bytes"), b"new");
    let gone = ReadRequest::new().with_version(old);
    let error = store.read(&key, gone).await.expect_err("no such generation");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn the_generation_is_asked_for_and_looked_at() {
    let server = Server::start(|_| Answer::object("bytes", &[])).await;
    let store = open(&server.url()).await;
    let request = ReadRequest::new()
        .with_version("1764000000000001".to_owned())
        .with_if_match("1764000000000001".to_owned());
    store.read(&Key::from("a/b"), request).await.expect("an object");
    let seen = server.seen().remove(0);
    let expected = "/storage/v1/b/bucket/o/a%2Fb?alt=media&ifGenerationMatch=1764000000000001";
    assert_eq!(seen.target, expected);
    let request = ReadRequest::new().with_version("1764000000000001".to_owned());
    store.read(&Key::from("a/b"), request).await.expect("an object");
    let expected = "/storage/v1/b/bucket/o/a%2Fb?generation=1764000000000001&alt=media";
    assert_eq!(server.seen()[1].target, expected);
    let other = ReadRequest::new().with_version("1764000000000002".to_owned());
    let error = store.read(&Key::from("a"), other).await.expect_err("another generation");
    assert_eq!(error.kind(), ErrorKind::Changed);
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_changed() {
    let refused = Answer::error("412 Precondition Failed", "conditionNotMet", "At least one");
    let tied = ReadRequest::new().with_if_match("1764000000000002".to_owned());
    let error = ask(refused, tied).await.expect_err("another generation");
    assert_eq!(error.kind(), ErrorKind::Changed);
}

#[tokio::test]
async fn an_object_that_is_stored_compressed_comes_as_it_is_stored() {
    let key = emulator::fresh_prefix().append("object.json");
    emulator::put_encoded(&key, GZIPPED, "gzip").expect("an object");
    let store = emulator::open().await;
    let stat = store.stat(&key, StatRequest::new()).await.expect("facts");
    assert_eq!((stat.size, stat.checksums), (Some(29), vec![crc32c(GZIPPED)]));
    let object = store.read(&key, ReadRequest::new()).await.expect("an object");
    assert_eq!((object.info.size, &object.info.checksums), (Some(29), &vec![crc32c(GZIPPED)]));
    assert_eq!(bytes(object).await.expect("bytes"), GZIPPED);
    let part = store.read(&key, ReadRequest::new().with_range(2..9)).await.expect("a range");
    assert_eq!(part.info.size, Some(29));
    assert_eq!(bytes(part).await.expect("bytes"), &GZIPPED[2..9]);
}

#[tokio::test]
async fn bytes_that_were_decompressed_or_compressed_on_the_way_are_refused() {
    for (stored, sent) in [("gzip", None), ("identity", Some("gzip"))] {
        let stored = format!("x-goog-stored-content-encoding: {stored}");
        let sent = sent.map(|sent| format!("Content-Encoding: {sent}"));
        let headers: Vec<&str> = [stored.as_str()].into_iter().chain(sent.as_deref()).collect();
        let error = ask(Answer::object("x", &headers), ReadRequest::new()).await;
        assert_eq!(error.expect_err("other bytes").kind(), ErrorKind::Protocol, "{headers:?}");
    }
}

#[tokio::test]
async fn a_range_is_the_one_that_was_asked_for() {
    let whole = ask(Answer::object("0123456789", &[]), ReadRequest::new().with_range(2..4)).await;
    assert_eq!(whole.expect_err("no range").kind(), ErrorKind::Unsupported);
    let headers = ["x-goog-generation: 1", "Content-Range: bytes 3-4/10"];
    let other = Answer::new("206 Partial Content", &headers, "34");
    let other = ask(other, ReadRequest::new().with_range(2..4)).await;
    assert_eq!(other.expect_err("another range").kind(), ErrorKind::Protocol);
    let backwards = std::ops::Range { start: 4, end: 2 };
    let backwards = ReadRequest::new().with_range(backwards);
    let error = ask(Answer::object("", &[]), backwards).await.expect_err("no range");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_body_without_a_length_is_held_to_the_size_that_is_stored() {
    let head = "HTTP/1.1 200 OK\r\nx-goog-generation: 1\r\nx-goog-stored-content-length: 9\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    for (chunks, right) in [("9\r\n123456789\r\n0\r\n\r\n", true), ("2\r\n12\r\n0\r\n\r\n", false)]
    {
        let answer = [head, chunks].concat();
        let server = Server::start(move |_| Answer::raw(answer.clone())).await;
        let arrived = read(&open(&server.url()).await, "a").await;
        assert_eq!(arrived.is_ok(), right, "{arrived:?}");
    }
}

#[tokio::test]
async fn facts_of_another_object_are_no_facts() {
    let other = serde_json::json!({ "name": "b", "size": "1", "generation": "1" });
    let server = Server::start(move |_| Answer::json("200 OK", &other)).await;
    let stat = open(&server.url()).await.stat(&Key::from("a"), StatRequest::new()).await;
    assert_eq!(stat.expect_err("another object").kind(), ErrorKind::Protocol);
}
