//! Answers that are not the answer to what was asked.

use mlfetch_azure::{AzureConfig, RangeChecksum};
use mlfetch_store::{Algorithm, Error, ErrorKind, Key, ReadRequest, Retry, Secret, Store as _};

use crate::server::{Answer, AzureAnswer, Server};
use crate::support::{ACCESS_KEY, at, bytes, open};

const TAG: &str = "ETag: \"t\"";
const BLOB: &str = "x-ms-blob-type: BlockBlob";

async fn ask(answer: Answer, request: ReadRequest) -> Result<Vec<u8>, Error> {
    let server = Server::start(move |_| answer.clone()).await;
    let store = open(&server.url());
    bytes(store.read(&Key::from("a"), request).await?).await
}

fn middle() -> ReadRequest {
    ReadRequest::new().with_range(2..6)
}

#[tokio::test]
async fn the_whole_instead_of_a_range_is_an_error() {
    let answer = Answer::new("200 OK", &[TAG, BLOB], "0123456789");
    let error = ask(answer.clone(), middle()).await.expect_err("no range");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let whole = ask(answer, ReadRequest::new().with_range(0..10)).await;
    assert_eq!(whole.expect("the range is the whole"), b"0123456789");
}

#[tokio::test]
async fn another_range_is_an_error() {
    for range in ["bytes 0-3/10", "bytes 2-4/10", "bytes 5-2/10", "2-5", ""] {
        let range = format!("Content-Range: {range}");
        let answer = Answer::new("206 Partial Content", &[TAG, BLOB, &range], "2345");
        let error = ask(answer, middle()).await.expect_err("another range");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{range}");
    }
}

#[tokio::test]
async fn another_tag_than_the_one_asked_for_is_a_change() {
    let tied = || ReadRequest::new().with_if_match("\"u\"".to_owned());
    for headers in [&[TAG, BLOB][..], &[BLOB]] {
        let error = ask(Answer::new("200 OK", headers, "x"), tied()).await.expect_err("changed");
        assert_eq!(error.kind(), ErrorKind::Changed);
    }
    let refusal = Answer::error("412 Precondition Failed", "ConditionNotMet", &[]);
    assert_eq!(ask(refusal, tied()).await.expect_err("changed").kind(), ErrorKind::Changed);
}

#[tokio::test]
async fn a_body_that_ends_too_early_is_an_error_to_ask_again_for() {
    let cut = format!("HTTP/1.1 200 OK\r\n{TAG}\r\n{BLOB}\r\nContent-Length: 10\r\n\r\n01234");
    let error = ask(Answer::raw(cut), ReadRequest::new()).await.expect_err("cut");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later));
    let chunked = format!(
        "HTTP/1.1 206 Partial Content\r\n{TAG}\r\n{BLOB}\r\nContent-Range: bytes 2-5/10\r\n\
         Transfer-Encoding: chunked\r\n\r\n2\r\n23\r\n0\r\n\r\n"
    );
    let error = ask(Answer::raw(chunked), middle()).await.expect_err("cut");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Integrity, Retry::Later));
}

#[tokio::test]
async fn what_is_asked_is_what_the_request_says() {
    let server = Server::start(|_| {
        let range = "Content-Range: bytes 2-5/10";
        Answer::new("206 Partial Content", &[TAG, BLOB, range], "2345")
    })
    .await;
    let store = open(&server.url());
    let request = middle().with_if_match("\"t\"".to_owned()).with_version("v+1".to_owned());
    let object = store.read(&Key::from("d/ä"), request).await.expect("a range");
    assert_eq!((object.start, object.info.size), (2, Some(10)));
    assert_eq!(object.info.version.as_deref(), Some("v+1"));
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/account/container/d%2F%C3%A4?versionid=v%2B1");
    assert_eq!(seen.header("range"), Some("bytes=2-5"));
    assert_eq!(seen.header("if-match"), Some("\"t\""));
    assert_eq!(seen.header("x-ms-version"), Some("2023-11-03"));
    assert!(
        seen.header("authorization").is_some_and(|text| text.starts_with("SharedKey account:"))
    );
    let request = ReadRequest::new().with_version("snapshot:2026-11-24T12:00:00Z".to_owned());
    store.read(&Key::from("a"), request).await.expect_err("a range was not asked for");
    assert!(server.seen()[1].target.ends_with("?snapshot=2026-11-24T12%3A00%3A00Z"));
}

#[tokio::test]
async fn a_checksum_counts_for_what_it_covers() {
    const OF_BLOB: &str = "x-ms-blob-content-md5: sQqNsWTgdUEFt6mb5y4/5Q==";
    const OF_BODY: &str = "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==";
    let range = "Content-Range: bytes 2-5/10";
    for (status, headers, expected) in [
        ("200 OK", &[TAG, BLOB, OF_BODY][..], Some("d41d8cd98f00b204e9800998ecf8427e")),
        ("200 OK", &[TAG, BLOB], None),
        ("206 Partial Content", &[TAG, BLOB, range, OF_BODY], None),
        (
            "206 Partial Content",
            &[TAG, BLOB, range, OF_BODY, OF_BLOB],
            Some("b10a8db164e0754105b7a99be72e3fe5"),
        ),
    ] {
        let answer = Answer::new(status, headers, "2345");
        let server = Server::start(move |_| answer.clone()).await;
        let range = status.starts_with("206").then_some(2..6);
        let request = ReadRequest::new().with_range(range);
        let object = open(&server.url()).read(&Key::from("a"), request).await.expect("bytes");
        let found = object.info.checksums.first();
        assert!(found.is_none_or(|found| found.algorithm == Algorithm::Md5));
        assert_eq!(found.map(mlfetch_store::Checksum::hex).as_deref(), expected, "{headers:?}");
    }
}

#[tokio::test]
async fn a_checksum_of_the_range_is_asked_for_by_name_and_read_as_such() {
    const OF_BLOB: &str = "x-ms-blob-content-md5: sQqNsWTgdUEFt6mb5y4/5Q==";
    const MD5: &str = "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==";
    const CRC: &str = "x-ms-content-crc64: DtjZpL9/o8c=";
    let range = "Content-Range: bytes 2-5/10";
    let md5 = Some((Algorithm::Md5, "d41d8cd98f00b204e9800998ecf8427e"));
    let crc = Some((Algorithm::Crc64Nvme, "c7a37fbfa4d9d80e"));
    for (which, header, headers, expected) in [
        (RangeChecksum::Crc64, "x-ms-range-get-content-crc64", &[TAG, BLOB, range, CRC][..], crc),
        (RangeChecksum::Crc64, "x-ms-range-get-content-crc64", &[TAG, BLOB, range, MD5], None),
        (RangeChecksum::Md5, "x-ms-range-get-content-md5", &[TAG, BLOB, range, MD5, OF_BLOB], md5),
        (RangeChecksum::Md5, "x-ms-range-get-content-md5", &[TAG, BLOB, range, OF_BLOB], None),
    ] {
        let answer = Answer::new("206 Partial Content", headers, "2345");
        let server = Server::start(move |_| answer.clone()).await;
        let config = AzureConfig::new()
            .with_endpoint(format!("{}/account", server.url()))
            .with_access_key(Secret::new(ACCESS_KEY))
            .with_range_checksum(which);
        let store = at(config, "container");
        let key = Key::from("a");
        let read = |request| store.read(&key, request);
        let object = read(middle().with_checksum()).await.expect("bytes");
        let found = object.checksum.map(|sum| (sum.algorithm, sum.hex()));
        assert_eq!(found, expected.map(|(algorithm, hex)| (algorithm, hex.to_owned())));
        assert_eq!(server.seen()[0].header(header), Some("true"));
        // Nobody asked.
        let object = read(middle()).await.expect("bytes");
        assert_eq!((object.checksum, server.seen()[1].header(header)), (None, None));
    }
}

#[tokio::test]
async fn a_server_that_refuses_to_compute_a_checksum_is_asked_without_from_then_on() {
    const ASKED: &str = "x-ms-range-get-content-crc64";
    for (status, code) in [
        ("500 Internal Server Error", "FeatureNotSupported"),
        ("400 Bad Request", "UnsupportedHeader"),
        ("400 Bad Request", "SomethingElse"),
    ] {
        let server = Server::start(move |request| {
            if request.header(ASKED).is_some() {
                return Answer::error(status, code, &[]);
            }
            Answer::new("206 Partial Content", &[TAG, BLOB, "Content-Range: bytes 2-5/10"], "2345")
        })
        .await;
        let store = open(&server.url());
        for _ in 0..2 {
            let read = store.read(&Key::from("a"), middle().with_checksum()).await;
            let object = read.expect("the bytes alone");
            assert_eq!(object.checksum, None);
            assert_eq!(bytes(object).await.expect("bytes"), b"2345");
        }
        let asked =
            server.seen().iter().map(|seen| seen.header(ASKED).is_some()).collect::<Vec<_>>();
        assert_eq!(asked, [true, false, false], "{code}");
    }
}

#[tokio::test]
async fn what_is_stored_compressed_stays_so() {
    let headers = [TAG, BLOB, "Content-Encoding: gzip"];
    let answer = Answer::new("200 OK", &headers, b"\x1f\x8b\x08\x00not really");
    let arrived = ask(answer, ReadRequest::new()).await;
    assert_eq!(arrived.expect("bytes"), b"\x1f\x8b\x08\x00not really");
}
