//! The same trees from the same MinIO, by mlfetch and by the tools that a user would pick instead.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::build;
use super::peers::Peers;
use super::trees::{self, Arguments, Server, Tool, name};
use crate::command;
use crate::services::{Service, Session, Tools, Variables};

const BUCKET: &str = "mlfetch-bench";

/// A tree that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB
    Small,
    /// 270 files, 1 GiB
    Model,
    /// One object of 2 GiB
    Big,
}

/// Measures, and prints a table for each tree.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let program = build()?;
    let tools = Tools::install()?;
    Service::Minio.install(&tools)?;
    let peers = Peers::install(&tools.cache)?;
    let session = Session::start(&[Service::Minio], &tools)?;
    let directory = arguments.directory()?;
    let minio = Minio {
        program,
        python: tools.python.interpreter().clone(),
        mlflow: tools.python.mlflow(),
        peers,
        variables: session.variables().clone(),
        directory: directory.path().to_owned(),
    };
    arguments.measure(&minio, &directory)
}

struct Minio {
    program: PathBuf,
    python: PathBuf,
    mlflow: PathBuf,
    peers: Peers,
    variables: Variables,
    directory: PathBuf,
}

impl Server for Minio {
    type Work = Work;

    const TOOLS: &'static [Tool<Self>] = &[
        ("mlfetch", Self::mlfetch),
        ("s5cmd", Self::s5cmd),
        ("rclone", Self::rclone),
        ("aws", Self::aws),
        ("mlflow", Self::mlflow),
    ];

    fn seed(&self, work: Work) -> Result<Vec<String>> {
        let mut python = self.with_keys(Command::new(&self.python));
        python.arg(trees::script(&self.directory, include_str!("seed_s3.py"))?);
        python.args([BUCKET, &name(work)]);
        Ok(command::capture(&mut python)?.lines().map(str::to_owned).collect())
    }

    fn url(&self, work: Work, file: &str) -> String {
        format!("{}/{BUCKET}/{}/{file}", self.variable("URL"), name(work))
    }
}

impl Minio {
    fn variable(&self, name: &str) -> &str {
        self.variables.get(&format!("MLFETCH_TEST_MINIO_{name}")).map_or("", String::as_str)
    }

    fn with_keys(&self, mut command: Command) -> Command {
        command
            .env("AWS_ACCESS_KEY_ID", self.variable("ACCESS_KEY"))
            .env("AWS_SECRET_ACCESS_KEY", self.variable("SECRET_KEY"))
            .env("AWS_ENDPOINT_URL", self.variable("URL"))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(Command::new(&self.program));
        command.args(["get", "-q", &uri(work), "-d"]).arg(place);
        command
    }

    fn s5cmd(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(self.peers.s5cmd());
        command.args(["--endpoint-url", self.variable("URL"), "--log", "error", "cp"]);
        command.arg(format!("{}*", uri(work))).arg(format!("{}/", place.display()));
        command
    }

    fn rclone(&self, work: Work, place: &Path) -> Command {
        let url = self.variable("URL");
        let remote =
            format!(":s3,provider=Minio,env_auth=true,endpoint='{url}':{BUCKET}/{}", name(work));
        self.with_keys(self.peers.rclone_copy(&remote, place))
    }

    fn aws(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(self.peers.aws());
        command.args(["s3", "cp", "--recursive", "--only-show-errors", &uri(work)]).arg(place);
        command
    }

    fn mlflow(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(trees::mlflow(&self.mlflow, &uri(work), place));
        command.env("MLFLOW_S3_ENDPOINT_URL", self.variable("URL"));
        command
    }
}

fn uri(work: Work) -> String {
    format!("s3://{BUCKET}/{}/", name(work))
}
