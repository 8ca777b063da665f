//! What opens `s3:`, `s3a:`, `r2:` and `b2:` locations.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use mlfetch_store::{Backend, Error, ErrorKind, Location, Opened, OptionSpec, Options, Result};
use tokio::sync::Mutex;

use crate::client::Client;
use crate::config::{OPTIONS, version_id};
use crate::location::Place;
use crate::{S3Config, S3Store};

/// Opens locations of S3. Clones share connections and credentials, and so do all buckets that are
/// opened with the same settings.
///
/// ```
/// use mlfetch_s3::S3Backend;
/// use mlfetch_store::{Backends, Key, Location, Options};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let backends = Backends::new().with(S3Backend::new());
/// let options = Options::new().with("endpoint-url", "http://127.0.0.1:9000");
/// let opened = backends.open(&Location::parse("s3://models/fraud/50%.txt")?, &options).await?;
/// assert_eq!(opened.store.info().root, "s3://models/");
/// assert_eq!(opened.key, Key::from("fraud/50%.txt"));
/// # Ok::<(), mlfetch_store::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Default)]
pub struct S3Backend {
    sdk: Option<SdkConfig>,
    clients: Arc<Mutex<Vec<Arc<Client>>>>,
}

impl S3Backend {
    /// With the credentials, region and endpoint that AWS's own variables and files name.
    pub fn new() -> Self {
        Self::default()
    }

    /// With those of an `SdkConfig` of your own. Options count before it; its HTTP client is used
    /// for its credentials only.
    #[must_use]
    pub fn with_sdk_config(sdk: SdkConfig) -> Self {
        Self { sdk: Some(sdk), ..Self::default() }
    }

    async fn client(&self, config: S3Config) -> Result<Arc<Client>> {
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.iter().find(|client| client.config == config) {
            return Ok(Arc::clone(client));
        }
        let client = Client::load(config, self.sdk.as_ref()).await?;
        clients.push(Arc::clone(&client));
        Ok(client)
    }
}

#[async_trait]
impl Backend for S3Backend {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["s3", "s3a", "r2", "b2"]
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    /// Sends nothing: a bucket that is elsewhere says so to the first question.
    async fn open(&self, location: &Location, options: &Options) -> Result<Opened> {
        let place = Place::parse(location)?;
        let mut config = S3Config::from_options(options)?;
        let names_server = place.host.is_some();
        // What the URI says of the host counts before what is set for all buckets.
        if let Some(host) = place.host {
            config.endpoint_url = Some(host.endpoint);
            config.region = Some(host.region);
            config.addressing = host.addressing;
        }
        let store = S3Store::of(self.client(config).await?, &place.bucket).await?;
        let store = if names_server { store.named_by_location() } else { store };
        let store = match version_id(options) {
            None => store,
            Some(_) if place.key.is_prefix() => {
                return Err(Error::new(ErrorKind::InvalidInput, "use the option", "version-id")
                    .with_message("a version is one of an object, and the location names none"));
            }
            Some(version) => store.with_version(place.key.clone(), version),
        };
        Ok(Opened::new(Arc::new(store), place.key))
    }
}
