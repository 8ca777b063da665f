//! The store: asks, checks, and nothing clever.

mod list;
mod parts;
mod read;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use aws_config::SdkConfig;
use mlfetch_store::{
    Capabilities, Key, ListRequest, Listing, Object, ObjectInfo, Page, ReadRequest, Result,
    StatRequest, Store, StoreInfo,
};

use crate::S3Config;
use crate::bucket::Bucket;
use crate::client::Client;

/// An opened bucket.
///
/// Keys are exact; listing is flat. Each call is one request, but for what a refusal teaches: the
/// bucket's region, or that credentials have expired.
///
/// ```no_run
/// use mlfetch_s3::{S3Config, S3Store};
/// use mlfetch_store::{Key, StatRequest, Store};
/// # async fn run() -> Result<(), mlfetch_store::Error> {
/// let config = S3Config::new().with_endpoint_url("http://127.0.0.1:9000".to_owned());
/// let store = S3Store::open(config, "models").await?;
/// let info = store.stat(&Key::from("fraud/v7/MLmodel"), StatRequest::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct S3Store {
    info: StoreInfo,
    bucket: Bucket,
    /// The version of one object, where somebody named it beside the location.
    version: Option<(Key, String)>,
    /// Whether the server refused to tell the parts of an object: it is not asked again.
    parts_refused: AtomicBool,
}

impl S3Store {
    /// Opens a bucket by its name or an access point by its ARN. Asks no server.
    ///
    /// # Errors
    /// `InvalidInput` for settings that contradict each other, `Unsupported` for what is signed in
    /// ways that are not here.
    pub async fn open(config: S3Config, bucket: &str) -> Result<Self> {
        Self::of(Client::load(config, None).await?, bucket).await
    }

    /// The same with the credentials, the region and the endpoint of an `SdkConfig` of your own;
    /// `config` counts before it. Its HTTP client is used for its credentials only.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with_sdk(config: S3Config, sdk: &SdkConfig, bucket: &str) -> Result<Self> {
        Self::of(Client::load(config, Some(sdk)).await?, bucket).await
    }

    pub(crate) async fn of(client: Arc<Client>, bucket: &str) -> Result<Self> {
        let bucket = Bucket::new(client, bucket).await?;
        let info = StoreInfo::new("s3", &bucket.root, Capabilities::new(Listing::Flat))
            .with_servers(bucket.server());
        Ok(Self { info, bucket, version: None, parts_refused: AtomicBool::new(false) })
    }

    /// The location names the server itself.
    pub(crate) fn named_by_location(mut self) -> Self {
        self.info.servers.clear();
        self
    }

    /// With this version of this object wherever no other is asked for.
    #[must_use]
    pub fn with_version(mut self, key: Key, version: impl Into<String>) -> Self {
        self.version = Some((key, version.into()));
        self
    }

    fn version_of<'a>(&'a self, key: &Key, asked: Option<&'a str>) -> Option<&'a str> {
        let named = || self.version.as_ref().filter(|(named, _)| named == key);
        asked.or_else(|| named().map(|(_, version)| version.as_str()))
    }
}

#[async_trait]
impl Store for S3Store {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    fn identity(&self) -> Option<String> {
        self.bucket.key_id()
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        self.list(&request).await
    }

    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        let version = self.version_of(key, request.version.as_deref());
        self.stat_one("stat", key, version, request.checksums).await
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        self.read_one(key, &request).await
    }
}
