//! What the containers of one account share: connections, settings, and who Entra ID knows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mlfetch_http::HttpClient;
use mlfetch_store::Result;

use crate::AzureConfig;
use crate::auth::Chosen;
use crate::container::Container;
use crate::credentials::{Connections, Identity};
use crate::location::Place;

/// The time to reach a machine's metadata service, which is next to it if it is there.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

/// What the containers of one account share.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) config: AzureConfig,
    http: HttpClient,
    /// By the domain of the cloud, which decides where Entra ID is.
    identities: Mutex<HashMap<Option<&'static str>, Arc<Identity>>>,
}

impl Client {
    /// # Errors
    /// `InvalidInput` for a PEM file that cannot be read, `Tls` if TLS cannot be set up.
    pub(crate) fn new(config: AzureConfig) -> Result<Self> {
        let http = HttpClient::new(&config.connections())?;
        Ok(Self { config, http, identities: Mutex::default() })
    }

    /// Opens a container. Asks no server.
    ///
    /// # Errors
    /// As [`Chosen::choose`].
    pub(crate) fn container(&self, place: &mut Place) -> Result<Container> {
        let chosen = Chosen::choose(&self.config, place, |endpoint| self.identity(endpoint.cloud))?;
        Ok(Container::new(self.http.clone(), chosen, place.container.clone()))
    }

    /// Whom Entra ID knows. Connections to it are made when they are needed: each reads all of the
    /// platform's authorities.
    fn identity(&self, cloud: Option<&'static str>) -> Result<Arc<Identity>> {
        let mut all = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&cloud) {
            return Ok(Arc::clone(known));
        }
        let identity = Identity::new(&self.config.identity, cloud, &self.connections()?);
        Ok(Arc::clone(all.entry(cloud).or_insert_with(|| Arc::new(identity))))
    }

    fn connections(&self) -> Result<Connections> {
        let others = self.config.connections_of_others();
        // It is next to the machine and tells who the machine is: behind a proxy there is another one.
        let beside = others.clone().with_connect_timeout(METADATA_TIMEOUT).with_proxies(false);
        Ok(Connections { entra: HttpClient::new(&others)?, metadata: HttpClient::new(&beside)? })
    }
}
