//! The same trees from the same fake-gcs-server, by mlfetch and by the tools that a user would pick
//! instead. An emulator is a slow server: what counts is the processor time of the client.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::build;
use super::peers::Peers;
use super::trees::{self, Arguments, Server, Tool, name};
use crate::command;
use crate::services::{Service, Session, Tools, Variables};

/// A tree that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB
    Small,
    /// One object of 1 GiB
    Big,
}

/// Measures, and prints a table for each tree.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let program = build()?;
    let tools = Tools::install()?;
    Service::FakeGcs.install(&tools)?;
    let peers = Peers::install(&tools.cache)?;
    let session = Session::start(&[Service::FakeGcs], &tools)?;
    let directory = arguments.directory()?;
    let emulator = Emulator {
        program,
        python: tools.python.interpreter().clone(),
        mlflow: tools.python.mlflow(),
        peers,
        variables: session.variables().clone(),
        directory: directory.path().to_owned(),
    };
    arguments.measure(&emulator, &directory)
}

struct Emulator {
    program: PathBuf,
    python: PathBuf,
    mlflow: PathBuf,
    peers: Peers,
    variables: Variables,
    directory: PathBuf,
}

impl Server for Emulator {
    type Work = Work;

    const TOOLS: &'static [Tool<Self>] =
        &[("mlfetch", Self::mlfetch), ("rclone", Self::rclone), ("mlflow", Self::mlflow)];

    fn seed(&self, work: Work) -> Result<Vec<String>> {
        let mut python = Command::new(&self.python);
        python.arg(trees::script(&self.directory, include_str!("seed_gcs.py"))?);
        python.args([self.variable("URL"), self.variable("BUCKET"), &name(work)]);
        Ok(command::capture(&mut python)?.lines().map(str::to_owned).collect())
    }

    fn url(&self, work: Work, file: &str) -> String {
        let key = format!("bench/{}/{file}", name(work)).replace('/', "%2F");
        let [url, bucket] = ["URL", "BUCKET"].map(|name| self.variable(name));
        format!("{url}/storage/v1/b/{bucket}/o/{key}?alt=media")
    }

    /// MLflow keeps the tree's own name.
    fn root(&self, tool: &str, work: Work, place: &Path) -> PathBuf {
        if tool == "mlflow" { place.join(name(work)) } else { place.to_owned() }
    }
}

impl Emulator {
    fn variable(&self, name: &str) -> &str {
        self.variables.get(&format!("MLFETCH_TEST_GCS_{name}")).map_or("", String::as_str)
    }

    /// Two levels deep: nearer to the top MLflow loses the first character of every name.
    fn uri(&self, work: Work) -> String {
        format!("gs://{}/bench/{}", self.variable("BUCKET"), name(work))
    }

    fn at_emulator(&self, mut command: Command) -> Command {
        command.env("STORAGE_EMULATOR_HOST", self.variable("URL"));
        command
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = self.at_emulator(Command::new(&self.program));
        command.args(["get", "-q", &format!("{}/", self.uri(work)), "-d"]).arg(place);
        command
    }

    fn rclone(&self, work: Work, place: &Path) -> Command {
        let [url, bucket] = ["URL", "BUCKET"].map(|name| self.variable(name));
        let remote = format!(
            ":gcs,anonymous=true,endpoint='{url}/storage/v1/':{bucket}/bench/{}",
            name(work)
        );
        self.peers.rclone_copy(&remote, place)
    }

    fn mlflow(&self, work: Work, place: &Path) -> Command {
        self.at_emulator(trees::mlflow(&self.mlflow, &self.uri(work), place))
    }
}
