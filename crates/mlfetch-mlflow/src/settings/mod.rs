//! Which stores count, and how they are reached: MLflow's settings with MLflow's precedence.

mod aws;
mod credential;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod http;
mod ini;
mod netrc;

use std::path::Path;
use std::sync::Arc;

use mlfetch_store::{Gate, RetryPolicy};

pub use aws::AwsSigning;
pub use http::HttpSettings;

use crate::Environment;
use crate::files::names;

/// The file that marks an experiment, a run, a model in a file store.
const META_FILE: &str = "meta.yaml";

/// Which stores count.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where runs and logged models are looked up. May hold credentials: not for display.
    pub tracking_uri: String,
    /// Where registered models are looked up. May hold credentials: not for display.
    pub registry_uri: String,
    /// The workspace (`MLFLOW_WORKSPACE`), where a store has them; none means `default`.
    pub workspace: Option<String>,
    /// How patiently a server is asked. What `MLFLOW_HTTP_REQUEST_*` set wins over it.
    pub retry: RetryPolicy,
    /// Asked for each server before it is.
    pub gate: Option<Arc<dyn Gate>>,
}

impl Settings {
    /// Finds out which stores count. MLflow 3.17: an explicit tracking URI, `MLFLOW_TRACKING_URI`,
    /// `./mlruns` if it holds an experiment (`<digits>/meta.yaml`), `sqlite:///mlflow.db`. For the
    /// registry: an explicit URI, `MLFLOW_REGISTRY_URI`, the tracking URI.
    ///
    /// MLflow 3.17 refuses a file store unless `MLFLOW_ALLOW_FILE_STORE` is true; reading one does
    /// no harm, so it is always read here.
    pub fn new(
        tracking_uri: Option<&str>,
        registry_uri: Option<&str>,
        environment: &Environment,
    ) -> Self {
        let given = |argument: Option<&str>, variable| {
            let argument = argument.filter(|uri| !uri.is_empty());
            argument.or_else(|| environment.text(variable)).map(str::to_owned)
        };
        let tracking_uri = given(tracking_uri, "MLFLOW_TRACKING_URI")
            .unwrap_or_else(|| default_tracking_uri(environment.current_directory()));
        let registry_uri =
            given(registry_uri, "MLFLOW_REGISTRY_URI").unwrap_or_else(|| tracking_uri.clone());
        let workspace = environment.text("MLFLOW_WORKSPACE").map(str::trim);
        let workspace = workspace.filter(|name| !name.is_empty()).map(str::to_owned);
        Self { tracking_uri, registry_uri, workspace, retry: RetryPolicy::default(), gate: None }
    }

    /// With a gate: no server or database is asked that it does not permit.
    #[must_use]
    pub fn with_gate(mut self, gate: impl Into<Option<Arc<dyn Gate>>>) -> Self {
        self.gate = gate.into();
        self
    }

    /// With this patience.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }
}

fn default_tracking_uri(current_directory: &Path) -> String {
    let default = if has_experiments(&current_directory.join("mlruns")) {
        "./mlruns"
    } else {
        "sqlite:///mlflow.db"
    };
    default.to_owned()
}

fn has_experiments(root: &Path) -> bool {
    let Ok(names) = names(root) else { return false };
    names.flatten().any(|name| {
        let digits = name.to_str().is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit()));
        digits && root.join(name).join(META_FILE).symlink_metadata().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_wins_over_the_environment_and_the_registry_follows_the_tracking_store() {
        let environment = Environment::new("/nowhere")
            .with_variable("MLFLOW_TRACKING_URI", "http://tracking")
            .with_variable("MLFLOW_WORKSPACE", " team ");
        let settings = Settings::new(None, None, &environment);
        assert_eq!(settings.tracking_uri, "http://tracking");
        assert_eq!(settings.registry_uri, "http://tracking");
        assert_eq!(settings.workspace.as_deref(), Some("team"));
        let environment = environment.with_variable("MLFLOW_REGISTRY_URI", "http://registry");
        let settings = Settings::new(Some("sqlite:///x.db"), None, &environment);
        assert_eq!(settings.tracking_uri, "sqlite:///x.db");
        assert_eq!(settings.registry_uri, "http://registry");
    }

    #[test]
    fn without_a_uri_an_existing_file_store_wins_over_the_default_database() {
        let directory = tempfile::tempdir().expect("a directory");
        let environment = Environment::new(directory.path());
        let uri = || Settings::new(None, None, &environment).tracking_uri;
        assert_eq!(uri(), "sqlite:///mlflow.db");
        let experiment = directory.path().join("mlruns/0");
        std::fs::create_dir_all(&experiment).expect("created");
        assert_eq!(uri(), "sqlite:///mlflow.db", "an experiment needs its meta.yaml");
        std::fs::write(experiment.join(META_FILE), "").expect("written");
        assert_eq!(uri(), "./mlruns");
    }
}
