//! What every tracking store answers.

mod missing;
mod open;
mod run_id;
mod stage;

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use mlfetch_store::Result;

pub(crate) use missing::{
    Catalogue, Wanted, explain, missing_logged_model, missing_run, version_number,
};
pub use open::open;
pub use run_id::RunId;
pub use stage::Stage;

use crate::rest::TrackingClient;

/// Where runs, logged models and registered models are looked up. Read only; each call goes through
/// the retry loop by itself where there is a network under it.
#[async_trait]
pub trait TrackingStore: fmt::Debug + Send + Sync {
    /// What this store is. Free: no request.
    fn info(&self) -> &TrackingInfo;

    /// The client of the tracking server, where the store is one: it reaches the server's other
    /// endpoints (artifacts, capabilities) over the same connections, signed in the same way.
    fn server(&self) -> Option<&TrackingClient> {
        None
    }

    /// A run, also one that was deleted.
    ///
    /// # Errors
    /// `NotFound`; kinds of signing in and reaching.
    async fn run(&self, run_id: &RunId) -> Result<Run>;

    /// A logged model (MLflow 3) that was not deleted.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    async fn logged_model(&self, model_id: &str) -> Result<LoggedModel>;

    /// The logged models that were logged by `run`, newest first, all pages; only those called
    /// `name` if one is given. A store from before MLflow 3 has none.
    ///
    /// # Errors
    /// Kinds of reaching.
    async fn logged_models_of_run(&self, run: &Run, name: Option<&str>)
    -> Result<Vec<LoggedModel>>;

    /// A version of a registered model. Leading zeros are dropped, as by MLflow.
    ///
    /// # Errors
    /// `NotFound`, with a hint that names what there is instead; `InvalidInput` if `version` is no
    /// number; as [`run`](Self::run).
    async fn model_version(&self, name: &str, version: &str) -> Result<ModelVersion>;

    /// The version that an alias of a registered model points at. The alias `latest`, in any case,
    /// is MLflow's own: the highest version.
    ///
    /// # Errors
    /// As [`model_version`](Self::model_version).
    async fn model_version_by_alias(&self, name: &str, alias: &str) -> Result<ModelVersion>;

    /// The highest version of a registered model in a stage, or in any stage.
    ///
    /// # Errors
    /// As [`model_version`](Self::model_version).
    async fn model_version_by_stage(&self, name: &str, stage: Stage) -> Result<ModelVersion>;
}

/// What a tracking store is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TrackingInfo {
    /// Which kind, and where.
    pub kind: TrackingKind,
    /// Safe to show: no user, password or query.
    pub name: String,
    /// Whether it is on another machine, so that a path it gives is a path there and not here.
    pub remote: bool,
}

/// A kind of tracking store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackingKind {
    /// A tracking server; its URL without user, password, query and trailing `/`.
    Server {
        /// The URL, path prefix included.
        url: String,
    },
    /// A database.
    Database,
    /// A directory `mlruns`.
    Files {
        /// The directory, absolute.
        root: PathBuf,
    },
}

/// A run, as far as its artifacts go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// Its id.
    pub run_id: RunId,
    /// The experiment that it belongs to.
    pub experiment_id: String,
    /// Where its artifacts lie: a URI or a path.
    pub artifact_uri: String,
    /// Whether it was deleted; its artifacts may still be there.
    pub deleted: bool,
}

/// A logged model (MLflow 3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedModel {
    /// Its id: `m-` and 32 hexadecimal digits.
    pub model_id: String,
    /// The experiment that it belongs to.
    pub experiment_id: String,
    /// The name that it was logged under; not unique.
    pub name: String,
    /// Where its artifacts lie: a URI or a path.
    pub artifact_uri: String,
    /// The run that logged it.
    pub source_run_id: Option<String>,
    /// `PENDING`, `READY` or `FAILED`, or what a newer MLflow says.
    pub status: String,
}

/// A version of a registered model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelVersion {
    /// The registered model's name.
    pub name: String,
    /// The version's number.
    pub version: String,
    /// The stage as the store writes it: `None`, `Staging`, `Production`, `Archived`.
    pub stage: String,
    /// What it was registered from: a URI of any kind, also `runs:/…` and `models:/…`.
    pub source: String,
    /// Where its files are: the storage location where one was stored, else the source. It may
    /// still be a `runs:/…` URI.
    pub download_uri: String,
    /// The run that it came from.
    pub run_id: Option<String>,
}

/// A logged model's status, from the number that databases and files hold (MLflow 3).
pub(crate) fn logged_model_status(stored: Option<&str>) -> String {
    let stored = stored.unwrap_or_default();
    match stored {
        "1" => "PENDING",
        "2" => "READY",
        "3" => "FAILED",
        other => other.trim_start_matches("LOGGED_MODEL_"),
    }
    .to_owned()
}
