//! How long a user waits for one small file, beside MLflow's own client.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::Result;

use super::proxied::Proxied;
use super::rounds::{self, Contestant};
use super::tables;
use super::testbed::Testbed;
use super::trees::{Arguments, File, Server, Tool};
use crate::services::Service;

/// What is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// One file of 37 bytes, from the start of the program to its end
    File,
}

/// Measures, and shows the tables.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let testbed = Testbed::start(&[Service::MlflowProxied], &arguments.options)?;
    let start = Start(Proxied::new(&testbed)?);
    let mut page = arguments.measure(&start, testbed.directory.path())?;
    let help = Contestant {
        name: "mlfetch --help",
        is_slow: false,
        requests: None,
        prepare: Box::new(|| {
            let mut command = Command::new(&testbed.program);
            command.arg("--help");
            Ok(command)
        }),
        check: Box::new(|| Ok(())),
    };
    help.run(&arguments.options)?;
    let rows = rounds::alternate(&[help], &arguments.options)?;
    page.section("The help", &tables::figures(&rows))
}

struct Start(Proxied);

const NAME: &str = "f";

impl Server for Start {
    type Work = Work;

    const SERVICES: &'static [Service] = &[Service::MlflowProxied];

    const TOOLS: &'static [Tool<Self>] = &[
        Tool::new("curl", |start, job| start.0.curl("", job.files, job.place)),
        Tool::new("mlfetch", |start, job| Ok(start.0.mlfetch(NAME, job.place))),
        Tool::new("mlflow", |start, job| Ok(start.0.mlflow(NAME, job.place))),
    ];

    fn seed(&self, _work: Work, _divisor: u64) -> Result<Vec<File>> {
        let files = vec![File { name: NAME.to_owned(), size_bytes: 37 }];
        self.0.seed("", &files)?;
        Ok(files)
    }

    fn address(&self, _work: Work) -> Option<SocketAddr> {
        self.0.address()
    }

    fn behind(&self, address: SocketAddr) -> Option<Self> {
        Some(Self(self.0.at(address)))
    }
}
