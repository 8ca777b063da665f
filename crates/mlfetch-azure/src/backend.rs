//! What opens `wasbs:`, `wasb:`, `abfss:`, `abfs:` and `az:` locations, and URLs of blobs.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mlfetch_store::{
    Backend, Error, ErrorKind, Key, Location, Opened, OptionSpec, Options, Result,
};

use crate::client::Client;
use crate::config::{OPTIONS, version_and_snapshot};
use crate::location::Place;
use crate::version::Version;
use crate::{AzureConfig, AzureStore};

/// Opens locations of Azure Blob Storage and Data Lake Storage. Clones share connections and
/// credentials, and so do all containers that are opened with the same settings.
///
/// ```
/// use mlfetch_azure::AzureBackend;
/// use mlfetch_store::{Backends, Key, Location, Options};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let backends = Backends::new().with(AzureBackend::new());
/// let options = Options::new().with("azure-anonymous", "true");
/// let location = Location::parse("abfss://models@account.dfs.core.windows.net/fraud/v7")?;
/// let opened = backends.open(&location, &options).await?;
/// assert_eq!(opened.store.info().root, "https://account.blob.core.windows.net/models/");
/// assert_eq!(opened.key, Key::from("fraud/v7"));
/// # Ok::<(), mlfetch_store::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Default)]
pub struct AzureBackend {
    clients: Arc<Mutex<Vec<Arc<Client>>>>,
}

impl AzureBackend {
    /// The backend. Who asks is in the options, which take it from Azure's own variables too.
    pub fn new() -> Self {
        Self::default()
    }

    fn client(&self, config: AzureConfig) -> Result<Arc<Client>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.iter().find(|client| client.config == config) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(Client::new(config)?);
        clients.push(Arc::clone(&client));
        Ok(client)
    }
}

#[async_trait]
impl Backend for AzureBackend {
    fn name(&self) -> &'static str {
        "azure"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["wasbs", "wasb", "abfss", "abfs", "az"]
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    /// URLs of blobs: `https://account.blob.core.windows.net/container/…`.
    fn claims(&self, location: &Location) -> bool {
        Place::claims(location)
    }

    /// Sends nothing.
    async fn open(&self, location: &Location, options: &Options) -> Result<Opened> {
        let mut place = Place::parse(location)?;
        let version = version(&place, options)?;
        let client = self.client(AzureConfig::from_options(options)?)?;
        let store = AzureStore::of(client.container(&mut place)?, client.config.range_checksum);
        let store = match version {
            Some(version) => store.with_version(place.key.clone(), version),
            None => store,
        };
        Ok(Opened::new(Arc::new(store), place.key))
    }
}

/// What the URI names counts before an option.
fn version(place: &Place, options: &Options) -> Result<Option<Version>> {
    let (id, snapshot) = version_and_snapshot(options);
    let id = place.query.version_id.as_deref().or(id);
    let snapshot = place.query.snapshot.as_deref().or(snapshot);
    let version = match (id, snapshot) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(wrong(&place.key, "it has a version and a snapshot")),
        (Some(id), None) => Version::Id(id.to_owned()),
        (None, Some(time)) => Version::Snapshot(time.to_owned()),
    };
    if place.key.is_prefix() {
        return Err(wrong(&place.key, "a version is one of a blob, and the location names none"));
    }
    Ok(Some(version))
}

fn wrong(key: &Key, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "use the version of", key.to_string()).with_message(why)
}
