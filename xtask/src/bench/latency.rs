//! What a network does to it: far away, and with a limit on each connection. All at their defaults.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};

use super::minio::Minio;
use super::relay::{Pace, Relay};
use super::testbed::Testbed;
use super::trees::{Arguments, File, Server, Tool};
use crate::services::Service;

/// Somewhere on another continent.
const DELAY: Duration = Duration::from_millis(100);

/// What a bucket gives a connection when it gives little.
const BYTES_PER_SECOND: u64 = 20_000_000;

/// What is fetched, through what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB, each answer 100 ms late
    Far,
    /// One object of 2 GiB, 20 MB/s for each connection
    Narrow,
}

impl Work {
    fn tree(self) -> &'static str {
        match self {
            Self::Far => "small",
            Self::Narrow => "big",
        }
    }
}

/// Measures, and shows tables for each.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let testbed = Testbed::start(&[Service::Minio], &arguments.options)?;
    let minio = Minio::of(&testbed, "MLFETCH_TEST_MINIO")?;
    let address = minio.address().context("MinIO did not say where it is")?;
    let far = Relay::start(address, Pace::Late(DELAY))?;
    let narrow = Relay::start(address, Pace::Narrow(BYTES_PER_SECOND))?;
    let network =
        Network { far: minio.at(far.address()), narrow: minio.at(narrow.address()), near: minio };
    arguments.measure(&network, testbed.directory.path()).map(drop)
}

struct Network {
    /// Where trees are put, and requests are counted.
    near: Minio,
    far: Minio,
    narrow: Minio,
}

impl Server for Network {
    type Work = Work;

    const SERVICES: &'static [Service] = &[Service::Minio];

    const TOOLS: &'static [Tool<Self>] = &[
        Tool::slow("curl", |network, job| {
            network.minio(job.work).curl(job.work.tree(), job.files, job.place)
        }),
        Tool::new("mlfetch", |network, job| {
            Ok(network.minio(job.work).mlfetch(job.work.tree(), job.place))
        }),
        Tool::new("s5cmd", |network, job| {
            Ok(network.minio(job.work).s5cmd("cp", job.work.tree(), job.place))
        }),
        Tool::slow("rclone", |network, job| {
            Ok(network.minio(job.work).rclone_as_it_comes(job.work.tree(), job.place))
        }),
    ];

    fn seed(&self, work: Work, divisor: u64) -> Result<Vec<File>> {
        self.near.seed(work.tree(), divisor)
    }

    fn address(&self) -> Option<SocketAddr> {
        self.near.address()
    }

    /// Whoever only counts need not wait.
    fn behind(&self, address: SocketAddr) -> Option<Self> {
        let minio = self.near.at(address);
        Some(Self { near: minio.clone(), far: minio.clone(), narrow: minio })
    }
}

impl Network {
    fn minio(&self, work: Work) -> &Minio {
        match work {
            Work::Far => &self.far,
            Work::Narrow => &self.narrow,
        }
    }
}
