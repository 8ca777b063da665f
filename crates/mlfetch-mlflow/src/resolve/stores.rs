//! The two stores that a resolution may need, opened when it does.

use std::sync::Arc;

use mlfetch_core::resolve::NamedBy;
use mlfetch_store::Result;
use tokio::sync::OnceCell;

use crate::{Environment, Settings, TrackingStore, open};

/// The tracking store and the model registry, each opened at its first use and kept: a URI of a
/// bucket needs neither.
#[derive(Debug)]
pub struct Stores {
    settings: Settings,
    environment: Environment,
    tracking: OnceCell<Arc<dyn TrackingStore>>,
    registry: OnceCell<Arc<dyn TrackingStore>>,
}

impl Stores {
    /// Those of these settings; nothing is opened yet.
    pub fn new(settings: Settings, environment: Environment) -> Self {
        Self { settings, environment, tracking: OnceCell::new(), registry: OnceCell::new() }
    }

    /// The settings they are opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The surroundings they are opened in.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The store of runs and logged models.
    ///
    /// # Errors
    /// Those of [`open`].
    pub async fn tracking(&self) -> Result<&Arc<dyn TrackingStore>> {
        let uri = &self.settings.tracking_uri;
        self.tracking.get_or_try_init(|| open(uri, &self.settings, &self.environment)).await
    }

    /// The store of registered models: the tracking store, where they are the same.
    ///
    /// # Errors
    /// Those of [`open`].
    pub async fn registry(&self) -> Result<&Arc<dyn TrackingStore>> {
        if self.settings.registry_uri == self.settings.tracking_uri {
            return self.tracking().await;
        }
        let uri = &self.settings.registry_uri;
        self.registry.get_or_try_init(|| open(uri, &self.settings, &self.environment)).await
    }
}

/// Who names the URIs that a store gives.
pub(super) fn named_by(store: &dyn TrackingStore) -> NamedBy {
    let info = store.info();
    if info.remote {
        NamedBy::RemoteStore(info.name.clone())
    } else {
        NamedBy::LocalStore(info.name.clone())
    }
}
