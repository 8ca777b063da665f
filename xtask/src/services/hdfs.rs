//! HDFS with its HTTP side: a real NameNode and DataNode from Hadoop's own libraries.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::certificates::Certificates;
use super::health::Health;
use super::launch::{self, Launch};
use super::maven::MavenLibraries;
use super::{Tools, Variables, ports};

pub(crate) const LIBRARIES: MavenLibraries = MavenLibraries {
    name: "hadoop-3.4.2-httpfs",
    artifacts: &[
        "org.apache.hadoop:hadoop-common:3.4.2",
        "org.apache.hadoop:hadoop-hdfs:3.4.2",
        "org.apache.hadoop:hadoop-hdfs-client:3.4.2",
        "org.apache.hadoop:hadoop-hdfs-httpfs:3.4.2",
    ],
};

/// Writes the configuration, starts the servers, and looks after them.
pub(crate) const SCRIPT: &str = include_str!("hdfs.py");

/// Who may do everything.
const SUPERUSER: &str = "keeper";

pub(crate) fn prepare(tools: &Tools, directory: &Path) -> Result<Launch> {
    let files = Files::write(tools, directory)?;
    let mut command = launch::clean(Command::new(tools.python.interpreter()), directory);
    command.arg(&files.script).arg(&files.cluster).arg(&files.libraries);
    // Hadoop takes whoever starts it for its superuser, and this name for whoever that is.
    command.args(["--ports", &files.ports()]).env("HADOOP_USER_NAME", SUPERUSER);
    let health = Health::Postmaster { file: files.cluster.join("state") };
    Ok(Launch { command, health, url: files.url(), variables: files.variables() })
}

/// The same over TLS alone: the servers have no port for plain HTTP.
pub(crate) fn tls(tools: &Tools, directory: &Path) -> Result<Launch> {
    let certificates = Certificates::write(&tools.python, directory)?;
    let mut launch = prepare(tools, directory)?;
    launch.command.args(["--host", "localhost", "--keystore"]).arg(&certificates.keystore);
    launch.url = launch.url.replace("http://127.0.0.1", "https://localhost");
    launch.variables = tls_variables(&launch.variables, &certificates.authority);
    Ok(launch)
}

/// Those of a cluster, as they are called for the one that speaks TLS.
pub(crate) fn tls_variables(plain: &Variables, authority: &Path) -> Variables {
    let of = |name: &str| plain[name].clone();
    launch::variables([
        (
            "MLFETCH_TEST_HDFS_TLS_URL",
            of("MLFETCH_TEST_HDFS_URL").replace("http://127.0.0.1", "https://localhost"),
        ),
        ("MLFETCH_TEST_HDFS_TLS_CONF", of("MLFETCH_TEST_HDFS_CONF")),
        ("MLFETCH_TEST_HDFS_TLS_CA", authority.display().to_string()),
    ])
}

/// What a cluster is started with.
pub(crate) struct Files {
    script: PathBuf,
    cluster: PathBuf,
    pub(crate) libraries: PathBuf,
    http: u16,
    rpc: u16,
}

impl Files {
    pub(crate) fn write(tools: &Tools, directory: &Path) -> Result<Self> {
        let [http, rpc] = ports::free()?;
        let libraries = LIBRARIES.install(&tools.cache)?;
        let cluster = launch::subdirectory(directory, "cluster")?;
        let script = directory.join("hdfs.py");
        launch::write_scripts(directory, &[("hdfs.py", SCRIPT)])?;
        Ok(Self { script, cluster, libraries, http, rpc })
    }

    /// As the script takes them.
    pub(crate) fn ports(&self) -> String {
        format!("{},{}", self.http, self.rpc)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// The last two are for tests that start a cluster of their own, to stop a part of it.
    pub(crate) fn variables(&self) -> Variables {
        launch::variables([
            ("MLFETCH_TEST_HDFS_URL", self.url()),
            ("MLFETCH_TEST_HDFS_URI", format!("hdfs://127.0.0.1:{}", self.rpc)),
            ("MLFETCH_TEST_HDFS_USER", SUPERUSER.to_owned()),
            ("MLFETCH_TEST_HDFS_CONF", self.cluster.join("conf").display().to_string()),
            ("MLFETCH_TEST_HDFS_SCRIPT", self.script.display().to_string()),
            ("MLFETCH_TEST_HDFS_LIBRARIES", self.libraries.display().to_string()),
        ])
    }
}
