//! The same trees from the same fake-gcs-server, by mlfetch and by the tools that a user would pick
//! instead. An emulator is a slow server: what counts is the processor time of the client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::curl;
use super::peers::Peers;
use super::testbed::{self, Testbed};
use super::trees::{self, Arguments, File, Job, Server, Tool, name};
use crate::command;
use crate::services::Service;

/// A tree that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB from Google Cloud Storage
    Small,
    /// One object of 1 GiB from Google Cloud Storage
    Big,
}

/// Measures, and shows tables for each tree.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let testbed = Testbed::start(&[Service::FakeGcs], &arguments.options)?;
    let variable = |name: &str| {
        testbed.variables().get(&format!("MLFETCH_TEST_GCS_{name}")).cloned().unwrap_or_default()
    };
    let emulator = Emulator {
        program: testbed.program.clone(),
        python: testbed.tools.python.interpreter(),
        mlflow: testbed.tools.python.mlflow(),
        peers: Peers::install(&testbed.tools.cache)?,
        directory: testbed.directory.path().to_owned(),
        url: variable("URL"),
        bucket: variable("BUCKET"),
    };
    arguments.measure(&emulator, testbed.directory.path()).map(drop)
}

#[derive(Clone)]
struct Emulator {
    program: PathBuf,
    python: PathBuf,
    mlflow: PathBuf,
    peers: Peers,
    directory: PathBuf,
    url: String,
    bucket: String,
}

impl Server for Emulator {
    type Work = Work;

    const SERVICES: &'static [Service] = &[Service::FakeGcs];

    const TOOLS: &'static [Tool<Self>] = &[
        Tool::new("curl", Self::curl),
        Tool::new("mlfetch", |emulator, job| Ok(emulator.mlfetch(job.work, job.place))),
        Tool::new("rclone", |emulator, job| Ok(emulator.rclone(job.work, job.place))),
        Tool::slow("mlflow", |emulator, job| Ok(emulator.mlflow(job.work, job.place))),
    ];

    fn seed(&self, work: Work, divisor: u64) -> Result<Vec<File>> {
        let mut python = Command::new(&self.python);
        python.arg(trees::script(&self.directory, include_str!("seed_gcs.py"))?);
        python.args([&self.url, &self.bucket, &name(work), &divisor.to_string()]);
        trees::files(&command::capture(&mut python)?)
    }

    /// MLflow keeps the tree's own name.
    fn root(&self, tool: &str, work: Work, place: &Path) -> PathBuf {
        if tool == "mlflow" { place.join(name(work)) } else { place.to_owned() }
    }

    fn address(&self, _work: Work) -> Option<SocketAddr> {
        testbed::address(&self.url)
    }

    fn behind(&self, address: SocketAddr) -> Option<Self> {
        Some(Self { url: testbed::with_address(&self.url, address), ..self.clone() })
    }
}

impl Emulator {
    /// Two levels deep: nearer to the top MLflow loses the first character of every name.
    fn uri(&self, work: Work) -> String {
        format!("gs://{}/bench/{}", self.bucket, name(work))
    }

    fn at_emulator(&self, mut command: Command) -> Command {
        command.env("STORAGE_EMULATOR_HOST", &self.url);
        command
    }

    fn curl(&self, job: &Job<'_, Work>) -> Result<Command> {
        let Self { url, bucket, .. } = self;
        let files = job.files.iter().map(|file| {
            let key = format!("bench/{}/{}", name(job.work), file.name).replace('/', "%2F");
            (format!("{url}/storage/v1/b/{bucket}/o/{key}?alt=media"), file.name.as_str())
        });
        curl::command(&self.directory.join("curl"), job.place, files)
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = self.at_emulator(Command::new(&self.program));
        command.args(["get", "-q", &format!("{}/", self.uri(work)), "-d"]).arg(place);
        command
    }

    fn rclone(&self, work: Work, place: &Path) -> Command {
        let Self { url, bucket, .. } = self;
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
