//! What a registry in a database has, for errors.

use async_trait::async_trait;
use mlfetch_store::Result;

use super::schema::{ALIASES, MODELS};
use super::statement::Statement;
use super::store::SqlStore;
use crate::tracking::Catalogue;

#[async_trait]
impl Catalogue for SqlStore {
    async fn model_names(&self) -> Result<Vec<String>> {
        let schema = self.schema().await?;
        let mut statement = self.select(&[Some("m.name")]).with("FROM registered_models m");
        if schema.has(MODELS, "workspace") {
            statement = statement.with_parameter("WHERE m.workspace =", self.workspace.as_str());
        }
        self.texts(statement.with("ORDER BY m.name LIMIT 1000")).await
    }

    async fn versions(&self, name: &str) -> Result<Vec<(u64, String)>> {
        let schema = self.schema().await?;
        let statement = self.where_version(schema, self.select_version(schema), name);
        let rows =
            self.database.query(statement.with("ORDER BY v.version DESC LIMIT 1000")).await?;
        let versions = rows.into_iter().map(|row| {
            let version = self.version(row)?;
            Ok((version.version.parse().unwrap_or_default(), version.stage))
        });
        versions.collect()
    }

    async fn aliases(&self, name: &str) -> Result<Vec<String>> {
        let schema = self.schema().await?;
        let mut statement = self
            .select(&[Some("a.alias")])
            .with("FROM registered_model_aliases a")
            .with_parameter("WHERE a.name =", name);
        if schema.has(ALIASES, "workspace") {
            statement = statement.with_parameter("AND a.workspace =", self.workspace.as_str());
        }
        self.texts(statement.with("ORDER BY a.alias")).await
    }
}

impl SqlStore {
    async fn texts(&self, statement: Statement) -> Result<Vec<String>> {
        let rows = self.database.query(statement).await?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }
}
