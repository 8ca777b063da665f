//! What a registry on a server has, for errors.

use async_trait::async_trait;
use mlfetch_store::{Error, ErrorKind, Result};

use super::call::{Call, quoted};
use super::store::RestStore;
use super::wire::{ModelAnswer, ModelsAnswer, VersionsAnswer};
use crate::tracking::Catalogue;

/// The most rows that MLflow gives in a page of registered models.
const PAGE_ROWS: &str = "1000";

#[async_trait]
impl Catalogue for RestStore {
    async fn model_names(&self) -> Result<Vec<String>> {
        let call = Call::get("registered-models/search").with("max_results", PAGE_ROWS);
        let answer: ModelsAnswer = self.client.call_for_hint(call).await?;
        Ok(answer.registered_models.into_iter().map(|model| model.name).collect())
    }

    async fn versions(&self, name: &str) -> Result<Vec<(u64, String)>> {
        let name = quoted(name)
            .ok_or_else(|| Error::new(ErrorKind::Unsupported, "list the versions of", name))?;
        let call = Call::get("model-versions/search")
            .with("filter", &format!("name = {name}"))
            .with("max_results", PAGE_ROWS);
        let answer: VersionsAnswer = self.client.call_for_hint(call).await?;
        let versions = answer.model_versions.into_iter();
        Ok(versions.map(|version| (version.number(), version.current_stage)).collect())
    }

    async fn aliases(&self, name: &str) -> Result<Vec<String>> {
        let call = Call::get("registered-models/get").with("name", name);
        let answer: ModelAnswer = self.client.call_for_hint(call).await?;
        Ok(answer.registered_model.aliases.into_iter().map(|alias| alias.alias).collect())
    }
}
