//! The same trees through the same MLflow server, by mlfetch and by MLflow's own client.

use std::net::SocketAddr;

use anyhow::Result;

use super::noise;
use super::proxied::Proxied;
use super::testbed::Testbed;
use super::trees::{Arguments, File, Job, Server, Tool, name};
use crate::services::Service;

/// A tree that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 1,000 files of 4 KiB through MLflow's proxy
    Small,
    /// One file of 1 GiB through MLflow's proxy
    Big,
}

/// Measures, and shows tables for each tree.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let testbed = Testbed::start(&[Service::MlflowProxied], &arguments.options)?;
    arguments.measure(&Proxy(Proxied::new(&testbed)?), testbed.directory.path()).map(drop)
}

struct Proxy(Proxied);

impl Server for Proxy {
    type Work = Work;

    const SERVICES: &'static [Service] = &[Service::MlflowProxied];

    const TOOLS: &'static [Tool<Self>] = &[
        Tool::new("curl", |proxy, job| proxy.0.curl(&path(job), job.files, job.place)),
        Tool::new("mlfetch", |proxy, job| Ok(proxy.0.mlfetch(&path(job), job.place))),
        Tool::slow("mlflow", |proxy, job| Ok(proxy.0.mlflow(&path(job), job.place))),
    ];

    fn seed(&self, work: Work, divisor: u64) -> Result<Vec<File>> {
        let files = match work {
            Work::Small => noise::files(1000 / divisor, 4 << 10),
            Work::Big => noise::files(1, (1 << 30) / divisor),
        };
        self.0.seed(&name(work), &files)?;
        Ok(files)
    }

    fn address(&self, _work: Work) -> Option<SocketAddr> {
        self.0.address()
    }

    fn behind(&self, address: SocketAddr) -> Option<Self> {
        Some(Self(self.0.at(address)))
    }
}

/// With a `/`, which is the contents to both.
fn path(job: &Job<'_, Work>) -> String {
    format!("{}/", name(job.work))
}
