//! A directory `mlruns` as a tracking store.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_store::{Error, ErrorKind, Result, escape};

use super::directory::{Experiment, MODELS, child, directories, experiments};
use super::meta::{META_FILE, Meta, malformed};
use super::registry::Registry;
use super::root::find;
use crate::Environment;
use crate::tracking::{
    Catalogue, LoggedModel, ModelVersion, Run, RunId, Stage, TrackingInfo, TrackingKind,
    TrackingStore, Wanted, explain, logged_model_status, missing_logged_model, missing_run,
    version_number,
};

/// What a run's directory must hold, so that a directory among artifacts is not taken for one
/// (MLflow 3.17).
const RUN_DIRECTORIES: [&str; 3] = ["metrics", "params", "artifacts"];

/// A directory of runs and registered models. MLflow 3.17 refuses to open one unless
/// `MLFLOW_ALLOW_FILE_STORE` is true; it is only read here, so it is always opened.
#[derive(Debug)]
pub(crate) struct FileStore {
    files: Arc<Files>,
    info: TrackingInfo,
}

#[derive(Debug)]
struct Files {
    root: PathBuf,
    registry: Registry,
    name: String,
}

impl FileStore {
    /// Opens the directory that `uri` names; it must be there.
    pub(crate) fn open(uri: &str, environment: &Environment) -> Result<Self> {
        let roots = find(uri, environment)?;
        let name = escape(roots.runs.as_os_str().as_encoded_bytes());
        if !roots.runs.is_dir() {
            let error = Error::new(ErrorKind::NotFound, "open the file store", name);
            return Err(error
                .with_message("there is no such directory")
                .with_hint("give the store by --tracking-uri or MLFLOW_TRACKING_URI"));
        }
        let kind = TrackingKind::Files { root: roots.runs.clone() };
        let registry = Registry::new(&roots.registry);
        let files = Files { root: roots.runs, registry, name: name.clone() };
        Ok(Self { files: Arc::new(files), info: TrackingInfo { kind, name, remote: false } })
    }

    /// File systems block their thread, those of networks for long.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let files = Arc::clone(&self.files);
        tokio::task::spawn_blocking(move || work(&files)).await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Other, "read", "the file store").with_source(cause))
        })
    }

    async fn found(
        &self,
        version: Option<ModelVersion>,
        name: &str,
        wanted: Wanted<'_>,
    ) -> Result<ModelVersion> {
        match version {
            Some(version) => Ok(version),
            None => Err(explain(self, &self.info.name, name, wanted).await),
        }
    }
}

impl Files {
    fn run(&self, run_id: &RunId) -> Result<Run> {
        for experiment in experiments(&self.root)? {
            let Some(directory) = child(&experiment.path, run_id.as_str()) else { continue };
            let Some(meta) = Meta::read(&directory)? else { continue };
            return self.read_run(&experiment, &directory, &meta, run_id);
        }
        Err(missing_run(run_id, &self.name))
    }

    fn read_run(
        &self,
        experiment: &Experiment,
        directory: &Path,
        meta: &Meta,
        run_id: &RunId,
    ) -> Result<Run> {
        if let Some(lacking) = RUN_DIRECTORIES.iter().find(|name| !directory.join(name).is_dir()) {
            return Err(missing_run(run_id, &self.name)
                .with_message(format!("its directory is not a run's: it has no `{lacking}`"))
                .with_hint("version control leaves empty directories out: make it again"));
        }
        // Before MLflow 1.0 it had another name.
        let written = meta.text("run_id").or_else(|| meta.text("run_uuid")).unwrap_or_default();
        must_match(directory, "run_id", written, run_id.as_str())?;
        let experiment_id = meta.required(directory, "experiment_id")?;
        must_match(directory, "experiment_id", experiment_id, &experiment.id)?;
        let stage = meta.text("lifecycle_stage");
        Ok(Run {
            run_id: run_id.clone(),
            experiment_id: experiment_id.to_owned(),
            artifact_uri: meta.required(directory, "artifact_uri")?.to_owned(),
            deleted: experiment.deleted || stage == Some("deleted"),
        })
    }

    fn logged_model(&self, model_id: &str) -> Result<LoggedModel> {
        for experiment in experiments(&self.root)? {
            let models = experiment.path.join(MODELS);
            let Some(directory) = child(&models, model_id) else { break };
            if let Some((model, _)) = read_logged_model(&experiment, &directory)? {
                return Ok(model);
            }
        }
        Err(missing_logged_model(model_id, &self.name))
    }

    fn logged_models_of_run(&self, run: &Run, name: Option<&str>) -> Result<Vec<LoggedModel>> {
        let all = experiments(&self.root)?;
        let mut found = Vec::new();
        for experiment in all.iter().filter(|known| known.id == run.experiment_id) {
            for directory in directories(&experiment.path.join(MODELS))? {
                let model = read_logged_model(experiment, &directory)?;
                let of_run = |(model, _): &(LoggedModel, u64)| {
                    model.source_run_id.as_deref() == Some(run.run_id.as_str())
                        && name.is_none_or(|name| model.name == name)
                };
                found.extend(model.filter(of_run));
            }
        }
        // MLflow's own order: it takes the first.
        found.sort_by(|(one, created), (other, later)| {
            (Reverse(created), &one.model_id).cmp(&(Reverse(later), &other.model_id))
        });
        Ok(found.into_iter().map(|(model, _)| model).collect())
    }
}

/// A logged model and when it was created, in milliseconds; `None` if it is not there or deleted.
fn read_logged_model(
    experiment: &Experiment,
    directory: &Path,
) -> Result<Option<(LoggedModel, u64)>> {
    let Some(meta) = Meta::read(directory)? else { return Ok(None) };
    if meta.text("lifecycle_stage") == Some("deleted") {
        return Ok(None);
    }
    let model_id = meta.required(directory, "model_id")?;
    let folder = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    must_match(directory, "model_id", model_id, folder)?;
    let experiment_id = meta.required(directory, "experiment_id")?;
    must_match(directory, "experiment_id", experiment_id, &experiment.id)?;
    let created = meta.text("creation_timestamp").and_then(|text| text.parse().ok());
    let model = LoggedModel {
        model_id: model_id.to_owned(),
        experiment_id: experiment_id.to_owned(),
        name: meta.text("name").unwrap_or_default().to_owned(),
        artifact_uri: meta.required(directory, "artifact_location")?.to_owned(),
        source_run_id: meta.text("source_run_id").map(str::to_owned),
        status: logged_model_status(meta.text("status")),
    };
    Ok(Some((model, created.unwrap_or_default())))
}

/// What a file says of itself must be what its directory says (MLflow 3.17).
fn must_match(directory: &Path, name: &str, written: &str, folder: &str) -> Result<()> {
    if written == folder {
        return Ok(());
    }
    let written = escape(written.as_bytes());
    let why = format!("its `{name}` is `{written}`, but its directory says `{folder}`");
    Err(malformed(&directory.join(META_FILE), why))
}

#[async_trait]
impl TrackingStore for FileStore {
    fn info(&self) -> &TrackingInfo {
        &self.info
    }

    async fn run(&self, run_id: &RunId) -> Result<Run> {
        let run_id = run_id.clone();
        self.blocking(move |files| files.run(&run_id)).await
    }

    async fn logged_model(&self, model_id: &str) -> Result<LoggedModel> {
        let model_id = model_id.to_owned();
        self.blocking(move |files| files.logged_model(&model_id)).await
    }

    async fn logged_models_of_run(
        &self,
        run: &Run,
        name: Option<&str>,
    ) -> Result<Vec<LoggedModel>> {
        let (run, name) = (run.clone(), name.map(str::to_owned));
        self.blocking(move |files| files.logged_models_of_run(&run, name.as_deref())).await
    }

    async fn model_version(&self, name: &str, version: &str) -> Result<ModelVersion> {
        let number = version_number(name, version)?;
        let model = name.to_owned();
        let found = self.blocking(move |files| files.registry.version(&model, number)).await?;
        self.found(found, name, Wanted::Version(number)).await
    }

    async fn model_version_by_alias(&self, name: &str, alias: &str) -> Result<ModelVersion> {
        if alias.eq_ignore_ascii_case(Stage::Latest.name()) {
            return self.model_version_by_stage(name, Stage::Latest).await;
        }
        let (model, wanted) = (name.to_owned(), alias.to_owned());
        let number = self.blocking(move |files| files.registry.alias(&model, &wanted)).await?;
        match number {
            Some(number) => self.model_version(name, &number.to_string()).await,
            None => Err(explain(self, &self.info.name, name, Wanted::Alias(alias)).await),
        }
    }

    async fn model_version_by_stage(&self, name: &str, stage: Stage) -> Result<ModelVersion> {
        let model = name.to_owned();
        let found = self.blocking(move |files| files.registry.highest(&model, stage)).await?;
        self.found(found, name, Wanted::Stage(stage)).await
    }
}

#[async_trait]
impl Catalogue for FileStore {
    async fn model_names(&self) -> Result<Vec<String>> {
        self.blocking(|files| files.registry.names()).await
    }

    async fn versions(&self, name: &str) -> Result<Vec<(u64, String)>> {
        let name = name.to_owned();
        self.blocking(move |files| files.registry.versions(&name)).await
    }

    async fn aliases(&self, name: &str) -> Result<Vec<String>> {
        let name = name.to_owned();
        self.blocking(move |files| files.registry.aliases(&name)).await
    }
}
