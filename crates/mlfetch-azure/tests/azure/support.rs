//! What the tests share.

use futures_util::TryStreamExt as _;
use mlfetch_azure::{AzureBackend, AzureConfig, AzureStore};
use mlfetch_store::{
    Backend as _, Error, Key, Location, Object, Opened, Options, ReadRequest, Secret, Store,
};

/// `of-tests`, in base64.
pub(crate) const ACCESS_KEY: &str = "b2YtdGVzdHMtb2YtdGVzdHM=";

/// A variable that describes a server; a test without a server fails, it is never skipped.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "the variable `{name}` is not set: run `cargo xtask test`, or export what \
             `cargo xtask services up` prints"
        )
    })
}

/// A container of the account that `config` names.
pub(crate) fn at(config: AzureConfig, container: &str) -> AzureStore {
    let location = format!("wasbs://{container}@account.blob.core.windows.net");
    let location = Location::parse(location).expect("a location");
    let account = config.endpoint.as_deref().and_then(|url| url.rsplit('/').next());
    let account = account.filter(|name| !name.contains(':')).unwrap_or("account").to_owned();
    let text = location.as_str().replace("@account.", &format!("@{account}."));
    AzureStore::open(config, &Location::parse(text).expect("a location")).expect("a store")
}

/// The container `container` of a server, with a key.
pub(crate) fn open(endpoint: &str) -> AzureStore {
    let config = AzureConfig::new().with_endpoint(format!("{endpoint}/account"));
    at(config.with_access_key(Secret::new(ACCESS_KEY)), "container")
}

/// Opens a location with options.
pub(crate) async fn open_location(uri: &str, options: &Options) -> Result<Opened, Error> {
    AzureBackend::new().open(&Location::parse(uri)?, options).await
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
