//! The store: asks, checks, and nothing clever.

mod list;
mod read;

use std::sync::Arc;

use async_trait::async_trait;
use google_cloud_auth::credentials::Credentials;
use mlfetch_http::HttpResponse;
use mlfetch_http::header::{HeaderName, HeaderValue};
use mlfetch_store::{
    Capabilities, Key, ListRequest, Listing, Object, ObjectInfo, Page, ReadRequest, Result,
    StatRequest, Store, StoreInfo, escape,
};

use crate::GcsConfig;
use crate::client::Client;
use crate::request::Call;

/// An opened bucket.
///
/// Keys are exact; listing is flat. Each call is one request.
///
/// ```no_run
/// use mlfetch_gcs::{GcsConfig, GcsStore};
/// use mlfetch_store::{Key, StatRequest, Store};
/// # async fn run() -> Result<(), mlfetch_store::Error> {
/// let config = GcsConfig::new().with_emulator_host("localhost:4443".to_owned());
/// let store = GcsStore::open(config, "models").await?;
/// let info = store.stat(&Key::from("fraud/v7/MLmodel"), StatRequest::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct GcsStore {
    info: StoreInfo,
    client: Arc<Client>,
    bucket: String,
    /// The generation of one object, where somebody named it beside the location.
    generation: Option<(Key, String)>,
}

impl GcsStore {
    /// Opens a bucket. May ask the metadata server whether it is there; asks the bucket nothing.
    ///
    /// # Errors
    /// `InvalidInput` for settings that cannot be, or a file that holds no credentials; `Refused` for
    /// credentials that would go over plain HTTP.
    pub async fn open(config: GcsConfig, bucket: &str) -> Result<Self> {
        Ok(Self::of(Client::load(config, None).await?, bucket))
    }

    /// The same with credentials of your own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_as(
        config: GcsConfig,
        credentials: &Credentials,
        bucket: &str,
    ) -> Result<Self> {
        Ok(Self::of(Client::load(config, Some(credentials)).await?, bucket))
    }

    pub(crate) fn of(client: Arc<Client>, bucket: &str) -> Self {
        let root = format!("gs://{}/", escape(bucket.as_bytes()));
        let info = StoreInfo::new("gcs", root, Capabilities::new(Listing::Flat))
            .with_servers(client.other_server().map(str::to_owned));
        Self { info, client, bucket: bucket.to_owned(), generation: None }
    }

    /// With this generation of this object wherever no other is asked for.
    #[must_use]
    pub fn with_generation(mut self, key: Key, generation: impl Into<String>) -> Self {
        self.generation = Some((key, generation.into()));
        self
    }

    fn generation_of<'a>(&'a self, key: &Key, asked: Option<&'a str>) -> Option<&'a str> {
        let named = || self.generation.as_ref().filter(|(named, _)| named == key);
        asked.or_else(|| named().map(|(_, generation)| generation.as_str()))
    }

    async fn ask(
        &self,
        call: Call<'_>,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Result<HttpResponse> {
        self.client.ask(call, &self.bucket, &self.info.root, headers).await
    }
}

#[async_trait]
impl Store for GcsStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    fn identity(&self) -> Option<String> {
        self.client.identity.name().map(str::to_owned)
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        self.list(&request).await
    }

    /// One request, checksums included.
    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        let generation = self.generation_of(key, request.version.as_deref());
        self.stat_one("stat", key, generation).await
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        self.read_one(key, &request).await
    }
}
