//! The same trees on a disk, by mlfetch, by `cp`, and by MLflow's own client.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::noise;
use super::testbed::Testbed;
use super::trees::{self, Arguments, File, Server, Tool, name};
use crate::services::Service;

/// A tree that is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB from a directory
    Small,
    /// One file of 2 GiB from a directory
    Big,
}

/// Measures, and shows tables for each tree.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let testbed = Testbed::start(&[], &arguments.options)?;
    let local = Local {
        program: testbed.program.clone(),
        mlflow: testbed.tools.python.mlflow(),
        directory: testbed.directory.path().to_owned(),
    };
    arguments.measure(&local, testbed.directory.path()).map(drop)
}

struct Local {
    program: PathBuf,
    mlflow: PathBuf,
    directory: PathBuf,
}

impl Server for Local {
    type Work = Work;

    const SERVICES: &'static [Service] = &[];

    const TOOLS: &'static [Tool<Self>] = &[
        Tool::new("cp -r", |local, job| {
            let mut command = Command::new("cp");
            command.arg("-r").arg(local.source(job.work).join(".")).arg(job.place);
            Ok(command)
        }),
        Tool::new("mlfetch", |local, job| {
            let mut command = Command::new(&local.program);
            command.args(["get", "-q", &local.uri(job.work), "-d"]).arg(job.place);
            Ok(command)
        }),
        Tool::new("mlflow", |local, job| {
            Ok(trees::mlflow(&local.mlflow, &local.uri(job.work), job.place))
        }),
    ];

    fn seed(&self, work: Work, divisor: u64) -> Result<Vec<File>> {
        let files = match work {
            Work::Small => noise::files(10_000 / divisor, 4 << 10),
            Work::Big => noise::files(1, (2 << 30) / divisor),
        };
        noise::write(&files, &self.source(work))?;
        Ok(files)
    }
}

impl Local {
    /// Beside where it is copied to: on the same disk, or in memory as well.
    fn source(&self, work: Work) -> PathBuf {
        self.directory.join("from").join(name(work))
    }

    fn uri(&self, work: Work) -> String {
        format!("file://{}/", self.source(work).display())
    }
}
