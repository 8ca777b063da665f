//! Real servers with trees in them, and how mlfetch is told to fetch one through a proxy.

mod put;
mod questions;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::tree::Tree;
use crate::command;
use crate::services::{Service, Tools, Variables};

/// Below which all trees lie.
const ROOT: &str = "chaos";

/// Where blobs are put.
const CONTAINER: &str = "mlfetch-chaos";

/// A password that no server looks at.
const TOKEN: &str = "token-that-must-not-leak-5150";

/// Lets everybody write into what the other servers let everybody write into anyway, so that a tree
/// is put there with plain requests.
const OPEN_MINIO: &str = include_str!("open_minio.py");
const OPEN_AZURITE: &str = include_str!("open_azurite.py");

/// A backend of mlfetch's, before one of its real servers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Backend {
    S3,
    Azure,
    Gcs,
    Webhdfs,
    MlflowArtifacts,
    Http,
    HttpJson,
}

impl Backend {
    pub(crate) const ALL: [Self; 7] = [
        Self::S3,
        Self::Azure,
        Self::Gcs,
        Self::Webhdfs,
        Self::MlflowArtifacts,
        Self::Http,
        Self::HttpJson,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "azure",
            Self::Gcs => "gcs",
            Self::Webhdfs => "webhdfs",
            Self::MlflowArtifacts => "mlflow-artifacts",
            Self::Http => "http",
            Self::HttpJson => "http-json",
        }
    }

    /// What stands behind the proxy.
    pub(crate) fn server(self) -> &'static str {
        match self {
            Self::S3 => "MinIO",
            Self::Azure => "Azurite",
            Self::Gcs => "fake-gcs-server",
            Self::Webhdfs => "a NameNode and a DataNode of Hadoop",
            Self::MlflowArtifacts => "MLflow's server, `--via proxy`",
            Self::Http => "nginx with a password and an index in HTML",
            Self::HttpJson => "nginx with an index in JSON",
        }
    }

    pub(crate) fn service(self) -> Service {
        match self {
            Self::S3 => Service::Minio,
            Self::Azure => Service::Azurite,
            Self::Gcs => Service::FakeGcs,
            Self::Webhdfs => Service::Hdfs,
            Self::MlflowArtifacts => Service::MlflowProxied,
            Self::Http | Self::HttpJson => Service::Nginx,
        }
    }

    pub(crate) fn has_checksums(self) -> bool {
        matches!(self, Self::S3 | Self::Azure | Self::Gcs | Self::Webhdfs)
    }

    /// Whether listings come in pages.
    pub(crate) fn has_pages(self) -> bool {
        matches!(self, Self::S3 | Self::Azure | Self::Gcs | Self::Webhdfs)
    }

    /// Whether the listing tells sizes.
    pub(crate) fn lists_sizes(self) -> bool {
        self != Self::Http
    }

    /// Whether an answer may lead to another host. What else is asked there is asked without a
    /// credential.
    pub(crate) fn may_be_led_away(self) -> bool {
        matches!(self, Self::MlflowArtifacts | Self::Http | Self::HttpJson)
    }
}

/// The program, told to fetch something into a directory.
pub(crate) fn get(program: &Path, place: &Path) -> Command {
    let mut command = Command::new(program);
    // Nothing of whoever runs this.
    command.env_clear().env("HOME", place.parent().unwrap_or(place));
    command.args(["get", "--quiet", "--layout", "contents", "--dst-path"]).arg(place);
    command
}

/// A backend's running server.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) backend: Backend,
    pub(crate) address: SocketAddr,
    variables: Variables,
    /// What lets us write.
    grant: String,
}

impl Site {
    /// Makes a running server ready to be written to.
    pub(crate) fn open(backend: Backend, tools: &Tools, variables: &Variables) -> Result<Self> {
        let mut site = Self {
            backend,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            variables: variables.clone(),
            grant: String::new(),
        };
        let rest = site.url().strip_prefix("http://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        let mut addresses = authority.to_socket_addrs().context("the server has no address")?;
        site.address = addresses.next().context("the server has no address")?;
        let script = match backend {
            Backend::S3 => OPEN_MINIO,
            Backend::Azure => OPEN_AZURITE,
            _ => return Ok(site),
        };
        let mut python = Command::new(tools.python.interpreter());
        site.with_keys(&mut python, site.address);
        python.args(["-c", script, site.bucket()]);
        command::capture(&mut python)?.trim().clone_into(&mut site.grant);
        Ok(site)
    }

    /// Puts a tree there.
    pub(crate) fn seed(&self, tree: &Tree) -> Result<()> {
        for (name, bytes) in &tree.files {
            let path = format!("{ROOT}/{}/{name}", tree.name);
            self.put(&path, bytes, put::Age::Old)
                .with_context(|| format!("cannot put `{path}` to {}", self.backend.name()))?;
        }
        Ok(())
    }

    /// Puts other bytes in the place of a file's.
    pub(crate) fn replace(&self, tree: &str, name: &str, bytes: &[u8]) -> Result<()> {
        self.put(&format!("{ROOT}/{tree}/{name}"), bytes, put::Age::New)
    }

    /// How a user would name a tree.
    fn uri(&self, tree: &str, proxy: SocketAddr) -> String {
        let path = format!("{ROOT}/{tree}/");
        match self.backend {
            Backend::S3 => format!("s3://{}/{path}", self.bucket()),
            Backend::Azure => {
                let account = self.variable("AZURITE_ACCOUNT");
                format!("wasbs://{CONTAINER}@{account}.blob.core.windows.net/{path}")
            }
            Backend::Gcs => format!("gs://{}/{path}", self.bucket()),
            Backend::Webhdfs => format!("{}/{path}", self.variable("HDFS_URI")),
            Backend::MlflowArtifacts => format!("mlflow-artifacts:/{path}"),
            Backend::Http | Backend::HttpJson => format!("http://{proxy}/{path}"),
        }
    }

    /// The program, told to fetch a tree through a proxy into a directory.
    pub(crate) fn fetch(
        &self,
        program: &Path,
        proxy: SocketAddr,
        tree: &str,
        place: &Path,
    ) -> Command {
        let mut command = get(program, place);
        self.with_keys(&mut command, proxy);
        match self.backend {
            Backend::Webhdfs => {
                command.args(["--webhdfs-address", &proxy.to_string()]);
                command.args(["--datanode-hosts", "127.0.0.1"]);
            }
            Backend::MlflowArtifacts => {
                command.args(["--tracking-uri", &format!("http://{proxy}"), "--via", "proxy"]);
            }
            _ => {}
        }
        command.arg(self.uri(tree, proxy));
        command
    }

    /// Who is asking, and where.
    fn with_keys(&self, command: &mut Command, server: SocketAddr) {
        match self.backend {
            Backend::S3 => {
                command
                    .env("AWS_ACCESS_KEY_ID", self.variable("MINIO_ACCESS_KEY"))
                    .env("AWS_SECRET_ACCESS_KEY", self.variable("MINIO_SECRET_KEY"))
                    .env("AWS_ENDPOINT_URL", format!("http://{server}"))
                    .env("AWS_REGION", "us-east-1")
                    .env("AWS_DEFAULT_REGION", "us-east-1")
                    .env("AWS_EC2_METADATA_DISABLED", "true");
            }
            Backend::Azure => {
                let [account, key] =
                    ["ACCOUNT", "KEY"].map(|name| self.variable(&format!("AZURITE_{name}")));
                command.env(
                    "AZURE_STORAGE_CONNECTION_STRING",
                    format!(
                        "AccountName={account};AccountKey={key};\
                         BlobEndpoint=http://{server}/{account};"
                    ),
                );
            }
            Backend::Gcs => {
                command.env("STORAGE_EMULATOR_HOST", format!("http://{server}"));
            }
            Backend::Webhdfs => {
                command.env("HADOOP_USER_NAME", self.variable("HDFS_USER"));
            }
            Backend::MlflowArtifacts => {
                command.env("MLFLOW_TRACKING_TOKEN", TOKEN);
            }
            Backend::Http => {
                command
                    .env("MLFETCH_HTTP_USERNAME", self.variable("NGINX_USERNAME"))
                    .env("MLFETCH_HTTP_PASSWORD", self.variable("NGINX_PASSWORD"));
            }
            Backend::HttpJson => {}
        }
    }

    /// What must not be seen in a message, nor at another host.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let secrets = match self.backend {
            Backend::S3 => self.variable("MINIO_SECRET_KEY"),
            Backend::Azure => self.variable("AZURITE_KEY"),
            Backend::MlflowArtifacts => TOKEN,
            Backend::Http => self.variable("NGINX_PASSWORD"),
            Backend::Gcs | Backend::Webhdfs | Backend::HttpJson => "",
        };
        Some(secrets).filter(|secret| !secret.is_empty()).into_iter().collect()
    }

    fn url(&self) -> &str {
        self.variable(match self.backend {
            Backend::S3 => "MINIO_URL",
            Backend::Azure => "AZURITE_URL",
            Backend::Gcs => "GCS_URL",
            Backend::Webhdfs => "HDFS_URL",
            Backend::MlflowArtifacts => "MLFLOW_PROXIED",
            Backend::Http => "NGINX_AUTH_URL",
            Backend::HttpJson => "NGINX_JSON_URL",
        })
    }

    fn bucket(&self) -> &str {
        match self.backend {
            Backend::S3 => self.variable("MINIO_BUCKET"),
            Backend::Gcs => self.variable("GCS_BUCKET"),
            _ => CONTAINER,
        }
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(&format!("MLFETCH_TEST_{name}")).map_or("", String::as_str)
    }
}
