//! A store that was written, opened.

use std::sync::Arc;

use mlfetch_mlflow::{Environment, RunId, Settings, TrackingStore, open};
use mlfetch_store::Result;

use crate::seed::{Facts, RunFacts};

/// A store that MLflow wrote, and what it wrote.
pub(crate) struct Target {
    pub(crate) facts: &'static Facts,
    pub(crate) store: Arc<dyn TrackingStore>,
}

/// Opens a store, in surroundings that know nothing else.
pub(crate) async fn open_in(
    uri: &str,
    environment: &Environment,
) -> Result<Arc<dyn TrackingStore>> {
    let settings = Settings::new(Some(uri), None, environment);
    open(&settings.registry_uri, &settings, environment).await
}

impl Target {
    pub(crate) async fn open(uri: &str, facts: &'static Facts) -> Self {
        Self::open_in(uri, facts, &Environment::new("/")).await
    }

    pub(crate) async fn open_in(
        uri: &str,
        facts: &'static Facts,
        environment: &Environment,
    ) -> Self {
        let store = open_in(uri, environment).await.expect("the store opens");
        Self { facts, store }
    }
}

impl RunFacts {
    pub(crate) fn id(&self) -> RunId {
        RunId::parse(self.run_id.as_str()).expect("MLflow's own id")
    }
}
