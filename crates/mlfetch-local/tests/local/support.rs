//! A directory for one test, and what a store says of it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use mlfetch_local::{LocalConfig, LocalStore};
use mlfetch_store::{Entry, Error, Key, ReadRequest, Result, Store, WalkLimits, walk};
use tempfile::TempDir;

/// `root/` is the artifact root, `outside/` lies beside it with one file that is not to be read.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a directory"));
        fs::create_dir(home.root()).expect("the root");
        home.file("../outside/secret.txt", "outside");
        home
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    }

    pub(crate) fn link(&self, name: &str, target: impl AsRef<Path>) {
        symlink(target, self.root().join(name)).expect("a link");
    }

    pub(crate) fn open(&self) -> LocalStore {
        self.open_with(LocalConfig::default())
    }

    pub(crate) fn open_with(&self, config: LocalConfig) -> LocalStore {
        LocalStore::open(self.root(), config).expect("a store")
    }
}

pub(crate) async fn read(store: &LocalStore, name: &str) -> Result<String> {
    read_as(store, name, ReadRequest::new()).await
}

pub(crate) async fn read_as(
    store: &LocalStore,
    name: &str,
    request: ReadRequest,
) -> Result<String> {
    let mut body = store.read(&Key::from(name), request).await?.body;
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Everything below a store's root: files by name, directories with a `/`; and what is refused.
pub(crate) async fn everything(store: &LocalStore) -> (Vec<String>, Vec<(String, Error)>) {
    let mut rows = walk(Arc::new(store.clone()), Key::root(), WalkLimits::default());
    let (mut names, mut refused) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next().await {
        match row.expect("a row") {
            Entry::Object(info) => names.push(info.key.to_string()),
            Entry::Directory(key) => names.push(key.to_string()),
            Entry::Refused(row) => refused.push((row.key.to_string(), row.error)),
            other => panic!("unknown row: {other:?}"),
        }
    }
    names.sort();
    refused.sort_by(|left, right| left.0.cmp(&right.0));
    (names, refused)
}
