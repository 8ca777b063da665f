//! What opens `http:` and `https:` locations.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_store::{Backend, Gate, Location, Opened, OptionSpec, Options, Result};

use crate::address::{Address, Parsed};
use crate::config::{OPTIONS, client_config, credential};
use crate::{HttpClient, HttpStore};

/// Opens `http:` and `https:` locations.
///
/// ```
/// use mlfetch_http::HttpBackend;
/// use mlfetch_store::{Backends, Key, Location, Options};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let backends = Backends::new().with(HttpBackend::new());
/// let location = Location::parse("https://me:secret@models.example/fraud/v7/MLmodel")?;
/// let opened = backends.open(&location, &Options::new()).await?;
/// assert_eq!(opened.store.info().root, "https://models.example/fraud/v7/");
/// assert_eq!(opened.key, Key::from("MLmodel"));
/// # Ok::<(), mlfetch_store::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Default)]
pub struct HttpBackend {
    gate: Option<Arc<dyn Gate>>,
}

impl HttpBackend {
    /// The backend.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a gate for the places that servers send us on to.
    #[must_use]
    pub fn with_gate(mut self, gate: impl Into<Option<Arc<dyn Gate>>>) -> Self {
        self.gate = gate.into();
        self
    }
}

#[async_trait]
impl Backend for HttpBackend {
    fn name(&self) -> &'static str {
        "http"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["http", "https"]
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    /// Sends nothing. The root is the directory of the URL, the key its last part, so that
    /// `http://h/dir/` is a prefix and `http://h/dir/file` an object.
    async fn open(&self, location: &Location, options: &Options) -> Result<Opened> {
        let Parsed { address, key, credential: given } = Address::parse(location)?;
        let config = client_config(options)?.with_gate(self.gate.clone());
        let client = HttpClient::new(&config)?;
        let credential = match given {
            Some(given) => Some(given),
            None => credential(options)?,
        };
        let store = HttpStore::at(client, address).with_credential(credential);
        Ok(Opened::new(Arc::new(store), key))
    }
}
