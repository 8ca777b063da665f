//! The store: asks, checks, and nothing clever.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use mlfetch_store::{
    Capabilities, Error, ErrorKind, Key, ListRequest, Listing, Location, Object, ObjectInfo, Page,
    ReadRequest, Result, StatRequest, Store, StoreInfo,
};

use crate::WebHdfsConfig;
use crate::cluster::{self, Cluster};
use crate::location::Place;
use crate::session::Session;
use crate::site::Site;
use crate::wire::FileStatus;

mod list;
mod read;
mod sums;

#[cfg(fuzzing)]
pub(crate) use list::entry;

/// The files of a cluster.
///
/// Keys are paths from the root, without a leading `/`. Clones share connections, and what is known of
/// the cluster's NameNodes.
///
/// ```no_run
/// use mlfetch_store::{Key, StatRequest, Store};
/// use mlfetch_webhdfs::{WebHdfsConfig, WebHdfsStore};
/// # async fn run() -> Result<(), mlfetch_store::Error> {
/// let config = WebHdfsConfig::new().with_user("alice".to_owned());
/// let store = WebHdfsStore::open(&config, "hdfs://namenode.example:8020")?;
/// let info = store.stat(&Key::from("models/fraud/MLmodel"), StatRequest::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WebHdfsStore {
    info: StoreInfo,
    session: Arc<Session>,
    /// Whether checksums are asked for with every whole read.
    checksums: bool,
    /// The server turned out to list whole directories only.
    lists_whole: Arc<AtomicBool>,
    /// The server turned out to tell no blocks.
    tells_no_blocks: Arc<AtomicBool>,
}

impl WebHdfsStore {
    /// The cluster of a URI. Sends nothing.
    ///
    /// # Errors
    /// `InvalidInput` for a URI or a setting that is malformed, and where nothing says how the
    /// cluster is reached.
    pub fn open(config: &WebHdfsConfig, uri: &str) -> Result<Self> {
        Self::open_place(config, &Location::parse(uri)?).map(|(store, _)| store)
    }

    /// The cluster of a location, and the key in it.
    pub(crate) fn open_place(config: &WebHdfsConfig, location: &Location) -> Result<(Self, Key)> {
        let place = Place::parse(location)?;
        let site = config.conf_dir.as_deref().map(Site::read).transpose()?;
        let (cluster, key) = cluster::find(&place, config, &site.unwrap_or_default())?;
        Ok((Self::at(cluster, config)?, key))
    }

    fn at(cluster: Cluster, config: &WebHdfsConfig) -> Result<Self> {
        let capabilities = Capabilities::new(Listing::Tree);
        Ok(Self {
            info: StoreInfo::new("webhdfs", cluster.root.clone(), capabilities)
                .with_servers(cluster.servers_elsewhere()),
            session: Arc::new(Session::new(cluster, config)?),
            checksums: config.checksums,
            lists_whole: Arc::default(),
            tells_no_blocks: Arc::default(),
        })
    }
}

#[async_trait]
impl Store for WebHdfsStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        self.list(request).await
    }

    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        no_versions("stat", key, request.version.as_deref())?;
        self.stat_one(key, request.wants_checksums()).await
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        no_versions("read", key, request.version.as_deref())?;
        self.read_one(key, &request).await
    }
}

fn no_versions(operation: &'static str, key: &Key, version: Option<&str>) -> Result<()> {
    if version.is_none() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, operation, key.to_string())
        .with_message("HDFS keeps no versions")
        .with_hint("a snapshot is read by its path: …/.snapshot/NAME/…"))
}

/// What is known of a file. HDFS has no entity tags; the inode's number, the time of its last change
/// and its length are one.
fn info_of(key: Key, status: &FileStatus) -> ObjectInfo {
    let tag =
        format!("\"{:x}-{:x}-{:x}\"", status.file_id, status.modification_time, status.length);
    let modified =
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(status.modification_time));
    ObjectInfo::new(key).with_size(status.length).with_etag(tag).with_modified(modified)
}
