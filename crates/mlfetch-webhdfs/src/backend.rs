//! What opens `hdfs:`, `webhdfs:`, `swebhdfs:` and `viewfs:` locations.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_store::{Backend, Location, Opened, OptionSpec, Options, Result};

use crate::config::OPTIONS;
use crate::{WebHdfsConfig, WebHdfsStore};

/// Opens locations of HDFS.
///
/// ```
/// use mlfetch_store::{Backends, Key, Location, Options};
/// use mlfetch_webhdfs::WebHdfsBackend;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let backends = Backends::new().with(WebHdfsBackend::new());
/// let location = Location::parse("hdfs://namenode:8020/models/fraud/50%.txt")?;
/// let opened = backends.open(&location, &Options::new()).await?;
/// assert_eq!(opened.store.info().root, "hdfs://namenode:8020/");
/// assert_eq!(opened.key, Key::from("models/fraud/50%.txt"));
/// # Ok::<(), mlfetch_store::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct WebHdfsBackend;

impl WebHdfsBackend {
    /// The backend.
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Backend for WebHdfsBackend {
    fn name(&self) -> &'static str {
        "webhdfs"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["hdfs", "webhdfs", "swebhdfs", "viewfs"]
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    /// Sends nothing.
    async fn open(&self, location: &Location, options: &Options) -> Result<Opened> {
        let config = WebHdfsConfig::from_options(options)?;
        let (store, key) = WebHdfsStore::open_place(&config, location)?;
        Ok(Opened::new(Arc::new(store), key))
    }
}
