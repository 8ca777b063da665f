//! A server with its artifacts in S3.

use mlfetch_mlflow::{ModelFiles, ProxyStore, Transfer};
use mlfetch_store::{Algorithm, ErrorKind, Key, ReadRequest, StatRequest, Store};

use crate::bucket::{s3, seed, seed_with};
use crate::support::{bytes_of, list, read, read_error};

fn seeded(objects: &[(&str, &str)]) -> ModelFiles {
    let objects: Vec<_> = objects.iter().map(|(key, text)| (Key::from(*key), *text)).collect();
    seed(&objects).expect("the bucket is seeded")
}

#[tokio::test]
async fn bytes_come_straight_from_the_bucket_with_their_checksum() {
    let model = seeded(&[("d/x.txt", "0123456789")]);
    let store = ProxyStore::open(s3(Transfer::Auto));
    let key = model.root.append("d/x.txt");
    let info = store.stat(&key, StatRequest::new().with_checksums()).await.expect("facts");
    assert_eq!(info.size, Some(10));
    let md5 = info.checksums.iter().find(|known| known.algorithm == Algorithm::Md5);
    assert_eq!(md5.expect("an MD5").hex(), "781e5e245d69b566979b86e28d23f2c7");
    let request = ReadRequest::new().with_range(2..5).with_if_match(info.etag);
    let object = store.read(&key, request).await.expect("a range");
    assert_eq!(object.info.size, Some(10));
    assert_eq!(bytes_of(object).await.expect("bytes"), b"234");
    assert_eq!(store.taken().expect("it came").way, "presigned");
}

#[tokio::test]
async fn a_stored_content_encoding_never_changes_the_bytes() {
    let gzip = b"\x1f\x8b\x08\0not really".as_slice();
    let arguments = serde_json::json!({ "ContentEncoding": "gzip" });
    let model = seed_with(&[(Key::from("x.tar.gz"), gzip)], &arguments).expect("is seeded");
    for transfer in [Transfer::Presigned, Transfer::Proxy] {
        let store = ProxyStore::open(s3(transfer));
        assert_eq!(read(&store, &model.root.append("x.tar.gz")).await.expect("bytes"), gzip);
    }
}

#[tokio::test]
async fn through_the_server_a_size_comes_from_the_listing_and_ranges_do_not_exist() {
    let model = seeded(&[("d/x.txt", "0123456789")]);
    let store = ProxyStore::open(s3(Transfer::Proxy));
    let key = model.root.append("d/x.txt");
    let object = store.read(&key, ReadRequest::new()).await.expect("an object");
    assert_eq!((object.info.size, object.info.etag.as_deref()), (Some(10), None));
    assert_eq!(bytes_of(object).await.expect("bytes"), b"0123456789");
    assert_eq!(store.taken().expect("it came").way, "proxy");
    let error = read_error(&store, &key, ReadRequest::new().with_range(2..5)).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    let info = store.stat(&key, StatRequest::new()).await.expect("facts");
    assert_eq!(info.size, Some(10));
}

#[tokio::test]
async fn through_the_server_what_is_missing_and_what_is_a_directory_is_said_at_once() {
    let model = seeded(&[("d/x.txt", "x")]);
    let store = ProxyStore::open(s3(Transfer::Proxy));
    for (name, kind) in [
        ("d/nobody", ErrorKind::NotFound),
        ("no/body", ErrorKind::NotFound),
        ("d", ErrorKind::IsDirectory),
    ] {
        let error = read_error(&store, &model.root.append(name), ReadRequest::new()).await;
        assert_eq!(error.kind(), kind, "{name}: {error:?}");
    }
}

#[tokio::test]
async fn odd_names_of_a_logged_model_arrive_and_those_of_a_run_are_refused() {
    let names = ["%41.txt", "A.txt", "a?", "a\tb", "#"];
    let model = seeded(&names.map(|name| (name, name)));
    let with_model = ProxyStore::open(s3(Transfer::Auto).with_model(model.clone()));
    for name in names {
        let bytes = read(&with_model, &model.root.append(name)).await.expect(name);
        assert_eq!(bytes, name.as_bytes());
    }
    assert_eq!(list(&with_model, &model.root).await.expect("a listing").1.len(), 0);
    let without = ProxyStore::open(s3(Transfer::Auto));
    for name in ["%41.txt", "a?", "a\tb", "#"] {
        let error = read_error(&without, &model.root.append(name), ReadRequest::new()).await;
        assert_eq!(error.kind(), ErrorKind::InvalidKey, "{name}: {error:?}");
    }
}

#[tokio::test]
async fn a_signed_url_is_in_no_message() {
    let model = seeded(&[("x.txt", "x")]);
    let store = ProxyStore::open(s3(Transfer::Presigned));
    let key = model.root.append("x.txt");
    let request = ReadRequest::new().with_if_match("\"stale\"".to_owned());
    let error = read_error(&store, &key, request).await;
    assert_eq!(error.kind(), ErrorKind::Changed);
    assert!(!format!("{error:?} {store:?}").contains("X-Amz"));
}
