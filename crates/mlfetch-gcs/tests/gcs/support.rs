//! What the tests share.

use futures_util::TryStreamExt as _;
use mlfetch_gcs::{GcsBackend, GcsConfig, GcsStore};
use mlfetch_store::{
    Backend as _, Error, Key, Location, Object, Opened, Options, ReadRequest, Store,
};

/// A variable that describes a server; a test without a server fails, it is never skipped.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "the variable `{name}` is not set: run `cargo xtask test`, or export what \
             `cargo xtask services up` prints"
        )
    })
}

/// The bucket `bucket` of a server, for nobody.
pub(crate) async fn open(url: &str) -> GcsStore {
    let config = GcsConfig::new().with_emulator_host(url.to_owned());
    GcsStore::open(config, "bucket").await.expect("a store")
}

/// Opens a location with options, by a backend of its own.
pub(crate) async fn open_location(uri: &str, options: &Options) -> Result<Opened, Error> {
    GcsBackend::new().open(&Location::parse(uri)?, options).await
}

/// All bytes of an object.
pub(crate) async fn bytes(object: Object) -> Result<Vec<u8>, Error> {
    let chunks: Vec<bytes::Bytes> = object.body.try_collect().await?;
    Ok(chunks.concat())
}

/// Reads a whole object.
pub(crate) async fn read(store: &dyn Store, key: &str) -> Result<Vec<u8>, Error> {
    bytes(store.read(&Key::from(key), ReadRequest::new()).await?).await
}
