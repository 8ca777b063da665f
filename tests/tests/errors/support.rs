//! A tracking server that has one run, as a script.

use mlfetch_tests::{Answer, Asked, ScriptedServer, repository};
use serde_json::json;

/// The run that the scripted server has.
pub(crate) const RUN: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const ARTIFACTS: &str = "/api/2.0/mlflow-artifacts/artifacts";

/// The tracking URI and the rewrite rule of the store in `examples/quickstart/`.
pub(crate) fn quickstart() -> [(&'static str, String); 2] {
    let store = repository().join("examples/quickstart");
    [
        ("MLFLOW_TRACKING_URI", format!("sqlite:///{}", store.join("mlflow.db").display())),
        ("MLFETCH_REWRITE", format!("file:///mlfetch-quickstart={}", store.display())),
    ]
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Run,
    Models,
    ServerInfo,
    List,
    Read,
    Other,
}

impl Purpose {
    pub(crate) fn of(asked: &Asked) -> Self {
        let path = asked.target.split('?').next().unwrap_or_default();
        match path {
            "/api/2.0/mlflow/runs/get" => Self::Run,
            "/api/2.0/mlflow/logged-models/search" => Self::Models,
            "/api/3.0/mlflow/server-info" => Self::ServerInfo,
            ARTIFACTS => Self::List,
            _ if path.starts_with(ARTIFACTS) => Self::Read,
            _ => Self::Other,
        }
    }
}

/// A server that has [`RUN`] with these files, but answers some purposes otherwise.
pub(crate) fn server(
    files: &'static [(&'static str, u64)],
    otherwise: impl Fn(Purpose, &Asked) -> Option<Answer> + Send + Sync + 'static,
) -> ScriptedServer {
    ScriptedServer::start(move |asked, _| {
        let purpose = Purpose::of(asked);
        otherwise(purpose, asked).unwrap_or_else(|| usual(purpose, files))
    })
}

/// What such a server answers.
pub(crate) fn usual(purpose: Purpose, files: &[(&str, u64)]) -> Answer {
    match purpose {
        Purpose::Run => Answer::json(&json!({"run": {"info": {
            "run_id": RUN, "run_uuid": RUN, "experiment_id": "1", "status": "FINISHED",
            "artifact_uri": format!("mlflow-artifacts:/1/{RUN}/artifacts"),
            "lifecycle_stage": "active",
        }}})),
        Purpose::Models => Answer::json(&json!({})),
        Purpose::ServerInfo => Answer::json(&json!({"store_type": "SqlStore"})),
        Purpose::List => {
            let rows: Vec<_> = files
                .iter()
                .map(|(name, size)| json!({"path": name, "is_dir": false, "file_size": size}))
                .collect();
            Answer::json(&json!({"files": rows}))
        }
        Purpose::Read => Answer::new(200, "0123456789"),
        Purpose::Other => {
            Answer::mlflow_error(404, "ENDPOINT_NOT_FOUND", "the script has no such endpoint")
        }
    }
}

/// How many requests of a purpose a server was sent.
pub(crate) fn count(server: &ScriptedServer, purpose: Purpose) -> usize {
    server.asked().iter().filter(|asked| Purpose::of(asked) == purpose).count()
}
