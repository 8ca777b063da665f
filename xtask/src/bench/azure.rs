//! The same trees from the same Azurite, by mlfetch and by the tools that a user would pick instead.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::curl;
use super::peers::{Azcopy, Peers};
use super::testbed::{self, Testbed};
use super::trees::{self, Arguments, File, Job, Server, Tool, name};
use crate::command;
use crate::services::Service;

const CONTAINER: &str = "mlfetch-bench";

/// A tree that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB from Azurite
    Small,
    /// One blob of 1 GiB from Azurite
    Big,
}

/// Measures, and shows tables for each tree.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let testbed = Testbed::start(&[Service::Azurite], &arguments.options)?;
    let variable = |name: &str| {
        testbed
            .variables()
            .get(&format!("MLFETCH_TEST_AZURITE_{name}"))
            .cloned()
            .unwrap_or_default()
    };
    let azurite = Azurite {
        program: testbed.program.clone(),
        python: testbed.tools.python.interpreter(),
        mlflow: testbed.tools.python.mlflow(),
        peers: Peers::install(&testbed.tools.cache)?,
        azcopy: Peers::azcopy(&testbed.tools.cache)?,
        directory: testbed.directory.path().to_owned(),
        url: variable("URL"),
        account: variable("ACCOUNT"),
        key: variable("KEY"),
    };
    arguments.measure(&azurite, testbed.directory.path()).map(drop)
}

#[derive(Clone)]
struct Azurite {
    program: PathBuf,
    python: PathBuf,
    mlflow: PathBuf,
    peers: Peers,
    azcopy: Azcopy,
    directory: PathBuf,
    url: String,
    account: String,
    key: String,
}

impl Server for Azurite {
    type Work = Work;

    const SERVICES: &'static [Service] = &[Service::Azurite];

    const TOOLS: &'static [Tool<Self>] = &[
        Tool::new("curl", Self::curl),
        Tool::new("mlfetch", |azurite, job| Ok(azurite.mlfetch(job.work, job.place))),
        Tool::new("rclone", |azurite, job| Ok(azurite.rclone(job.work, job.place))),
        Tool::slow("azcopy", |azurite, job| Ok(azurite.azcopy(job.work, job.place))),
        Tool::slow("mlflow", |azurite, job| Ok(azurite.mlflow(job.work, job.place))),
    ];

    fn seed(&self, work: Work, divisor: u64) -> Result<Vec<File>> {
        let mut python = self.with_keys(Command::new(&self.python));
        python.arg(trees::script(&self.directory, include_str!("seed_azure.py"))?);
        python.args([CONTAINER, &name(work), &divisor.to_string()]);
        trees::files(&command::capture(&mut python)?)
    }

    fn address(&self, _work: Work) -> Option<SocketAddr> {
        testbed::address(&self.url)
    }

    fn behind(&self, address: SocketAddr) -> Option<Self> {
        Some(Self { url: testbed::with_address(&self.url, address), ..self.clone() })
    }
}

impl Azurite {
    fn with_keys(&self, mut command: Command) -> Command {
        let Self { account, key, url, .. } = self;
        command.env(
            "AZURE_STORAGE_CONNECTION_STRING",
            format!("AccountName={account};AccountKey={key};BlobEndpoint={url};"),
        );
        command
    }

    fn uri(&self, work: Work) -> String {
        format!("wasbs://{CONTAINER}@{}.blob.core.windows.net/{}/", self.account, name(work))
    }

    fn url(&self, work: Work, file: &str) -> String {
        format!("{}/{CONTAINER}/{}/{file}", self.url, name(work))
    }

    fn curl(&self, job: &Job<'_, Work>) -> Result<Command> {
        let url = |name: &str| self.url(job.work, name);
        let files = job.files.iter().map(|file| (url(&file.name), file.name.as_str()));
        curl::command(&self.directory.join("curl"), job.place, files)
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(Command::new(&self.program));
        command.args(["get", "-q", &self.uri(work), "-d"]).arg(place);
        command
    }

    fn rclone(&self, work: Work, place: &Path) -> Command {
        let Self { account, key, url, .. } = self;
        let remote = format!(
            ":azureblob,account={account},key='{key}',endpoint='{url}':{CONTAINER}/{}",
            name(work)
        );
        self.peers.rclone_copy(&remote, place)
    }

    /// It takes no key: everybody may read the container.
    fn azcopy(&self, work: Work, place: &Path) -> Command {
        let mut command = self.azcopy.command();
        command.args(["copy", &self.url(work, "*")]).arg(place);
        command.args(["--recursive", "--from-to=BlobLocal"]);
        command.args(["--output-level=quiet", "--log-level=NONE", "--skip-version-check"]);
        // Where it keeps its plans.
        command.env("HOME", &self.directory).env("AZCOPY_CONCURRENCY_VALUE", "32");
        command
    }

    fn mlflow(&self, work: Work, place: &Path) -> Command {
        self.with_keys(trees::mlflow(&self.mlflow, &self.uri(work), place))
    }
}
