//! What the tests share.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::region::Region;
use futures_util::TryStreamExt as _;
use mlfetch_s3::{S3Backend, S3Config, S3Store, SdkConfig};
use mlfetch_store::{
    Backend as _, Error, Key, Location, Object, Opened, Options, ReadRequest, Store,
};

pub(crate) const ACCESS_KEY: &str = "test-access-key";
pub(crate) const SECRET_KEY: &str = "test-secret-key/of+tests";

/// A variable that describes a server; a test without a server fails, it is never skipped.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "the variable `{name}` is not set: run `cargo xtask test`, or export what \
             `cargo xtask services up` prints"
        )
    })
}

/// Keys of the test's own, and nothing from the machine that it runs on.
pub(crate) fn signed_in(id: &str, secret: &str) -> SdkConfig {
    let credentials = Credentials::new(id, secret, None, None, "test");
    SdkConfig::builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new("us-east-1"))
        .build()
}

/// The bucket `bucket` of a server.
pub(crate) async fn open(endpoint: &str) -> S3Store {
    open_as(endpoint, &signed_in(ACCESS_KEY, SECRET_KEY)).await
}

/// The same for somebody.
pub(crate) async fn open_as(endpoint: &str, sdk: &SdkConfig) -> S3Store {
    open_at(endpoint, sdk, "bucket").await
}

/// A bucket of a server, for somebody.
pub(crate) async fn open_at(endpoint: &str, sdk: &SdkConfig, bucket: &str) -> S3Store {
    let config = S3Config::new().with_endpoint_url(endpoint.to_owned());
    S3Store::open_with_sdk(config, sdk, bucket).await.expect("a store")
}

/// Opens a location with options.
pub(crate) async fn open_location(uri: &str, options: &Options) -> Result<Opened, Error> {
    let backend = S3Backend::with_sdk_config(signed_in(ACCESS_KEY, SECRET_KEY));
    backend.open(&Location::parse(uri)?, options).await
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
