//! What a real MLflow wrote into a store before the tests look at it.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::OnceLock;

use serde::Deserialize;

/// What `tests/data/seed.py` says that it wrote.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Facts {
    pub(crate) run: RunFacts,
    pub(crate) other_run: RunFacts,
    pub(crate) deleted_run: RunFacts,
    /// A run of an experiment that was deleted.
    pub(crate) trashed_run: RunFacts,
    pub(crate) model: ModelFacts,
    pub(crate) second: ModelFacts,
    pub(crate) of_other_run: ModelFacts,
    pub(crate) deleted_model: ModelFacts,
    pub(crate) registered: Registered,
    pub(crate) versions: BTreeMap<String, VersionFacts>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RunFacts {
    pub(crate) run_id: String,
    pub(crate) experiment_id: String,
    pub(crate) artifact_uri: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ModelFacts {
    pub(crate) model_id: String,
    pub(crate) experiment_id: String,
    pub(crate) name: String,
    pub(crate) artifact_uri: String,
    pub(crate) source_run_id: String,
}

/// Names of registered models: with five versions, with eleven, with none.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) many: String,
    pub(crate) empty: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct VersionFacts {
    pub(crate) stage: String,
    pub(crate) source: String,
    pub(crate) run_id: Option<String>,
    pub(crate) download_uri: String,
}

/// A variable that the servers' start gives to the tests.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test`, or export what `cargo xtask services up` prints")
    })
}

/// What was written, or why nothing could be: a failure is not tried again by every test.
pub(crate) type Seeded = OnceLock<Result<Facts, String>>;

/// Lets MLflow write into the store at `uri`, once; `artifact_root` is where the runs' artifacts go.
pub(crate) fn seed_once(
    seeded: &'static Seeded,
    uri: &str,
    artifact_root: Option<&str>,
    variables: &[(&str, &str)],
) -> &'static Facts {
    let written = seeded.get_or_init(|| seed(uri, artifact_root, variables));
    written.as_ref().unwrap_or_else(|why| panic!("MLflow could not write: {why}"))
}

fn seed(
    uri: &str,
    artifact_root: Option<&str>,
    variables: &[(&str, &str)],
) -> Result<Facts, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/seed.py");
    let output = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(script)
        .arg(uri)
        .args(artifact_root)
        .envs(variables.iter().copied())
        .env_remove("MLFLOW_TRACKING_URI")
        .env_remove("MLFLOW_REGISTRY_URI")
        .output()
        .map_err(|cause| format!("python does not start: {cause}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|cause| cause.to_string())
}
