//! What a network does to it: far away, and with a limit on each connection. All at their defaults.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};

use super::bucket::{Bucket, Tree};
use super::minio::Minio;
use super::relay::{Pace, Relay};
use super::testbed::Testbed;
use super::trees::{Arguments, File, Server, Tool};
use crate::services::Service;

/// Somewhere on another continent.
const DELAY: Duration = Duration::from_millis(100);

/// What a bucket gives a connection when it gives little.
const BYTES_PER_SECOND: u64 = 20_000_000;

/// The small files of a server that takes next to nothing of the processors for each.
const LIGHT: Tree = Tree { name: "small", count: 10_000, size_bytes: 4096 };

/// What is fetched, through what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB, each answer 100 ms late
    Far,
    /// The same through the same relay, without the wait: what the processors need for it
    Near,
    /// 10,000 files of 4 KiB from a bucket that makes them up, each answer 100 ms late
    FarLight,
    /// One object of 2 GiB, 20 MB/s for each connection
    Narrow,
    /// 270 files, 1 GiB, 20 MB/s for each connection
    Model,
}

impl Work {
    fn tree(self) -> &'static str {
        match self {
            Self::Far | Self::Near | Self::FarLight => "small",
            Self::Narrow => "big",
            Self::Model => "model",
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
    let near = Relay::start(address, Pace::Free)?;
    let bucket = Bucket::start(vec![light(arguments.options.divisor())])?;
    let light = minio.made_up(&bucket);
    let light_address = light.address().context("the bucket did not say where it is")?;
    let far_light = Relay::start(light_address, Pace::Late(DELAY))?;
    let network = Network {
        far: minio.at(far.address()),
        near: minio.at(near.address()),
        narrow: minio.at(narrow.address()),
        far_light: light.at(far_light.address()),
        light,
        minio,
    };
    arguments.measure(&network, testbed.directory.path()).map(drop)
}

struct Network {
    /// Where trees are put, and requests are counted.
    minio: Minio,
    far: Minio,
    near: Minio,
    narrow: Minio,
    /// The bucket that makes its files up, and what is in front of it.
    light: Minio,
    far_light: Minio,
}

impl Server for Network {
    type Work = Work;

    const SERVICES: &'static [Service] = &[Service::Minio];

    const TOOLS: &'static [Tool<Self>] = &[
        Tool::slow("curl", |network, job| {
            network.through(job.work).curl(job.work.tree(), job.files, job.place)
        }),
        Tool::new("mlfetch", |network, job| {
            Ok(network.through(job.work).mlfetch(job.work.tree(), job.place))
        }),
        Tool::new("s5cmd", |network, job| {
            Ok(network.through(job.work).s5cmd("cp", job.work.tree(), job.place))
        }),
        Tool::slow("rclone", |network, job| {
            Ok(network.through(job.work).rclone_as_it_comes(job.work.tree(), job.place))
        }),
    ];

    fn seed(&self, work: Work, divisor: u64) -> Result<Vec<File>> {
        if work == Work::FarLight {
            return Ok(light(divisor).files());
        }
        self.minio.seed(work.tree(), divisor)
    }

    fn address(&self, work: Work) -> Option<SocketAddr> {
        if work == Work::FarLight { self.light.address() } else { self.minio.address() }
    }

    /// Whoever only counts need not wait.
    fn behind(&self, address: SocketAddr) -> Option<Self> {
        let minio = self.minio.at(address);
        let [far, near, narrow] = [(); 3].map(|()| minio.clone());
        let light = self.light.at(address);
        Some(Self { minio, far, near, narrow, far_light: light.clone(), light })
    }
}

impl Network {
    fn through(&self, work: Work) -> &Minio {
        match work {
            Work::Far => &self.far,
            Work::Near => &self.near,
            Work::FarLight => &self.far_light,
            Work::Narrow | Work::Model => &self.narrow,
        }
    }
}

fn light(divisor: u64) -> Tree {
    Tree { count: LIGHT.count / divisor, ..LIGHT }
}
