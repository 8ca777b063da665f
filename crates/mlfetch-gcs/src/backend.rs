//! What opens `gs:` locations.

use std::sync::Arc;

use async_trait::async_trait;
use google_cloud_auth::credentials::Credentials;
use mlfetch_store::{Backend, Error, ErrorKind, Location, Opened, OptionSpec, Options, Result};
use tokio::sync::Mutex;

use crate::client::Client;
use crate::config::{OPTIONS, generation};
use crate::location::Place;
use crate::{GcsConfig, GcsStore};

/// Opens locations of Cloud Storage. Clones share connections and credentials, and so do all buckets
/// that are opened with the same settings.
///
/// ```
/// use mlfetch_gcs::GcsBackend;
/// use mlfetch_store::{Backends, Key, Location, Options};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let backends = Backends::new().with(GcsBackend::new());
/// let options = Options::new().with("gcs-anonymous", "true");
/// let opened = backends.open(&Location::parse("gs://models/fraud/50%.txt")?, &options).await?;
/// assert_eq!(opened.store.info().root, "gs://models/");
/// assert_eq!(opened.key, Key::from("fraud/50%.txt"));
/// # Ok::<(), mlfetch_store::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Default)]
pub struct GcsBackend {
    credentials: Option<Credentials>,
    clients: Arc<Mutex<Vec<Arc<Client>>>>,
}

impl GcsBackend {
    /// With the credentials that Google's own variables and files name.
    pub fn new() -> Self {
        Self::default()
    }

    /// With credentials of your own, which are used wherever somebody is to be signed in.
    #[must_use]
    pub fn with_credentials(credentials: Credentials) -> Self {
        Self { credentials: Some(credentials), ..Self::default() }
    }

    async fn client(&self, config: GcsConfig) -> Result<Arc<Client>> {
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.iter().find(|client| client.config == config) {
            return Ok(Arc::clone(client));
        }
        let client = Client::load(config, self.credentials.as_ref()).await?;
        clients.push(Arc::clone(&client));
        Ok(client)
    }
}

#[async_trait]
impl Backend for GcsBackend {
    fn name(&self) -> &'static str {
        "gcs"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["gs"]
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    /// Asks the bucket nothing. Where no file names credentials, a metadata server is looked for.
    async fn open(&self, location: &Location, options: &Options) -> Result<Opened> {
        let place = Place::parse(location)?;
        let config = GcsConfig::from_options(options)?;
        // What the URI says counts before what is set beside it.
        let generation = place.generation.or(generation(options)?);
        let store = GcsStore::of(self.client(config).await?, &place.bucket);
        let store = match generation {
            None => store,
            Some(_) if place.key.is_prefix() => {
                return Err(Error::new(ErrorKind::InvalidInput, "open", location.to_string())
                    .with_message(
                        "a generation is one of an object, and the location names none",
                    ));
            }
            Some(generation) => store.with_generation(place.key.clone(), generation),
        };
        Ok(Opened::new(Arc::new(store), place.key))
    }
}
