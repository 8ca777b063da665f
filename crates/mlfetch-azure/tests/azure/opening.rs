//! What a location and its settings open.

use mlfetch_azure::AzureBackend;
use mlfetch_store::{Backend as _, Backends, ErrorKind, Key, Location, Options};

use crate::support::{ACCESS_KEY, open_location};

fn key() -> Options {
    Options::new().with("azure-access-key", ACCESS_KEY)
}

#[tokio::test]
async fn every_scheme_is_opened_and_the_root_names_the_blob_service() {
    for (uri, root, key_of_it) in [
        ("wasbs://c@acc.blob.core.windows.net/a/b", "https://acc.blob.core.windows.net/c/", "a/b"),
        ("wasb://c@acc.blob.core.windows.net/a", "https://acc.blob.core.windows.net/c/", "a"),
        ("abfss://c@acc.dfs.core.windows.net/a", "https://acc.blob.core.windows.net/c/", "a"),
        ("abfs://c@acc.dfs.core.windows.net/a", "https://acc.blob.core.windows.net/c/", "a"),
    ] {
        let opened = open_location(uri, &key()).await.expect(uri);
        assert_eq!((opened.store.info().root.as_str(), &opened.key), (root, &Key::from(key_of_it)));
        assert_eq!(opened.store.info().backend, "azure");
    }
    let account = key().with("azure-account", "acc");
    let opened = open_location("az://c/a", &account).await.expect("a store");
    assert_eq!(opened.store.info().root, "https://acc.blob.core.windows.net/c/");
}

#[tokio::test]
async fn a_url_of_a_blob_is_claimed_and_its_signature_is_not_shown() {
    let backends = Backends::new().with(AzureBackend::new());
    let uri = "https://acc.blob.core.windows.net/c/a%20b?sv=1&sp=r&sig=s3cret";
    let location = Location::parse(uri).expect("a location");
    let opened = backends.open(&location, &Options::new()).await.expect("a store");
    assert_eq!(opened.key, Key::from("a b"));
    assert!(!format!("{:?} {location}", opened.store).contains("s3cret"));
    let other = Location::parse("https://example.org/c/a").expect("a location");
    let error = backends.open(&other, &Options::new()).await.expect_err("nobody's");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn whoever_asks_is_named_without_a_secret() {
    let uri = "wasbs://c@acc.blob.core.windows.net/a";
    let sas = Options::new().with("azure-sas-token", "sv=1&sp=rl&sig=s3cret");
    let nobody = Options::new().with("azure-anonymous", "true");
    for (options, identity) in [
        (key(), Some("key of the account acc")),
        (sas, Some("shared access signature (rl)")),
        (nobody, None),
        // Entra ID is asked with the first question, not before.
        (Options::new(), None),
    ] {
        let opened = open_location(uri, &options).await.expect("a store");
        assert_eq!(opened.store.identity().as_deref(), identity);
    }
}

#[tokio::test]
async fn a_version_is_one_of_a_blob_and_one_only() {
    let uri = "wasbs://c@acc.blob.core.windows.net/a";
    let id = key().with("azure-version-id", "1");
    open_location(uri, &id).await.expect("a store");
    for (uri, options) in [
        ("wasbs://c@acc.blob.core.windows.net/dir/", id.clone()),
        (uri, id.with("azure-snapshot", "2")),
    ] {
        let error = open_location(uri, &options).await.expect_err("no version");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{uri}");
    }
}

#[tokio::test]
async fn a_credential_that_is_none_is_refused_before_anybody_is_asked() {
    let uri = "wasbs://c@acc.blob.core.windows.net/a";
    for (name, value) in [
        ("azure-access-key", "s3cret!"),
        ("azure-sas-token", "s3cret"),
        ("azure-connection-string", "AccountName=acc;AccountKey=s3cret!"),
        ("azure-ca-bundle", "/no/such/file.pem"),
        ("azure-anonymous", "perhaps"),
    ] {
        let error = open_location(uri, &Options::new().with(name, value)).await.expect_err(name);
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_token_never_goes_over_plain_http() {
    let options = Options::new().with("azure-endpoint", "http://127.0.0.1:9/acc");
    let opened = open_location("az://c/a", &options).await.expect("a store");
    let stat = opened.store.stat(&opened.key, mlfetch_store::StatRequest::new()).await;
    let error = stat.expect_err("plain HTTP");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error:?}");
    assert!(AzureBackend::new().options().iter().any(|row| row.name == "azure-access-key"));
}
