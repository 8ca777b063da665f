//! A MinIO with trees in it, and how each tool is told to fetch one.

use std::fs;
use std::iter;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::bucket::{self, Bucket};
use super::curl;
use super::peers::Peers;
use super::testbed::{self, Testbed};
use super::trees::{self, File};
use crate::command;

const BUCKET: &str = "mlfetch-bench";

/// As many as S3 lists in a page.
const PAGE_KEYS: usize = 1000;

/// Where it is, with its keys, and the programs that ask it.
#[derive(Clone)]
pub(super) struct Minio {
    program: PathBuf,
    python: PathBuf,
    mlflow: PathBuf,
    peers: Peers,
    directory: PathBuf,
    bucket: &'static str,
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
            bucket: BUCKET,
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

    /// A bucket that makes its objects up, asked by the same programs with the same keys.
    pub(super) fn made_up(&self, bucket: &Bucket) -> Self {
        Self { bucket: bucket::NAME, url: bucket.url(), ..self.clone() }
    }

    /// Puts a tree there, by AWS's own client.
    pub(super) fn seed(&self, tree: &str, divisor: u64) -> Result<Vec<File>> {
        let mut python = self.with_keys(Command::new(&self.python));
        python.arg(trees::script(&self.directory, include_str!("seed_s3.py"))?);
        python.args([self.bucket, tree, &divisor.to_string()]);
        trees::files(&command::capture(&mut python)?)
    }

    pub(super) fn curl(&self, tree: &str, files: &[File], place: &Path) -> Result<Command> {
        self.curl_of(self.objects(tree, files), place)
    }

    /// Each object by its URL, with the file that it goes to.
    fn objects<'a>(
        &self,
        tree: &str,
        files: &'a [File],
    ) -> impl Iterator<Item = (String, &'a str)> {
        let root = format!("{}/{}/{tree}", self.url, self.bucket);
        files.iter().map(move |file| (format!("{root}/{}", file.name), file.name.as_str()))
    }

    fn curl_of<'a>(
        &self,
        names: impl Iterator<Item = (String, &'a str)>,
        place: &Path,
    ) -> Result<Command> {
        let mut command = curl::command(&self.directory.join("curl"), place, names)?;
        if let Some(authority) = &self.authority {
            command.args(["--cacert", authority]);
        }
        Ok(command)
    }

    /// The same, with each request signed. The keys are in a file, which processes do not show.
    pub(super) fn curl_signed(&self, tree: &str, files: &[File], place: &Path) -> Result<Command> {
        self.signed(self.curl(tree, files, place)?)
    }

    /// The same, with the pages of the listing that somebody asks for who does not know the names.
    /// Here their beginnings are known, so that no page waits for the one before.
    pub(super) fn curl_listing(&self, tree: &str, files: &[File], place: &Path) -> Result<Command> {
        let list = format!("{}/{}?list-type=2&max-keys={PAGE_KEYS}", self.url, self.bucket);
        let mut names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        names.sort_unstable();
        let befores = names.iter().skip(PAGE_KEYS - 1).step_by(PAGE_KEYS);
        let start = |before: &&str| format!("&start-after={tree}%2F{}", before.replace('/', "%2F"));
        let pages = iter::once(String::new()).chain(befores.map(start));
        let pages = pages.map(|start| (format!("{list}&prefix={tree}%2F{start}"), "/dev/null"));
        self.signed(self.curl_of(pages.chain(self.objects(tree, files)), place)?)
    }

    fn signed(&self, mut command: Command) -> Result<Command> {
        let keys = self.directory.join("curl-keys");
        let user = format!("{}:{}", self.access_key, self.secret_key);
        let lines = [
            "aws-sigv4 = \"aws:amz:us-east-1:s3\"",
            &format!("user = \"{user}\""),
            "header = \"x-amz-content-sha256: UNSIGNED-PAYLOAD\"",
        ];
        fs::write(&keys, lines.join("\n")).context("cannot write curl's keys")?;
        command.arg("-K").arg(keys);
        Ok(command)
    }

    pub(super) fn mlfetch(&self, tree: &str, place: &Path) -> Command {
        let mut command = self.with_keys(Command::new(&self.program));
        command.args(["get", "-q", &self.uri(tree), "-d"]).arg(place);
        command
    }

    /// `verb` is `cp`, or `sync` which leaves alone what is there.
    pub(super) fn s5cmd(&self, verb: &str, tree: &str, place: &Path) -> Command {
        let mut command = self.with_keys(self.peers.s5cmd());
        command.args(["--endpoint-url", &self.url, "--log", "error", verb]);
        command.arg(format!("{}*", self.uri(tree))).arg(format!("{}/", place.display()));
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
        command.args(["s3", verb, "--only-show-errors", &self.uri(tree)]).arg(place);
        if verb == "cp" {
            command.arg("--recursive");
        }
        command
    }

    pub(super) fn mlflow(&self, tree: &str, place: &Path) -> Command {
        let mut command = self.with_keys(trees::mlflow(&self.mlflow, &self.uri(tree), place));
        command.env("MLFLOW_S3_ENDPOINT_URL", &self.url);
        command
    }

    fn remote(&self, tree: &str) -> String {
        let (url, bucket) = (&self.url, self.bucket);
        format!(":s3,provider=Minio,env_auth=true,endpoint='{url}':{bucket}/{tree}")
    }

    fn uri(&self, tree: &str) -> String {
        format!("s3://{}/{tree}/", self.bucket)
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
