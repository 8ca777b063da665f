//! A tracking server as a tracking store.

use std::collections::HashSet;

use async_trait::async_trait;
use futures_util::future::join;
use mlfetch_http::Url;
use mlfetch_store::{Error, ErrorKind, Result};
use serde_json::json;

use super::call::{Call, quoted, segment};
use super::client::TrackingClient;
use super::failure::Failure;
use super::wire::{
    DownloadUriAnswer, LoggedModelAnswer, LoggedModelsAnswer, RunAnswer, VersionAnswer,
    VersionInfo, VersionsAnswer,
};
use crate::HttpSettings;
use crate::tracking::{
    LoggedModel, ModelVersion, Run, RunId, Stage, TrackingInfo, TrackingKind, TrackingStore,
    Wanted, explain, missing_logged_model, missing_run, version_number,
};

/// The most pages of a search that are turned: a server that never ends its answer is not
/// followed for ever. MLflow's pages have 100 rows.
const MAX_PAGES: usize = 1000;

/// A tracking server.
#[derive(Debug)]
pub(crate) struct RestStore {
    pub(super) client: TrackingClient,
    info: TrackingInfo,
}

impl RestStore {
    pub(crate) fn new(url: &str, settings: HttpSettings) -> Result<Self> {
        let client = TrackingClient::new(url, settings)?;
        let url = client.url().to_owned();
        let remote = is_elsewhere(&client.endpoint("/"));
        let kind = TrackingKind::Server { url: url.clone() };
        Ok(Self { client, info: TrackingInfo { kind, name: url, remote } })
    }

    /// A version's facts and, by the second call that MLflow makes, where its files are.
    async fn with_download_uri(&self, version: VersionInfo) -> Result<ModelVersion> {
        let found = self.download_uri(&version.name, &version.version).await?;
        Ok(version.with_download_uri(found.map_err(|failure| failure.error)?.artifact_uri))
    }

    async fn download_uri(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Result<DownloadUriAnswer, Failure>> {
        let call = Call::get("model-versions/get-download-uri")
            .with("name", name)
            .with("version", version)
            .named("find the model version", &format!("{name}/{version}"));
        self.client.call(call).await
    }

    async fn missing(&self, failure: Failure, name: &str, wanted: Wanted<'_>) -> Error {
        if failure.is_missing() {
            return explain(self, &self.info.name, name, wanted).await;
        }
        failure.error
    }

    async fn logged_models_page(
        &self,
        run: &Run,
        filter: Option<&str>,
        token: Option<&str>,
    ) -> Result<Result<LoggedModelsAnswer, Failure>> {
        let mut body = json!({ "experiment_ids": [run.experiment_id] });
        if let Some(filter) = filter {
            body["filter"] = json!(filter);
        }
        if let Some(token) = token {
            body["page_token"] = json!(token);
        }
        let call = Call::post("logged-models/search", body)
            .named("find the logged models of", run.run_id.as_str());
        self.client.call(call).await
    }
}

#[async_trait]
impl TrackingStore for RestStore {
    fn info(&self) -> &TrackingInfo {
        &self.info
    }

    fn server(&self) -> Option<&TrackingClient> {
        Some(&self.client)
    }

    async fn run(&self, run_id: &RunId) -> Result<Run> {
        // Both names of the parameter, for servers from before it was renamed.
        let call = Call::get("runs/get")
            .with("run_uuid", run_id.as_str())
            .with("run_id", run_id.as_str())
            .named("find the run", run_id.as_str());
        let answer: RunAnswer = match self.client.call(call).await? {
            Ok(answer) => answer,
            Err(failure) if failure.is_missing() => {
                return Err(missing_run(run_id, &self.info.name));
            }
            Err(failure) => return Err(failure.error),
        };
        let info = answer.run.info;
        Ok(Run {
            run_id: run_id.clone(),
            experiment_id: info.experiment_id,
            artifact_uri: info.artifact_uri,
            deleted: info.lifecycle_stage == "deleted",
        })
    }

    async fn logged_model(&self, model_id: &str) -> Result<LoggedModel> {
        let call = Call::get(&format!("logged-models/{}", segment(model_id)))
            .named("find the logged model", model_id);
        match self.client.call::<LoggedModelAnswer>(call).await? {
            Ok(answer) => Ok(answer.model.info.into()),
            Err(failure) if failure.is_missing() => {
                Err(missing_logged_model(model_id, &self.info.name))
            }
            Err(failure) if failure.is_endpoint_missing() => {
                Err(missing_logged_model(model_id, &self.info.name)
                    .with_message("the server is older than MLflow 3 and has no logged models"))
            }
            Err(failure) => Err(failure.error),
        }
    }

    async fn logged_models_of_run(
        &self,
        run: &Run,
        name: Option<&str>,
    ) -> Result<Vec<LoggedModel>> {
        let filter = name.and_then(quoted).map(|name| format!("name = {name}"));
        let mut models = Vec::new();
        let mut token = None;
        let mut seen = HashSet::new();
        for _ in 0..MAX_PAGES {
            let page = self.logged_models_page(run, filter.as_deref(), token.as_deref()).await?;
            let page = match page {
                Ok(page) => page,
                // A server of MLflow 2 keeps models among the run's own artifacts.
                Err(failure) if failure.is_endpoint_missing() => return Ok(Vec::new()),
                Err(failure) => return Err(failure.error),
            };
            let found = page.models.into_iter().map(|model| LoggedModel::from(model.info));
            models.extend(found.filter(|model| is_of(model, run, name)));
            let Some(next) = page.next_page_token.filter(|token| !token.is_empty()) else {
                return Ok(models);
            };
            if !seen.insert(next.clone()) {
                break;
            }
            token = Some(next);
        }
        Err(Error::new(ErrorKind::Protocol, "find the logged models of", run.run_id.as_str())
            .with_message("the server's list of logged models does not end"))
    }

    async fn model_version(&self, name: &str, version: &str) -> Result<ModelVersion> {
        let number = version_number(name, version)?;
        let version = number.to_string();
        let call = Call::get("model-versions/get")
            .with("name", name)
            .with("version", &version)
            .named("find the model version", &format!("{name}/{version}"));
        let (found, uri) =
            join(self.client.call::<VersionAnswer>(call), self.download_uri(name, &version)).await;
        match (found?, uri?) {
            (Ok(found), Ok(uri)) => Ok(found.model_version.with_download_uri(uri.artifact_uri)),
            (Err(failure), _) | (_, Err(failure)) => {
                Err(self.missing(failure, name, Wanted::Version(number)).await)
            }
        }
    }

    async fn model_version_by_alias(&self, name: &str, alias: &str) -> Result<ModelVersion> {
        if alias.eq_ignore_ascii_case(Stage::Latest.name()) {
            return self.model_version_by_stage(name, Stage::Latest).await;
        }
        let call = Call::get("registered-models/alias")
            .with("name", name)
            .with("alias", alias)
            .named("find the model version", &format!("{name}@{alias}"));
        match self.client.call::<VersionAnswer>(call).await? {
            Ok(found) => self.with_download_uri(found.model_version).await,
            Err(failure) => Err(self.missing(failure, name, Wanted::Alias(alias)).await),
        }
    }

    async fn model_version_by_stage(&self, name: &str, stage: Stage) -> Result<ModelVersion> {
        let body = match stage {
            Stage::Latest => json!({ "name": name }),
            _ => json!({ "name": name, "stages": [stage.name()] }),
        };
        let call = Call::post("registered-models/get-latest-versions", body)
            .named("find the model version", &format!("{name}/{stage}"));
        let found: VersionsAnswer = match self.client.call(call).await? {
            Ok(found) => found,
            Err(failure) => return Err(self.missing(failure, name, Wanted::Stage(stage)).await),
        };
        match found.model_versions.into_iter().max_by_key(VersionInfo::number) {
            Some(version) => self.with_download_uri(version).await,
            None => Err(explain(self, &self.info.name, name, Wanted::Stage(stage)).await),
        }
    }
}

/// The filter of the search knows no run, and not every name can be asked for.
fn is_of(model: &LoggedModel, run: &Run, name: Option<&str>) -> bool {
    model.source_run_id.as_deref() == Some(run.run_id.as_str())
        && name.is_none_or(|name| model.name == name)
}

/// Whether a server is on another machine, as far as its name tells.
fn is_elsewhere(url: &Url) -> bool {
    !mlfetch_store::is_loopback(url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_address_is_this_machine() {
        for (url, elsewhere) in [
            ("http://localhost:5000", false),
            ("http://127.0.0.1:5000", false),
            ("http://[::1]:5000", false),
            ("http://10.0.0.1", true),
            ("https://tracking.example", true),
        ] {
            assert_eq!(is_elsewhere(&Url::parse(url).expect("a URL")), elsewhere, "{url}");
        }
    }
}
