//! The servers by name.

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::launch::Launch;
use super::state::Variables;
use super::{
    Tools, azurite, fake_gcs, hdfs, httpfs, kerberos, minio, mlflow, mysql, nginx, postgres,
    toxiproxy,
};

/// A server that the tests use.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    Minio,
    MinioTls,
    FakeGcs,
    MlflowProxied,
    MlflowDirect,
    MlflowAuth,
    MlflowS3,
    MlflowGcs,
    MlflowAzure,
    Nginx,
    Postgres,
    Mysql,
    Toxiproxy,
    Hdfs,
    HdfsTls,
    HdfsKerberos,
    Httpfs,
    Azurite,
    AzuriteTls,
}

impl Service {
    pub(crate) const ALL: [Self; 19] = [
        Self::Minio,
        Self::MinioTls,
        Self::FakeGcs,
        Self::MlflowProxied,
        Self::MlflowDirect,
        Self::MlflowAuth,
        Self::MlflowS3,
        Self::MlflowGcs,
        Self::MlflowAzure,
        Self::Nginx,
        Self::Postgres,
        Self::Mysql,
        Self::Toxiproxy,
        Self::Hdfs,
        Self::HdfsTls,
        Self::HdfsKerberos,
        Self::Httpfs,
        Self::Azurite,
        Self::AzuriteTls,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minio => "minio",
            Self::MinioTls => "minio-tls",
            Self::FakeGcs => "fake-gcs",
            Self::MlflowProxied => "mlflow-proxied",
            Self::MlflowDirect => "mlflow-direct",
            Self::MlflowAuth => "mlflow-auth",
            Self::MlflowS3 => "mlflow-s3",
            Self::MlflowGcs => "mlflow-gcs",
            Self::MlflowAzure => "mlflow-azure",
            Self::Nginx => "nginx",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Toxiproxy => "toxiproxy",
            Self::Hdfs => "hdfs",
            Self::HdfsTls => "hdfs-tls",
            Self::HdfsKerberos => "hdfs-kerberos",
            Self::Httpfs => "httpfs",
            Self::Azurite => "azurite",
            Self::AzuriteTls => "azurite-tls",
        }
    }

    /// The servers meant by some names: all without a name, all of MLflow by `mlflow`, and
    /// each with the one that it needs.
    pub(crate) fn select(names: &[String]) -> Result<Vec<Self>> {
        for name in names.iter().filter(|name| *name != "mlflow") {
            if !Self::ALL.iter().any(|service| service.name() == name.as_str()) {
                let known: Vec<&str> = Self::ALL.iter().map(|service| service.name()).collect();
                bail!(
                    "no server is called `{name}`; there are mlflow (all of its), {}",
                    known.join(", ")
                );
            }
        }
        let is_meant = |service: Self| {
            names.iter().any(|name| {
                name == service.name()
                    || (name == "mlflow" && service.name().starts_with("mlflow-"))
            })
        };
        let wanted = |service: Self| names.is_empty() || is_meant(service);
        let needed = |service: Self| {
            Self::ALL.into_iter().any(|other| other.needs() == Some(service) && wanted(other))
        };
        Ok(Self::ALL.into_iter().filter(|service| wanted(*service) || needed(*service)).collect())
    }

    /// The server that this one is told of when it starts.
    pub(crate) fn needs(self) -> Option<Self> {
        match self {
            Self::MlflowS3 => Some(Self::Minio),
            Self::MlflowGcs => Some(Self::FakeGcs),
            Self::MlflowAzure => Some(Self::Azurite),
            Self::Httpfs => Some(Self::Hdfs),
            _ => None,
        }
    }

    /// Gets the server's programs into the cache.
    pub(crate) fn install(self, tools: &Tools) -> Result<()> {
        match self {
            Self::Minio | Self::MinioTls => minio::PROGRAM.install(&tools.cache).map(drop),
            Self::FakeGcs => fake_gcs::install(&tools.cache).map(drop),
            Self::Nginx => nginx::install(&tools.cache).map(drop),
            Self::Postgres => postgres::install(&tools.cache).map(drop),
            Self::Mysql => mysql::install(&tools.cache).map(drop),
            Self::Toxiproxy => toxiproxy::PROGRAM.install(&tools.cache).map(drop),
            Self::Hdfs | Self::HdfsTls | Self::Httpfs => {
                hdfs::LIBRARIES.install(&tools.cache).map(drop)
            }
            Self::HdfsKerberos => kerberos::install(&tools.cache).map(drop),
            Self::Azurite | Self::AzuriteTls => azurite::PROGRAM.install(&tools.cache).map(drop),
            // The Python environment is part of the tools: the tests need it without a server too.
            Self::MlflowProxied
            | Self::MlflowDirect
            | Self::MlflowAuth
            | Self::MlflowS3
            | Self::MlflowGcs
            | Self::MlflowAzure => Ok(()),
        }
    }

    /// Writes the server's configuration into its directory and says how to start it.
    ///
    /// `others` are the variables of the servers that run already.
    pub(crate) fn prepare(
        self,
        tools: &Tools,
        directory: &Path,
        others: &Variables,
    ) -> Result<Launch> {
        match self {
            Self::Minio => minio::plain(tools, directory),
            Self::MinioTls => minio::tls(tools, directory),
            Self::FakeGcs => fake_gcs::prepare(tools, directory),
            Self::MlflowProxied => mlflow::proxied(tools, directory),
            Self::MlflowDirect => mlflow::direct(tools, directory),
            Self::MlflowAuth => mlflow::auth(tools, directory),
            Self::MlflowS3 => mlflow::s3(tools, directory, others),
            Self::MlflowGcs => mlflow::gcs(tools, directory, others),
            Self::MlflowAzure => mlflow::azure(tools, directory, others),
            Self::Nginx => nginx::prepare(tools, directory),
            Self::Postgres => postgres::prepare(tools, directory),
            Self::Mysql => mysql::prepare(tools, directory),
            Self::Toxiproxy => toxiproxy::prepare(tools, directory),
            Self::Hdfs => hdfs::prepare(tools, directory),
            Self::HdfsTls => hdfs::tls(tools, directory),
            Self::HdfsKerberos => kerberos::prepare(tools, directory),
            Self::Httpfs => httpfs::prepare(tools, directory, others),
            Self::Azurite => azurite::plain(tools, directory),
            Self::AzuriteTls => azurite::tls(tools, directory),
        }
    }

    /// What it is, with its version, where that is pinned here.
    pub(crate) fn version(self) -> Option<&'static str> {
        match self {
            Self::Minio | Self::MinioTls => Some(minio::PROGRAM.name),
            Self::FakeGcs => Some(fake_gcs::VERSION),
            Self::Hdfs | Self::HdfsKerberos => Some(hdfs::LIBRARIES.name),
            Self::Azurite | Self::AzuriteTls => Some(azurite::PROGRAM.name),
            Self::Toxiproxy => Some(toxiproxy::PROGRAM.name),
            // MLflow is a client too and says its version itself; the others are the machine's.
            _ => None,
        }
    }

    /// Whether tests use it, and not only measurements.
    pub(crate) fn is_for_tests(self) -> bool {
        self != Self::MinioTls
    }

    /// What makes the server end at once.
    pub(crate) fn stop_signal(self) -> Signal {
        match self {
            // PostgreSQL takes SIGTERM as leave to wait for its clients.
            Self::Postgres => Signal::SIGINT,
            _ => Signal::SIGTERM,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(names: &[&str]) -> Result<Vec<Service>> {
        Service::select(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn no_name_means_all() {
        assert_eq!(select(&[]).expect("no name is fine"), Service::ALL);
    }

    #[test]
    fn a_server_brings_the_one_it_needs() {
        let selected = select(&["mlflow-s3"]).expect("the name is known");
        assert_eq!(selected, [Service::Minio, Service::MlflowS3]);
        let selected = select(&["mlflow-gcs"]).expect("the name is known");
        assert_eq!(selected, [Service::FakeGcs, Service::MlflowGcs]);
        let selected = select(&["httpfs"]).expect("the name is known");
        assert_eq!(selected, [Service::Hdfs, Service::Httpfs]);
    }

    #[test]
    fn an_unknown_name_lists_the_known() {
        let error = select(&["mlfow"]).expect_err("the name is wrong").to_string();
        assert!(error.contains("`mlfow`") && error.contains("mlflow-direct"), "{error}");
    }
}
