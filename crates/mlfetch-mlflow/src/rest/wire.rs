//! The answers of the interface, as far as they are read. Fields that are not there are empty:
//! servers leave out what has its default value.

use serde::Deserialize;

use crate::tracking::{LoggedModel, ModelVersion, logged_model_status};

/// What a server says it can do (`/api/3.0/mlflow/server-info`).
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct ServerInfo {
    /// `SqlStore`, `FileStore`.
    #[serde(default)]
    pub store_type: Option<String>,
    /// Whether it has workspaces.
    #[serde(default)]
    pub workspaces_enabled: bool,
    /// Whether it gives presigned URLs for downloads; only where the artifacts are on S3.
    #[serde(default)]
    pub multipart_downloads_enabled: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct RunAnswer {
    pub(super) run: RunBody,
}

#[derive(Debug, Deserialize)]
pub(super) struct RunBody {
    pub(super) info: RunInfo,
}

#[derive(Debug, Deserialize)]
pub(super) struct RunInfo {
    #[serde(default)]
    pub(super) experiment_id: String,
    #[serde(default)]
    pub(super) artifact_uri: String,
    #[serde(default)]
    pub(super) lifecycle_stage: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct LoggedModelAnswer {
    pub(super) model: LoggedModelBody,
}

#[derive(Debug, Deserialize)]
pub(super) struct LoggedModelsAnswer {
    #[serde(default)]
    pub(super) models: Vec<LoggedModelBody>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LoggedModelBody {
    pub(super) info: LoggedModelInfo,
}

#[derive(Debug, Deserialize)]
pub(super) struct LoggedModelInfo {
    model_id: String,
    #[serde(default)]
    experiment_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    artifact_uri: String,
    #[serde(default)]
    source_run_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

impl From<LoggedModelInfo> for LoggedModel {
    fn from(info: LoggedModelInfo) -> Self {
        Self {
            model_id: info.model_id,
            experiment_id: info.experiment_id,
            name: info.name,
            artifact_uri: info.artifact_uri,
            source_run_id: info.source_run_id.filter(|run| !run.is_empty()),
            status: logged_model_status(info.status.as_deref()),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct VersionAnswer {
    pub(super) model_version: VersionInfo,
}

#[derive(Debug, Deserialize)]
pub(super) struct VersionsAnswer {
    #[serde(default)]
    pub(super) model_versions: Vec<VersionInfo>,
}

#[derive(Debug, Deserialize)]
pub(super) struct VersionInfo {
    #[serde(default)]
    pub(super) name: String,
    pub(super) version: String,
    #[serde(default)]
    pub(super) current_stage: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    run_id: Option<String>,
}

impl VersionInfo {
    pub(super) fn number(&self) -> u64 {
        self.version.parse().unwrap_or_default()
    }

    /// With where its files are; an empty answer leaves the source.
    pub(super) fn with_download_uri(self, download_uri: String) -> ModelVersion {
        let download_uri = if download_uri.is_empty() { self.source.clone() } else { download_uri };
        ModelVersion {
            name: self.name,
            version: self.version,
            stage: self.current_stage,
            source: self.source,
            download_uri,
            run_id: self.run_id.filter(|run| !run.is_empty()),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct DownloadUriAnswer {
    #[serde(default)]
    pub(super) artifact_uri: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ModelsAnswer {
    #[serde(default)]
    pub(super) registered_models: Vec<ModelInfo>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ModelAnswer {
    pub(super) registered_model: ModelInfo,
}

#[derive(Debug, Deserialize)]
pub(super) struct ModelInfo {
    pub(super) name: String,
    #[serde(default)]
    pub(super) aliases: Vec<AliasInfo>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AliasInfo {
    pub(super) alias: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_though_a_server_leaves_fields_out() {
        let answer: LoggedModelsAnswer = serde_json::from_str("{}").expect("an answer");
        assert!(answer.models.is_empty() && answer.next_page_token.is_none());
        let answer: VersionAnswer =
            serde_json::from_str(r#"{"model_version":{"version":"3","run_id":""}}"#)
                .expect("an answer");
        let version = answer.model_version.with_download_uri(String::new());
        assert_eq!((version.version.as_str(), version.run_id), ("3", None));
    }

    #[test]
    fn a_logged_models_status_loses_its_prefix() {
        let answer: LoggedModelAnswer = serde_json::from_str(
            r#"{"model":{"info":{"model_id":"m-1","status":"LOGGED_MODEL_READY","new":1}}}"#,
        )
        .expect("an answer");
        assert_eq!(LoggedModel::from(answer.model.info).status, "READY");
    }
}
