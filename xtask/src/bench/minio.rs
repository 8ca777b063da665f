//! A MinIO with trees in it, and how each tool is told to fetch one.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::curl;
use super::peers::Peers;
use super::testbed::{self, Testbed};
use super::trees::{self, File};
use crate::command;

const BUCKET: &str = "mlfetch-bench";

/// Where it is, with its keys, and the programs that ask it.
#[derive(Clone)]
pub(super) struct Minio {
    program: PathBuf,
    python: PathBuf,
    mlflow: PathBuf,
    peers: Peers,
    directory: PathBuf,
    url: String,
    access_key: String,
    secret_key: String,
    /// The certificate of the authority to trust, if it speaks TLS.
    authority: Option<String>,
}

impl Minio {
    /// The server whose variables have this prefix.
    pub(super) fn of(testbed: &Testbed, prefix: &str) -> Result<Self> {
        let variable = |name: &str| testbed.variables().get(&format!("{prefix}_{name}")).cloned();
        Ok(Self {
            program: testbed.program.clone(),
            python: testbed.tools.python.interpreter(),
            mlflow: testbed.tools.python.mlflow(),
            peers: Peers::install(&testbed.tools.cache)?,
            directory: testbed.directory.path().to_owned(),
            url: variable("URL").unwrap_or_default(),
            access_key: variable("ACCESS_KEY").unwrap_or_default(),
            secret_key: variable("SECRET_KEY").unwrap_or_default(),
            authority: variable("CA"),
        })
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        testbed::address(&self.url)
    }

    pub(super) fn at(&self, address: SocketAddr) -> Self {
        Self { url: testbed::with_address(&self.url, address), ..self.clone() }
    }

    /// Puts a tree there, by AWS's own client.
    pub(super) fn seed(&self, tree: &str, divisor: u64) -> Result<Vec<File>> {
        let mut python = self.with_keys(Command::new(&self.python));
        python.arg(trees::script(&self.directory, include_str!("seed_s3.py"))?);
        python.args([BUCKET, tree, &divisor.to_string()]);
        trees::files(&command::capture(&mut python)?)
    }

    pub(super) fn curl(&self, tree: &str, files: &[File], place: &Path) -> Result<Command> {
        let url = |name: &str| format!("{}/{BUCKET}/{tree}/{name}", self.url);
        let names = files.iter().map(|file| (url(&file.name), file.name.as_str()));
        let mut command = curl::command(&self.directory.join("curl"), place, names)?;
        if let Some(authority) = &self.authority {
            command.args(["--cacert", authority]);
        }
        Ok(command)
    }

    /// The same, with each request signed. The keys are in a file, which processes do not show.
    pub(super) fn curl_signed(&self, tree: &str, files: &[File], place: &Path) -> Result<Command> {
        let keys = self.directory.join("curl-keys");
        let user = format!("{}:{}", self.access_key, self.secret_key);
        let lines = [
            "aws-sigv4 = \"aws:amz:us-east-1:s3\"",
            &format!("user = \"{user}\""),
            "header = \"x-amz-content-sha256: UNSIGNED-PAYLOAD\"",
        ];
        fs::write(&keys, lines.join("\n")).context("cannot write curl's keys")?;
        let mut command = self.curl(tree, files, place)?;
        command.arg("-K").arg(keys);
        Ok(command)
    }

    pub(super) fn mlfetch(&self, tree: &str, place: &Path) -> Command {
        let mut command = self.with_keys(Command::new(&self.program));
        command.args(["get", "-q", &uri(tree), "-d"]).arg(place);
        command
    }

    /// `verb` is `cp`, or `sync` which leaves alone what is there.
    pub(super) fn s5cmd(&self, verb: &str, tree: &str, place: &Path) -> Command {
        let mut command = self.with_keys(self.peers.s5cmd());
        command.args(["--endpoint-url", &self.url, "--log", "error", verb]);
        command.arg(format!("{}*", uri(tree))).arg(format!("{}/", place.display()));
        command
    }

    pub(super) fn rclone(&self, tree: &str, place: &Path) -> Command {
        let mut command = self.with_keys(self.peers.rclone_copy(&self.remote(tree), place));
        if let Some(authority) = &self.authority {
            command.args(["--ca-cert", authority]);
        }
        command
    }

    /// As somebody runs it who has not read its documentation.
    pub(super) fn rclone_as_it_comes(&self, tree: &str, place: &Path) -> Command {
        self.with_keys(self.peers.rclone_copy_as_it_comes(&self.remote(tree), place))
    }

    /// `verb` as for s5cmd.
    pub(super) fn aws(&self, verb: &str, tree: &str, place: &Path) -> Command {
        let mut command = self.with_keys(self.peers.aws());
        command.args(["s3", verb, "--only-show-errors", &uri(tree)]).arg(place);
        if verb == "cp" {
            command.arg("--recursive");
        }
        command
    }

    pub(super) fn mlflow(&self, tree: &str, place: &Path) -> Command {
        let mut command = self.with_keys(trees::mlflow(&self.mlflow, &uri(tree), place));
        command.env("MLFLOW_S3_ENDPOINT_URL", &self.url);
        command
    }

    fn remote(&self, tree: &str) -> String {
        format!(":s3,provider=Minio,env_auth=true,endpoint='{}':{BUCKET}/{tree}", self.url)
    }

    fn with_keys(&self, mut command: Command) -> Command {
        command
            .env("AWS_ACCESS_KEY_ID", &self.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret_key)
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        if let Some(authority) = &self.authority {
            command.env("AWS_CA_BUNDLE", authority);
        }
        command
    }
}

fn uri(tree: &str) -> String {
    format!("s3://{BUCKET}/{tree}/")
}
