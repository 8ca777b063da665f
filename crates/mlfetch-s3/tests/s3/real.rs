//! What only a real server can say: checksums, versions, rights, signatures that it checks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_s3::{S3Config, S3Store};
use mlfetch_store::{
    Algorithm, Checksum, Coverage, Depth, Error, ErrorKind, Key, ListRequest, ReadRequest,
    StatRequest, Store,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::minio;
use crate::support::{bytes, open_at, read, signed_in};

/// The nine bytes whose checksums are published with the algorithms.
const DIGITS: &[u8] = b"123456789";

const MEBIBYTE: usize = 1 << 20;

fn object(key: &Key, body: &[u8], more: Value) -> Value {
    let mut object = more;
    object["key"] = STANDARD.encode(key.as_bytes()).into();
    object["body"] = STANDARD.encode(body).into();
    object
}

/// Puts one object, and gives the checksums of its facts and of its bytes' answer.
async fn checksums(body: &[u8], more: Value) -> [Vec<Checksum>; 2] {
    let key = minio::fresh_prefix().append("object");
    let bucket = minio::test_bucket();
    minio::script(&json!({ "bucket": bucket, "objects": [object(&key, body, more)] }))
        .expect("an object");
    let store = minio::open(&bucket).await;
    let stat = store.stat(&key, StatRequest::new().with_checksums()).await.expect("facts");
    let object = store.read(&key, ReadRequest::new()).await.expect("an object");
    let found = object.info.checksums.clone();
    assert_eq!(bytes(object).await.expect("bytes"), body);
    [stat.checksums, found]
}

#[tokio::test]
async fn every_checksum_of_a_whole_object_is_passed_on() {
    for (algorithm, argument, value) in [
        (Algorithm::Crc32, "ChecksumCRC32", "y/Q5Jg=="),
        (Algorithm::Crc32c, "ChecksumCRC32C", "4waSgw=="),
        (Algorithm::Crc64Nvme, "ChecksumCRC64NVME", "rosUhgp5mIg="),
        (Algorithm::Sha1, "ChecksumSHA1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        (Algorithm::Sha256, "ChecksumSHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ] {
        let expected = Checksum::new(algorithm, STANDARD.decode(value).expect("base64"));
        let [of_stat, of_read] =
            checksums(DIGITS, json!({ "arguments": { argument: value } })).await;
        assert_eq!(of_stat, std::slice::from_ref(&expected));
        assert_eq!(of_read, [expected]);
    }
}

#[tokio::test]
async fn an_object_without_a_checksum_has_the_md5_of_its_tag() {
    for found in checksums(DIGITS, json!({})).await {
        let [checksum] = &found[..] else { panic!("{found:?}") };
        assert_eq!(checksum.algorithm, Algorithm::Md5);
        assert_eq!(checksum.hex(), "25f9e794323b453885f5181f1b624d0b");
    }
}

#[tokio::test]
async fn a_checksum_over_parts_can_be_computed_again_from_their_sizes() {
    let sizes = [5 * MEBIBYTE, 6 * MEBIBYTE, 1000];
    let body: Vec<u8> = (0..=250).cycle().take(sizes.iter().sum()).collect();
    let more = json!({ "parts": sizes, "arguments": { "ChecksumAlgorithm": "SHA256" } });
    for found in checksums(&body, more).await {
        let [checksum] = &found[..] else { panic!("{found:?}") };
        let Coverage::Parts(sizes) = &checksum.coverage else { panic!("{checksum:?}") };
        assert_eq!(sizes, &[5 << 20, 6 << 20, 1000]);
        let (mut rest, mut parts) = (&body[..], Sha256::new());
        for size in sizes {
            let (part, after) = rest.split_at(usize::try_from(*size).expect("small"));
            parts.update(Sha256::digest(part));
            rest = after;
        }
        assert_eq!(checksum.value, parts.finalize().to_vec());
    }
}

#[tokio::test]
async fn a_range_comes_without_the_checksum_of_the_whole() {
    let key = minio::fresh_prefix().append("object");
    minio::put(&[(key.clone(), DIGITS)]).expect("an object");
    let store = minio::open(&minio::test_bucket()).await;
    let request = ReadRequest::new().with_range(2..5);
    let object = store.read(&key, request).await.expect("a range");
    assert_eq!(object.info.checksums, []);
    assert_eq!(bytes(object).await.expect("bytes"), b"345");
}

#[tokio::test]
async fn an_older_version_is_read_by_its_name() {
    let bucket = format!("{}-versions", minio::test_bucket());
    let key = minio::fresh_prefix().append("object");
    let objects = [object(&key, b"older", json!({})), object(&key, b"newer", json!({}))];
    let asked = json!({ "bucket": bucket, "versioned": true, "objects": objects });
    let answer = minio::script(&asked).expect("two versions");
    let older = answer["versions"][0].as_str().expect("a version").to_owned();
    let store = minio::open(&bucket).await;
    assert_eq!(store.stat(&key, StatRequest::new()).await.expect("facts").version, None);
    let request = ReadRequest::new().with_version(older.clone()).with_range(0..3);
    let object = store.read(&key, request).await.expect("the older version");
    assert_eq!(object.info.version.as_deref(), Some(older.as_str()));
    assert_eq!(bytes(object).await.expect("bytes"), b"old");
    let store = store.with_version(key.clone(), older);
    let object = store.read(&key, ReadRequest::new()).await.expect("the older version");
    assert_eq!(bytes(object).await.expect("bytes"), b"older");
    let unknown =
        ReadRequest::new().with_version("00000000-0000-0000-0000-000000000000".to_owned());
    let error = store.read(&key, unknown).await.expect_err("no such version");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn a_key_of_1024_bytes_is_exact() {
    let prefix = minio::fresh_prefix();
    // MinIO has no segments of more than 255 bytes.
    let mut name = ("ä".repeat(100) + "/").repeat(4);
    let rest = 1024 - prefix.as_bytes().len() - name.len();
    name.push_str(&"k".repeat(rest - 100));
    name.push('/');
    name.push_str(&"l".repeat(99));
    assert_key_is_exact(&prefix, &name).await;
}

async fn assert_key_is_exact(prefix: &Key, name: &str) {
    let key = prefix.append(name);
    assert_eq!(key.as_bytes().len(), 1024);
    minio::put(&[(key.clone(), "bytes")]).expect("an object");
    let store = minio::open(&minio::test_bucket()).await;
    let page = store.list_page(ListRequest::new(prefix.clone(), Depth::All)).await;
    let page = page.expect("a page");
    let [mlfetch_store::Entry::Object(info)] = &page.entries[..] else { panic!("{page:?}") };
    assert_eq!((&info.key, info.size), (&key, Some(5)));
    let text = key.to_str().expect("text");
    assert_eq!(read(&store, text).await.expect("an object"), b"bytes");
}

#[tokio::test]
async fn what_is_missing_is_told_apart() {
    let store = minio::open("no-such-bucket-of-ours").await;
    let error = store.list_page(ListRequest::new(Key::root(), Depth::One)).await;
    let error = error.expect_err("no bucket");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("there is no such bucket (NoSuchBucket"), "{error}");
    let error = read(&store, "a").await.expect_err("no bucket");
    assert!(error.to_string().contains("NoSuchBucket"), "{error}");
    let store = minio::open(&minio::test_bucket()).await;
    let error = read(&store, "nobody").await.expect_err("no key");
    assert!(error.to_string().contains("NoSuchKey"), "{error}");
}

/// The errors of a stat, a read and a listing by somebody.
async fn refused(store: &S3Store) -> Vec<Error> {
    let key = Key::from("a");
    let list = store.list_page(ListRequest::new(Key::root(), Depth::One)).await;
    vec![
        store.stat(&key, StatRequest::new()).await.expect_err("refused"),
        store.read(&key, ReadRequest::new()).await.expect_err("refused"),
        list.expect_err("refused"),
    ]
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_secret_are_told_apart() {
    let (url, bucket) = (minio::url(), minio::test_bucket());
    let right = minio::access_key();
    for (id, secret, words) in [
        ("nobody-of-this-name", "s3cr3t-of-nobody", "the access key is not known there"),
        (right.as_str(), "not-the-s3cr3t", "the secret key is not the one of the access key"),
    ] {
        let store = open_at(&url, &signed_in(id, secret), &bucket).await;
        for error in refused(&store).await {
            assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.hint().is_some_and(|hint| hint.contains("AWS_SECRET_ACCESS_KEY")));
            assert!(!format!("{error:?}").contains(secret), "{error:?}");
        }
    }
}

/// Whoever is not signed in may read below `public/`, and may neither list nor read the rest.
async fn with_public_part() -> (S3Store, String) {
    let bucket = format!("{}-public", minio::test_bucket());
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": ["*"] }, "Action": ["s3:GetObject"],
        "Resource": [format!("arn:aws:s3:::{bucket}/public/*")],
    }] });
    let objects = ["public/a", "private/a"].map(|key| object(&Key::from(key), b"x", json!({})));
    let asked = json!({ "bucket": bucket, "policy": policy.to_string(), "objects": objects });
    minio::script(&asked).expect("two objects");
    let config = S3Config::new().with_no_sign_request(true);
    (minio::open_with(config, &bucket).await, bucket)
}

#[tokio::test]
async fn what_is_public_is_read_without_signing_in_and_the_rest_is_denied_by_name() {
    let (store, bucket) = with_public_part().await;
    assert_eq!(read(&store, "public/a").await.expect("a public object"), b"x");
    let denied = read(&store, "private/a").await.expect_err("denied");
    assert_eq!(denied.kind(), ErrorKind::PermissionDenied);
    let text = denied.to_string();
    assert!(text.contains("`private/a`: reading it is not allowed"), "{text}");
    assert!(text.contains(&format!("s3://{bucket}/")), "{text}");
    assert!(denied.hint().is_some_and(|hint| hint.contains("nobody is signed in")));
    let listing = store.list_page(ListRequest::new(Key::root(), Depth::All)).await;
    let denied = listing.expect_err("denied");
    assert!(denied.to_string().contains("listing the bucket is not allowed"), "{denied}");
    let stat = store.stat(&Key::from("private/a"), StatRequest::new()).await;
    assert_eq!(stat.expect_err("denied").kind(), ErrorKind::PermissionDenied);
}
