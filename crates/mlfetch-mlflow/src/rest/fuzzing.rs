//! What fuzz targets assert of a tracking server's answers.

use serde::de::DeserializeOwned;

use super::wire::{
    DownloadUriAnswer, LoggedModelAnswer, LoggedModelsAnswer, ModelAnswer, ModelsAnswer, RunAnswer,
    ServerInfo, VersionAnswer, VersionsAnswer,
};
use crate::LoggedModel;

/// Any bytes as each answer.
pub fn answers(data: &[u8]) {
    let _ = read::<RunAnswer>(data).map(|answer| answer.run.info.artifact_uri);
    let _ = (read::<ServerInfo>(data), read::<DownloadUriAnswer>(data));
    let _ = (read::<ModelsAnswer>(data), read::<ModelAnswer>(data));
    let models = read::<LoggedModelsAnswer>(data).map(|answer| answer.models).unwrap_or_default();
    let one = read::<LoggedModelAnswer>(data).map(|answer| answer.model);
    for model in models.into_iter().chain(one) {
        let model = LoggedModel::from(model.info);
        assert!(model.source_run_id.is_none_or(|run| !run.is_empty()));
    }
    let versions = read::<VersionsAnswer>(data).map(|answer| answer.model_versions);
    let one = read::<VersionAnswer>(data).map(|answer| answer.model_version);
    for version in versions.unwrap_or_default().into_iter().chain(one) {
        let _ = version.number();
        let version = version.with_download_uri(String::new());
        assert_eq!(version.download_uri, version.source);
    }
}

fn read<T: DeserializeOwned>(data: &[u8]) -> Option<T> {
    serde_json::from_slice(data).ok()
}
