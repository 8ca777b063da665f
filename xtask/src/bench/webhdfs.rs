//! The same files from the same HDFS, by mlfetch, by Hadoop's own client and by curl. Requests are
//! not counted: half of them go to DataNodes, at addresses which the NameNode gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::testbed::Testbed;
use super::trees::{Arguments, File, Job, Server, Tool, name};
use super::{curl, noise};
use crate::command;
use crate::services::{Service, Variables};

/// Files that are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 2,000 files of 4 KiB from HDFS
    Small,
    /// One file of 1 GiB in 8 blocks from HDFS
    Big,
}

impl Work {
    fn files(self, divisor: u64) -> Vec<File> {
        let (count, size_bytes) = match self {
            Self::Small => (2000 / divisor, 4 << 10),
            Self::Big => (1, (1 << 30) / divisor),
        };
        let name = |number| format!("{number:04}.bin");
        (0..count).map(|number| File { name: name(number), size_bytes }).collect()
    }
}

/// Measures, and shows tables for each work.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let testbed = Testbed::start(&[Service::Hdfs], &arguments.options)?;
    let hdfs = Hdfs {
        program: testbed.program.clone(),
        variables: testbed.variables().clone(),
        directory: testbed.directory.path().to_owned(),
    };
    arguments.measure(&hdfs, testbed.directory.path()).map(drop)
}

struct Hdfs {
    program: PathBuf,
    variables: Variables,
    directory: PathBuf,
}

impl Server for Hdfs {
    type Work = Work;

    const SERVICES: &'static [Service] = &[Service::Hdfs];

    const TOOLS: &'static [Tool<Self>] = &[
        Tool::new("curl", Self::curl),
        Tool::new("mlfetch", |hdfs, job| Ok(hdfs.mlfetch(job.work, job.place))),
        Tool::new("mlfetch without checksums", |hdfs, job| {
            let mut command = hdfs.mlfetch(job.work, job.place);
            command.args(["--hdfs-checksums", "false"]);
            Ok(command)
        }),
        Tool::new("FsShell -get", |hdfs, job| Ok(hdfs.shell_get(job.work, job.place))),
    ];

    /// By Hadoop's own client.
    fn seed(&self, work: Work, divisor: u64) -> Result<Vec<File>> {
        let local = self.directory.join(name(work));
        let files = work.files(divisor);
        noise::write(&files, &local)?;
        let mut put = self.shell();
        command::capture(put.arg("-put").arg(&local).arg(format!("/{}", name(work))))?;
        fs::remove_dir_all(&local).context("cannot remove the files")?;
        Ok(files)
    }
}

impl Hdfs {
    fn variable(&self, name: &str) -> &str {
        self.variables.get(&format!("MLFETCH_TEST_HDFS_{name}")).map_or("", String::as_str)
    }

    fn curl(&self, job: &Job<'_, Work>) -> Result<Command> {
        let (url, user) = (self.variable("URL"), self.variable("USER"));
        let files = job.files.iter().map(|file| {
            let path = format!("{}/{}", name(job.work), file.name);
            let url = format!("{url}/webhdfs/v1/{path}?op=OPEN&user.name={user}");
            (url, file.name.as_str())
        });
        curl::command(&self.directory.join("curl"), job.place, files)
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["get", "-q", &format!("hdfs:///{}/", name(work)), "--layout", "contents"]);
        command.arg("-d").arg(place).env("HADOOP_CONF_DIR", self.variable("CONF"));
        command.env("HADOOP_USER_NAME", self.variable("USER"));
        command
    }

    /// Hadoop's own client. It speaks with DataNodes in its own way, and checks every chunk.
    fn shell(&self) -> Command {
        let mut command = Command::new("java");
        let classpath = format!("{}:{}/*", self.variable("CONF"), self.variable("LIBRARIES"));
        command.args(["-cp", &classpath, "org.apache.hadoop.fs.FsShell"]);
        command.env("HADOOP_USER_NAME", self.variable("USER"));
        command
    }

    fn shell_get(&self, work: Work, place: &Path) -> Command {
        let mut command = self.shell();
        command.args(["-get", "-t", "16", &format!("/{}/*", name(work))]).arg(place);
        command
    }
}
