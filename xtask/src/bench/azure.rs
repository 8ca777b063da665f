//! The same trees from the same Azurite, by mlfetch and by the tools that a user would pick instead.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::build;
use super::peers::{Azcopy, Peers};
use super::trees::{self, Arguments, Server, Tool, name};
use crate::command;
use crate::services::{Service, Session, Tools, Variables};

const CONTAINER: &str = "mlfetch-bench";

/// A tree that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB
    Small,
    /// One blob of 1 GiB
    Big,
}

/// Measures, and prints a table for each tree.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let program = build()?;
    let tools = Tools::install()?;
    Service::Azurite.install(&tools)?;
    let peers = Peers::install(&tools.cache)?;
    let azcopy = Peers::azcopy(&tools.cache)?;
    let session = Session::start(&[Service::Azurite], &tools)?;
    let directory = arguments.directory()?;
    let azurite = Azurite {
        program,
        python: tools.python.interpreter().clone(),
        mlflow: tools.python.mlflow(),
        peers,
        azcopy,
        variables: session.variables().clone(),
        directory: directory.path().to_owned(),
    };
    arguments.measure(&azurite, &directory)
}

struct Azurite {
    program: PathBuf,
    python: PathBuf,
    mlflow: PathBuf,
    peers: Peers,
    azcopy: Azcopy,
    variables: Variables,
    directory: PathBuf,
}

impl Server for Azurite {
    type Work = Work;

    const TOOLS: &'static [Tool<Self>] = &[
        ("mlfetch", Self::mlfetch),
        ("rclone", Self::rclone),
        ("azcopy", Self::azcopy),
        ("mlflow", Self::mlflow),
    ];

    fn seed(&self, work: Work) -> Result<Vec<String>> {
        let mut python = self.with_keys(Command::new(&self.python));
        python.arg(trees::script(&self.directory, include_str!("seed_azure.py"))?);
        python.args([CONTAINER, &name(work)]);
        Ok(command::capture(&mut python)?.lines().map(str::to_owned).collect())
    }

    fn url(&self, work: Work, file: &str) -> String {
        format!("{}/{CONTAINER}/{}/{file}", self.variable("URL"), name(work))
    }
}

impl Azurite {
    fn variable(&self, name: &str) -> &str {
        self.variables.get(&format!("MLFETCH_TEST_AZURITE_{name}")).map_or("", String::as_str)
    }

    fn with_keys(&self, mut command: Command) -> Command {
        let [account, key, url] = ["ACCOUNT", "KEY", "URL"].map(|name| self.variable(name));
        command.env(
            "AZURE_STORAGE_CONNECTION_STRING",
            format!("AccountName={account};AccountKey={key};BlobEndpoint={url};"),
        );
        command
    }

    fn uri(&self, work: Work) -> String {
        let account = self.variable("ACCOUNT");
        format!("wasbs://{CONTAINER}@{account}.blob.core.windows.net/{}/", name(work))
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(Command::new(&self.program));
        command.args(["get", "-q", &self.uri(work), "-d"]).arg(place);
        command
    }

    fn rclone(&self, work: Work, place: &Path) -> Command {
        let [account, key, url] = ["ACCOUNT", "KEY", "URL"].map(|name| self.variable(name));
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
