//! What only a real server can say: signatures that it checks, rights, snapshots, its own refusals.

use mlfetch_azure::{AzureConfig, AzureStore, RangeChecksum};
use mlfetch_store::{
    Algorithm, Depth, Entry, Error, ErrorKind, Key, ListRequest, Options, ReadRequest, Secret,
    StatRequest, Store,
};
use serde_json::{Value, json};

use crate::azurite::{Azurite, blob, fresh_container};
use crate::support::{ACCESS_KEY, at, bytes, open_location, read};

/// A container with the blob `dir/a`, and what the script made beside it.
fn seeded(more: Value) -> (String, Value) {
    let container = fresh_container();
    let mut asked = more;
    if asked["blobs"].is_null() {
        asked["blobs"] = json!([blob(&Key::from("dir/a"), b"bytes")]);
    }
    let made = Azurite::Plain.script(&container, asked).expect("a container");
    (container, made)
}

/// The container, asked with a signature.
fn with_sas(of: &str, permission: &str, expires_in: i64) -> AzureStore {
    let wanted = json!({ "of": of, "permission": permission, "expires_in": expires_in });
    let (container, made) = seeded(json!({ "signatures": [wanted] }));
    let sas = made["signatures"][0].as_str().expect("a signature");
    at(Azurite::Plain.config().with_sas_token(Secret::new(sas)), &container)
}

async fn list(store: &AzureStore) -> Result<usize, Error> {
    let page = store.list_page(ListRequest::new(Key::root(), Depth::All)).await;
    page.map(|page| page.entries.len())
}

#[tokio::test]
async fn a_signature_for_the_container_reads_and_lists() {
    let store = with_sas("container", "rl", 3600);
    assert_eq!(read(&store, "dir/a").await.expect("bytes"), b"bytes");
    assert_eq!(list(&store).await.expect("a page"), 1);
}

#[tokio::test]
async fn a_signature_that_may_not_list_is_told_that_listing_is_missing() {
    let store = with_sas("container", "r", 3600);
    assert_eq!(read(&store, "dir/a").await.expect("bytes"), b"bytes");
    let error = list(&store).await.expect_err("no right to list");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.to_string().contains("listing the container is not allowed"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("permission to list")), "{error:?}");
}

#[tokio::test]
async fn a_signature_for_one_blob_reads_it_and_lists_nothing() {
    let store = with_sas("dir/a", "r", 3600);
    assert_eq!(read(&store, "dir/a").await.expect("bytes"), b"bytes");
    let error = list(&store).await.expect_err("no right to list");
    assert!(
        matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unauthenticated),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_signature_that_may_not_read_is_told_so() {
    let store = with_sas("container", "l", 3600);
    assert_eq!(list(&store).await.expect("a page"), 1);
    let error = read(&store, "dir/a").await.expect_err("no right to read");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("permission to read")), "{error:?}");
}

#[tokio::test]
async fn a_signature_that_has_expired_is_told_so() {
    let store = with_sas("container", "rl", -3600);
    for error in [read(&store, "dir/a").await.err(), list(&store).await.err()] {
        let error = error.expect("expired");
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
        assert!(error.to_string().contains("has expired"), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_told_so() {
    let (container, _) = seeded(json!({}));
    let config = Azurite::Plain.config().with_access_key(Secret::new(ACCESS_KEY));
    let store = at(config, &container);
    let stat = store.stat(&Key::from("dir/a"), StatRequest::new()).await.map(drop);
    for error in [stat.err(), read(&store, "dir/a").await.err(), list(&store).await.err()] {
        let error = error.expect("refused");
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
        assert!(error.to_string().contains("access key is not the one"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("AZURE_STORAGE_ACCESS_KEY")));
        assert!(!format!("{error:?}").contains(ACCESS_KEY), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_missing_is_told_apart() {
    let store = Azurite::Plain.open("no-such-container");
    let error = list(&store).await.expect_err("no container");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("there is no such container"), "{error}");
    let (container, _) = seeded(json!({}));
    let store = Azurite::Plain.open(&container);
    let error = read(&store, "nobody").await.expect_err("no blob");
    assert!(error.to_string().contains("`nobody`: it does not exist (BlobNotFound"), "{error}");
    let config = AzureConfig::new()
        .with_endpoint(Azurite::Plain.url().replace(&Azurite::Plain.account(), "nosuchaccount"))
        .with_access_key(Secret::new(ACCESS_KEY));
    let error = list(&at(config, &container)).await.expect_err("no account");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    assert!(error.to_string().contains("no such account"), "{error}");
}

#[tokio::test]
async fn a_public_container_needs_nobody() {
    let (container, _) = seeded(json!({ "public": "container" }));
    let store = at(Azurite::Plain.config().with_anonymous(true), &container);
    assert_eq!(read(&store, "dir/a").await.expect("bytes"), b"bytes");
    assert_eq!(list(&store).await.expect("a page"), 1);
}

#[tokio::test]
async fn a_container_whose_blobs_alone_are_public_is_read_and_not_listed() {
    let (container, _) = seeded(json!({ "public": "blob" }));
    let store = at(Azurite::Plain.config().with_anonymous(true), &container);
    assert_eq!(read(&store, "dir/a").await.expect("bytes"), b"bytes");
    assert_eq!(list(&store).await.expect_err("private").kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_private_container_tells_nobody_to_sign_in() {
    let (container, _) = seeded(json!({}));
    let store = at(Azurite::Plain.config().with_anonymous(true), &container);
    let error = read(&store, "dir/a").await.expect_err("private");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    assert!(error.to_string().contains("azure-anonymous"), "{error}");
}

#[tokio::test]
async fn a_snapshot_is_read_by_its_time() {
    let mut older = blob(&Key::from("a"), b"older");
    older["snapshot"] = true.into();
    let (container, made) = seeded(json!({ "blobs": [older, blob(&Key::from("a"), b"newer")] }));
    let time = made["snapshots"][0].as_str().expect("a time");
    let store = Azurite::Plain.open(&container);
    assert_eq!(read(&store, "a").await.expect("bytes"), b"newer");
    assert_eq!(list(&store).await.expect("a page"), 1);
    let request = ReadRequest::new().with_version(format!("snapshot:{time}")).with_range(0..3);
    let object = store.read(&Key::from("a"), request).await.expect("the snapshot");
    assert_eq!(bytes(object).await.expect("bytes"), b"old");
    let uri = format!("wasbs://{container}@account.blob.core.windows.net/a");
    let options = Options::new()
        .with("azure-endpoint", Azurite::Plain.url())
        .with("azure-account", Azurite::Plain.account())
        .with("azure-connection-string", connection_string());
    for (uri, options) in [
        (format!("{uri}?snapshot={time}"), options.clone()),
        (uri, options.with("azure-snapshot", time)),
    ] {
        let opened = open_location(&uri, &options).await.expect("a store");
        let object = opened.store.read(&opened.key, ReadRequest::new()).await.expect("bytes");
        assert_eq!(bytes(object).await.expect("bytes"), b"older");
    }
}

fn connection_string() -> String {
    format!(
        "DefaultEndpointsProtocol=http;AccountName={};AccountKey={};BlobEndpoint={};",
        Azurite::Plain.account(),
        Azurite::Plain.key(),
        Azurite::Plain.url()
    )
}

/// As MLflow has it: the account of the URI is ignored where the string names an endpoint.
#[tokio::test]
async fn a_connection_string_leads_to_the_emulator_whatever_the_uri_says() {
    let (container, _) = seeded(json!({}));
    let options = Options::new().with("azure-connection-string", connection_string());
    for uri in [
        format!("wasbs://{container}@other.blob.core.windows.net/dir"),
        format!("abfss://{container}@other.dfs.core.windows.net/dir"),
        format!("az://{container}/dir"),
    ] {
        let opened = open_location(&uri, &options).await.expect("a store");
        let request = ListRequest::new(opened.key.to_prefix(), Depth::One);
        let page = opened.store.list_page(request).await.expect("a page");
        let [Entry::Object(info)] = &page.entries[..] else { panic!("{page:?}") };
        assert_eq!((&info.key, info.size), (&Key::from("dir/a"), Some(5)));
    }
}

#[tokio::test]
async fn the_md5_that_is_kept_comes_with_listing_stat_and_read() {
    let (container, _) = seeded(json!({}));
    let store = Azurite::Plain.open(&container);
    let key = Key::from("dir/a");
    let page = store.list_page(ListRequest::new(Key::root(), Depth::All)).await.expect("a page");
    let [Entry::Object(listed)] = &page.entries[..] else { panic!("{page:?}") };
    let stat = store.stat(&key, StatRequest::new()).await.expect("facts");
    let range = ReadRequest::new().with_range(1..3);
    let range = store.read(&key, range).await.expect("a range").info;
    let whole = store.read(&key, ReadRequest::new()).await.expect("bytes").info;
    for info in [listed, &stat, &range, &whole] {
        assert_eq!(info.checksums[0].hex(), "4b3a6218bb3e3a7303e8a171a60fcf92");
        assert_eq!(info.etag, listed.etag);
    }
}

#[tokio::test]
async fn a_folder_that_a_driver_made_is_a_directory() {
    let mut folder = blob(&Key::from("empty"), b"");
    folder["headers"] = json!({ "x-ms-meta-hdi_isfolder": "true" });
    let (container, _) = seeded(json!({ "blobs": [folder, blob(&Key::from("file"), b"x")] }));
    let store = Azurite::Plain.open(&container);
    for depth in [Depth::One, Depth::All] {
        let page = store.list_page(ListRequest::new(Key::root(), depth)).await.expect("a page");
        let directories = page.entries.iter().filter_map(|entry| match entry {
            Entry::Directory(key) => Some(key.to_string()),
            _ => None,
        });
        assert_eq!(directories.collect::<Vec<_>>(), ["empty/"]);
        assert_eq!(page.entries.len(), 2);
    }
    let error = store.stat(&Key::from("empty"), StatRequest::new()).await.expect_err("a directory");
    assert_eq!(error.kind(), ErrorKind::IsDirectory);
}

#[tokio::test]
async fn a_name_of_1024_characters_is_exact() {
    let container = fresh_container();
    let key = Key::from(format!("{}/{}", "ä".repeat(512), "k".repeat(511)));
    Azurite::Plain.put(&container, &[(key.clone(), "bytes")]).expect("a blob");
    let store = Azurite::Plain.open(&container);
    let page = store.list_page(ListRequest::new(Key::root(), Depth::All)).await.expect("a page");
    let [Entry::Object(info)] = &page.entries[..] else { panic!("{page:?}") };
    assert_eq!(info.key, key);
    assert_eq!(read(&store, key.to_str().expect("text")).await.expect("bytes"), b"bytes");
}

#[tokio::test]
async fn a_server_digests_the_range_that_was_asked_for() {
    let (container, _) = seeded(json!({ "blobs": [blob(&Key::from("a"), b"xxHello Azure!xx")] }));
    let key = Secret::new(Azurite::Plain.key());
    let with = |which| {
        let config = Azurite::Plain.config().with_access_key(key.clone());
        at(config.with_range_checksum(which), &container)
    };
    let request = || ReadRequest::new().with_range(2..14).with_checksum();
    let key = Key::from("a");
    let object = with(RangeChecksum::Md5).read(&key, request()).await.expect("an answer");
    let sum = object.checksum.clone().expect("a checksum");
    assert_eq!(
        (sum.algorithm, sum.hex().as_str()),
        (Algorithm::Md5, "3f3f39e37c6eb7845549b6f6839d8cc3")
    );
    assert_eq!(bytes(object).await.expect("bytes"), b"Hello Azure!");
    // Azurite knows no CRC, and answers as if nobody had asked.
    let object = with(RangeChecksum::Crc64).read(&key, request()).await.expect("an answer");
    assert_eq!(object.checksum, None);
    assert_eq!(bytes(object).await.expect("bytes"), b"Hello Azure!");
}
