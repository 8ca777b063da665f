//! The store: asks, checks, and nothing clever.

mod list;
mod read;

use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use mlfetch_store::{
    Capabilities, Key, ListRequest, Listing, Location, Object, ObjectInfo, Page, ReadRequest,
    Result, StatRequest, Store, StoreInfo,
};

use crate::AzureConfig;
use crate::client::Client;
use crate::container::Container;
use crate::location::Place;
use crate::sums::{MAX_BYTES, RangeChecksum};
use crate::version::Version;

/// An opened container.
///
/// Keys are exact; listing is flat. Each call is one request, and one more for the first checksum of a
/// range that the server refuses to compute.
///
/// ```no_run
/// use mlfetch_azure::{AzureConfig, AzureStore};
/// use mlfetch_store::{Key, Location, Secret, StatRequest, Store};
/// # async fn run() -> Result<(), mlfetch_store::Error> {
/// let config = AzureConfig::new().with_access_key(Secret::new("a2V5"));
/// let location = Location::parse("wasbs://models@account.blob.core.windows.net")?;
/// let store = AzureStore::open(config, &location)?;
/// let info = store.stat(&Key::from("fraud/v7/MLmodel"), StatRequest::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AzureStore {
    info: StoreInfo,
    container: Container,
    sums: RangeChecksum,
    /// Whether the server refused to compute one.
    sums_are_refused: AtomicBool,
    /// The version of one blob, where somebody named it in the location or beside it.
    version: Option<(Key, Version)>,
}

impl AzureStore {
    /// Opens the container of a location. Asks no server.
    ///
    /// # Errors
    /// `InvalidInput` for a location without a container or account, and for settings that are none.
    pub fn open(config: AzureConfig, location: &Location) -> Result<Self> {
        let mut place = Place::parse(location)?;
        let sums = config.range_checksum;
        let container = Client::new(config)?.container(&mut place)?;
        Ok(Self::of(container, sums))
    }

    pub(crate) fn of(container: Container, sums: RangeChecksum) -> Self {
        let capabilities = Capabilities::new(Listing::Flat).with_checksum_bytes(MAX_BYTES);
        let info = StoreInfo::new("azure", &container.root, capabilities);
        Self { info, container, sums, sums_are_refused: AtomicBool::new(false), version: None }
    }

    pub(crate) fn with_version(mut self, key: Key, version: Version) -> Self {
        self.version = Some((key, version));
        self
    }

    fn version_of(&self, key: &Key, asked: Option<&str>) -> Option<Version> {
        let named = || self.version.as_ref().filter(|(named, _)| named == key);
        asked.map(Version::read).or_else(|| named().map(|(_, version)| version.clone()))
    }
}

#[async_trait]
impl Store for AzureStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    fn identity(&self) -> Option<String> {
        self.container.identity()
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        self.list(&request).await
    }

    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        let version = self.version_of(key, request.version.as_deref());
        self.stat_one("stat", key, version.as_ref()).await
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        self.read_one(key, &request).await
    }
}
