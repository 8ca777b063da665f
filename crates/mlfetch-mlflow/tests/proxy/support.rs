//! What the tests share.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use mlfetch_http::{ClientConfig, Credential, HttpClient};
use mlfetch_mlflow::{ProxyConfig, ProxyStore, proxy_base};
use mlfetch_store::{
    Depth, Entry, Error, Key, ListRequest, Object, ReadRequest, Result, Secret, Store,
};

/// A variable that `cargo xtask services up` prints.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test`, or export what `cargo xtask services up` prints")
    })
}

/// The proxy of the server at `url`, nobody signed in.
pub(crate) fn config(url: &str) -> ProxyConfig {
    let address = proxy_base(url, "mlflow-artifacts:/").expect("an address");
    ProxyConfig::new(address, HttpClient::new(&ClientConfig::new()).expect("a client"))
}

pub(crate) fn open(url: &str) -> ProxyStore {
    ProxyStore::open(config(url))
}

pub(crate) fn basic(username: &str, password: &str) -> Credential {
    Credential::Basic { username: username.to_owned(), password: Secret::new(password) }
}

/// A directory that no other test has, as MLflow would name a run's.
pub(crate) fn fresh_prefix() -> Key {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970").as_nanos();
    let mut id = String::new();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    write!(id, "{now:x}{:x}{number:x}", std::process::id()).expect("a String takes it");
    Key::from(format!("1/{id}/artifacts/"))
}

pub(crate) async fn bytes_of(object: Object) -> Result<Vec<u8>> {
    let mut body = object.body;
    let mut all = Vec::new();
    while let Some(chunk) = body.next().await {
        all.extend_from_slice(&chunk?);
    }
    Ok(all)
}

pub(crate) async fn read(store: &ProxyStore, key: &Key) -> Result<Vec<u8>> {
    bytes_of(store.read(key, ReadRequest::new()).await?).await
}

pub(crate) async fn read_error(store: &ProxyStore, key: &Key, request: ReadRequest) -> Error {
    store.read(key, request).await.expect_err("an error")
}

/// The objects of a directory, and what was refused of it.
pub(crate) async fn list(store: &ProxyStore, prefix: &Key) -> Result<(Vec<String>, Vec<Error>)> {
    let page = store.list_page(ListRequest::new(prefix.clone(), Depth::One)).await?;
    assert!(page.next.is_none(), "one page");
    let (mut names, mut refused) = (Vec::new(), Vec::new());
    for entry in page.entries {
        match entry {
            Entry::Object(info) => names.push(info.key),
            Entry::Directory(key) => names.push(key),
            Entry::Refused(row) => refused.push(row.error),
            other => panic!("an unknown row: {other:?}"),
        }
    }
    let name = |key: &Key| {
        let name = key.strip_prefix(prefix).expect("a name below the prefix");
        String::from_utf8(name.to_vec()).expect("text")
    };
    Ok((names.iter().map(name).collect(), refused))
}
