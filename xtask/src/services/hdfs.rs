//! HDFS with its HTTP side: a real NameNode and DataNode from Hadoop's own libraries.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::health::Health;
use super::launch::{self, Launch};
use super::maven::MavenLibraries;
use super::{Tools, Variables, ports};

pub(crate) const LIBRARIES: MavenLibraries = MavenLibraries {
    name: "hadoop-3.4.2",
    artifacts: &[
        "org.apache.hadoop:hadoop-common:3.4.2",
        "org.apache.hadoop:hadoop-hdfs:3.4.2",
        "org.apache.hadoop:hadoop-hdfs-client:3.4.2",
    ],
};

/// Writes the configuration, starts the servers, and looks after them.
const SCRIPT: &str = include_str!("hdfs.py");

/// Who may do everything.
const SUPERUSER: &str = "keeper";

pub(crate) fn prepare(tools: &Tools, directory: &Path) -> Result<Launch> {
    let [http, rpc] = ports::free()?;
    let script = script(directory)?;
    let libraries = LIBRARIES.install(&tools.cache)?;
    let cluster = launch::subdirectory(directory, "cluster")?;
    let mut command = launch::clean(Command::new(tools.python.interpreter()), directory);
    command.arg(&script).arg(&cluster).arg(&libraries).arg("--ports").arg(format!("{http},{rpc}"));
    // Hadoop takes whoever starts it for its superuser, and this name for whoever that is.
    command.env("HADOOP_USER_NAME", SUPERUSER);
    let url = format!("http://127.0.0.1:{http}");
    let mut variables = own_clusters(&script, &libraries);
    variables.extend(launch::variables([
        ("MLFETCH_TEST_HDFS_URL", url.clone()),
        ("MLFETCH_TEST_HDFS_URI", format!("hdfs://127.0.0.1:{rpc}")),
        ("MLFETCH_TEST_HDFS_USER", SUPERUSER.to_owned()),
        ("MLFETCH_TEST_HDFS_CONF", cluster.join("conf").display().to_string()),
    ]));
    let health = Health::Postmaster { file: cluster.join("state") };
    Ok(Launch { command, health, url, variables })
}

/// What tests need that start a cluster of their own, to stop a part of it.
fn own_clusters(script: &Path, libraries: &Path) -> Variables {
    launch::variables([
        ("MLFETCH_TEST_HDFS_SCRIPT", script.display().to_string()),
        ("MLFETCH_TEST_HDFS_LIBRARIES", libraries.display().to_string()),
    ])
}

fn script(directory: &Path) -> Result<PathBuf> {
    let path = directory.join("hdfs.py");
    std::fs::write(&path, SCRIPT).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}
