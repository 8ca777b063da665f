//! A database as a tracking store.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_store::{Error, ErrorKind, Result};
use tokio::sync::OnceCell;

use super::database::{Database, Row};
use super::schema::{ALIASES, EXPERIMENTS, LOGGED_MODELS, RUNS, Schema, VERSIONS};
use super::statement::Statement;
use crate::tracking::{
    LoggedModel, ModelVersion, Run, RunId, Stage, TrackingInfo, TrackingKind, TrackingStore,
    Wanted, explain, logged_model_status, missing_logged_model, missing_run, version_number,
};

/// The workspace of what was written without one (MLflow 3.17).
const DEFAULT_WORKSPACE: &str = "default";
/// The stage of a deleted version.
const DELETED_STAGE: &str = "Deleted_Internal";
/// The lifecycle stage of deleted runs and logged models.
const DELETED: &str = "deleted";

/// A database of MLflow's.
#[derive(Debug)]
pub(crate) struct SqlStore {
    pub(super) database: Arc<dyn Database>,
    info: TrackingInfo,
    pub(super) workspace: String,
    schema: OnceCell<Schema>,
}

impl SqlStore {
    pub(crate) fn new(database: impl Database + 'static, workspace: Option<String>) -> Self {
        let name = database.name().to_owned();
        let info =
            TrackingInfo { kind: TrackingKind::Database, name, remote: database.is_remote() };
        Self {
            database: Arc::new(database),
            info,
            workspace: workspace.unwrap_or_else(|| DEFAULT_WORKSPACE.to_owned()),
            schema: OnceCell::new(),
        }
    }

    pub(super) async fn schema(&self) -> Result<&Schema> {
        self.schema.get_or_try_init(|| Schema::read(self.database.as_ref())).await
    }

    pub(super) fn select(&self, columns: &[Option<&str>]) -> Statement {
        Statement::select(self.database.dialect(), columns)
    }

    /// Joins the experiment of the row `alias`, if workspaces are kept there.
    fn in_workspace(&self, schema: &Schema, statement: Statement, alias: &str) -> Statement {
        if !schema.has(EXPERIMENTS, "workspace") {
            return statement;
        }
        let join = format!(
            "JOIN experiments e ON e.experiment_id = {alias}.experiment_id AND e.workspace ="
        );
        statement.with_parameter(&join, self.workspace.as_str())
    }

    /// `SELECT` the columns of a model version from `v`, up to where its conditions begin.
    pub(super) fn select_version(&self, schema: &Schema) -> Statement {
        self.select(&[
            Some("v.name"),
            Some("v.version"),
            schema.if_has(VERSIONS, "current_stage", "v.current_stage"),
            Some("v.source"),
            schema.if_has(VERSIONS, "storage_location", "v.storage_location"),
            schema.if_has(VERSIONS, "run_id", "v.run_id"),
        ])
        .with("FROM model_versions v")
    }

    /// Adds the conditions that hold for each look-up of a version.
    pub(super) fn where_version(
        &self,
        schema: &Schema,
        statement: Statement,
        name: &str,
    ) -> Statement {
        let mut statement = statement.with_parameter("WHERE v.name =", name);
        if schema.has(VERSIONS, "current_stage") {
            statement = statement.with_parameter("AND v.current_stage <>", DELETED_STAGE);
        }
        if schema.has(VERSIONS, "workspace") {
            statement = statement.with_parameter("AND v.workspace =", self.workspace.as_str());
        }
        statement
    }

    async fn find_version(
        &self,
        schema: &Schema,
        statement: Statement,
        name: &str,
        wanted: Wanted<'_>,
    ) -> Result<ModelVersion> {
        if !schema.has_table(VERSIONS) {
            return Err(self.no_table(VERSIONS, "registered models"));
        }
        match self.database.query(statement).await?.into_iter().next() {
            Some(row) => self.version(row),
            None => Err(explain(self, &self.info.name, name, wanted).await),
        }
    }

    pub(super) fn version(&self, row: Row) -> Result<ModelVersion> {
        let [name, version, stage, source, storage, run_id] = self.columns(row)?;
        let source = source.unwrap_or_default();
        let storage = storage.filter(|location| !location.is_empty());
        Ok(ModelVersion {
            name: name.unwrap_or_default(),
            version: version.unwrap_or_default(),
            stage: stage.unwrap_or_default(),
            download_uri: storage.unwrap_or_else(|| source.clone()),
            source,
            run_id: run_id.filter(|run| !run.is_empty()),
        })
    }

    fn select_logged_model(&self, schema: &Schema) -> Statement {
        let statement = self
            .select(&[
                Some("m.model_id"),
                Some("m.experiment_id"),
                Some("m.name"),
                Some("m.artifact_location"),
                Some("m.source_run_id"),
                Some("m.status"),
            ])
            .with("FROM logged_models m");
        self.in_workspace(schema, statement, "m")
            .with_parameter("WHERE m.lifecycle_stage <>", DELETED)
    }

    fn logged_model_of(&self, row: Row) -> Result<LoggedModel> {
        let [model_id, experiment_id, name, artifact_uri, source_run_id, status] =
            self.columns(row)?;
        Ok(LoggedModel {
            model_id: model_id.unwrap_or_default(),
            experiment_id: experiment_id.unwrap_or_default(),
            name: name.unwrap_or_default(),
            artifact_uri: artifact_uri.unwrap_or_default(),
            source_run_id: source_run_id.filter(|run| !run.is_empty()),
            status: logged_model_status(status.as_deref()),
        })
    }

    fn columns<const COUNT: usize>(&self, row: Row) -> Result<[Option<String>; COUNT]> {
        row.try_into().map_err(|_| {
            Error::new(ErrorKind::Protocol, "read the database", self.info.name.as_str())
                .with_message("it gave another number of columns than was asked for")
        })
    }

    fn no_table(&self, table: &str, what: &str) -> Error {
        Error::new(ErrorKind::NotFound, "read the database", self.info.name.as_str())
            .with_message(format!("its MLflow is too old for {what}: it has no table `{table}`"))
            .with_hint("upgrade it with `mlflow db upgrade`, or give the artifacts' own URI")
    }
}

#[async_trait]
impl TrackingStore for SqlStore {
    fn info(&self) -> &TrackingInfo {
        &self.info
    }

    async fn run(&self, run_id: &RunId) -> Result<Run> {
        let schema = self.schema().await?;
        let statement = self
            .select(&[
                Some("r.experiment_id"),
                Some("r.artifact_uri"),
                schema.if_has(RUNS, "lifecycle_stage", "r.lifecycle_stage"),
            ])
            .with("FROM runs r");
        let statement = self
            .in_workspace(schema, statement, "r")
            .with_parameter("WHERE r.run_uuid =", run_id.as_str());
        let Some(row) = self.database.query(statement).await?.into_iter().next() else {
            return Err(missing_run(run_id, &self.info.name));
        };
        let [experiment_id, artifact_uri, stage] = self.columns(row)?;
        Ok(Run {
            run_id: run_id.clone(),
            experiment_id: experiment_id.unwrap_or_default(),
            artifact_uri: artifact_uri.unwrap_or_default(),
            deleted: stage.as_deref() == Some(DELETED),
        })
    }

    async fn logged_model(&self, model_id: &str) -> Result<LoggedModel> {
        let schema = self.schema().await?;
        if !schema.has_table(LOGGED_MODELS) {
            return Err(self.no_table(LOGGED_MODELS, "logged models"));
        }
        let statement =
            self.select_logged_model(schema).with_parameter("AND m.model_id =", model_id);
        match self.database.query(statement).await?.into_iter().next() {
            Some(row) => self.logged_model_of(row),
            None => Err(missing_logged_model(model_id, &self.info.name)),
        }
    }

    async fn logged_models_of_run(
        &self,
        run: &Run,
        name: Option<&str>,
    ) -> Result<Vec<LoggedModel>> {
        let schema = self.schema().await?;
        if !schema.has_table(LOGGED_MODELS) {
            return Ok(Vec::new());
        }
        let mut statement = self
            .select_logged_model(schema)
            .with_parameter("AND m.source_run_id =", run.run_id.as_str());
        if let Some(name) = name {
            statement = statement.with_parameter("AND m.name =", name);
        }
        // MLflow's own order: it takes the first.
        let statement = statement.with("ORDER BY m.creation_timestamp_ms DESC, m.model_id");
        let rows = self.database.query(statement).await?;
        rows.into_iter().map(|row| self.logged_model_of(row)).collect()
    }

    async fn model_version(&self, name: &str, version: &str) -> Result<ModelVersion> {
        let number = version_number(name, version)?;
        let schema = self.schema().await?;
        let text = format!("AND CAST(v.version AS {}) =", self.database.dialect().text_type);
        let statement = self
            .where_version(schema, self.select_version(schema), name)
            .with_parameter(&text, number.to_string());
        self.find_version(schema, statement, name, Wanted::Version(number)).await
    }

    async fn model_version_by_alias(&self, name: &str, alias: &str) -> Result<ModelVersion> {
        if alias.eq_ignore_ascii_case(Stage::Latest.name()) {
            return self.model_version_by_stage(name, Stage::Latest).await;
        }
        let schema = self.schema().await?;
        if !schema.has_table(ALIASES) {
            return Err(self.no_table(ALIASES, "aliases"));
        }
        let workspace = if schema.has(ALIASES, "workspace") && schema.has(VERSIONS, "workspace") {
            "AND a.workspace = v.workspace "
        } else {
            ""
        };
        let join = format!(
            "JOIN registered_model_aliases a ON a.name = v.name AND a.version = v.version \
             {workspace}AND a.alias ="
        );
        let statement = self.select_version(schema).with_parameter(&join, alias);
        let statement = self.where_version(schema, statement, name);
        self.find_version(schema, statement, name, Wanted::Alias(alias)).await
    }

    async fn model_version_by_stage(&self, name: &str, stage: Stage) -> Result<ModelVersion> {
        let schema = self.schema().await?;
        let mut statement = self.where_version(schema, self.select_version(schema), name);
        if stage != Stage::Latest {
            statement = statement.with_parameter("AND v.current_stage =", stage.name());
        }
        let statement = statement.with("ORDER BY v.version DESC LIMIT 1");
        self.find_version(schema, statement, name, Wanted::Stage(stage)).await
    }
}
