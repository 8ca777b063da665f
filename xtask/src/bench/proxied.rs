//! An MLflow server through which artifacts go, with trees in one run of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::testbed::{self, Testbed};
use super::trees::File;
use super::{curl, noise};
use crate::command;

/// Makes a run and prints its identifier.
const MAKE_RUN: &str = "\
import mlflow
with mlflow.start_run() as run:
    print(run.info.run_id)
";

const URI_VARIABLE: &str = "MLFLOW_TRACKING_URI";

/// Where it is, and the programs that ask it.
#[derive(Clone)]
pub(super) struct Proxied {
    program: PathBuf,
    mlflow: PathBuf,
    directory: PathBuf,
    url: String,
    run_id: String,
    /// The run's artifacts, where the server has them.
    artifacts: PathBuf,
}

impl Proxied {
    pub(super) fn new(testbed: &Testbed) -> Result<Self> {
        let variable = |name: &str| {
            let value = testbed.variables().get(&format!("MLFETCH_TEST_MLFLOW_PROXIED{name}"));
            value.cloned().context("the MLflow server did not say where it is")
        };
        let url = variable("")?;
        let mut python = Command::new(testbed.tools.python.interpreter());
        python.args(["-c", MAKE_RUN]).env(URI_VARIABLE, &url);
        python.env("MLFLOW_DISABLE_TELEMETRY", "true");
        let output = command::capture(&mut python)?;
        let run_id = output.lines().find(|line| is_run_id(line)).context("no run was printed")?;
        // Zero is the experiment that is there from the beginning.
        let artifacts = PathBuf::from(variable("_ROOT")?).join("0").join(run_id).join("artifacts");
        Ok(Self {
            program: testbed.program.clone(),
            mlflow: testbed.tools.python.mlflow(),
            directory: testbed.directory.path().to_owned(),
            url,
            run_id: run_id.to_owned(),
            artifacts,
        })
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        testbed::address(&self.url)
    }

    pub(super) fn at(&self, address: SocketAddr) -> Self {
        Self { url: testbed::with_address(&self.url, address), ..self.clone() }
    }

    /// Puts files below a path of the run.
    pub(super) fn seed(&self, path: &str, files: &[File]) -> Result<()> {
        noise::write(files, &self.artifacts.join(path))
    }

    /// Through the server's proxy, whose paths are those of its artifacts.
    pub(super) fn curl(&self, path: &str, files: &[File], place: &Path) -> Result<Command> {
        let Self { url, run_id, .. } = self;
        let root = format!("{url}/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{path}");
        let files = files.iter().map(|file| (format!("{root}{}", file.name), file.name.as_str()));
        curl::command(&self.directory.join("curl"), place, files)
    }

    pub(super) fn mlfetch(&self, path: &str, place: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["get", "-q", "--via", "proxy", &format!("runs:/{}/{path}", self.run_id)]);
        command.arg("-d").arg(place).env(URI_VARIABLE, &self.url);
        command
    }

    pub(super) fn mlflow(&self, path: &str, place: &Path) -> Command {
        let mut command = Command::new(&self.mlflow);
        command.args(["artifacts", "download", "-r", &self.run_id, "-a", path, "-d"]);
        command.arg(place).env(URI_VARIABLE, &self.url).env("MLFLOW_DISABLE_TELEMETRY", "true");
        command
    }
}

/// MLflow prints a link to the run as well.
fn is_run_id(line: &str) -> bool {
    line.len() == 32 && line.chars().all(|letter| letter.is_ascii_hexdigit())
}
