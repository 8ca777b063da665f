//! HttpFS: Hadoop's own HTTP gateway, in front of the HDFS that runs already.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::health::Health;
use super::launch::{self, Launch};
use super::{Tools, Variables, hdfs, ports};

/// Writes the configuration and becomes the gateway.
const SCRIPT: &str = include_str!("httpfs.py");

pub(crate) fn prepare(tools: &Tools, directory: &Path, others: &Variables) -> Result<Launch> {
    let conf = others.get("MLFETCH_TEST_HDFS_CONF");
    let conf = conf.context("HttpFS stands in front of HDFS, which does not run")?;
    let files = Files::write(tools, directory)?;
    let mut command = launch::clean(Command::new(tools.python.interpreter()), directory);
    command.arg(&files.script).arg(&files.place).arg(&files.libraries).arg(conf);
    command.args(["--port", &files.port.to_string()]);
    let address = SocketAddr::from(([127, 0, 0, 1], files.port));
    let path = "/webhdfs/v1/?op=GETFILESTATUS&user.name=gateway".to_owned();
    let health = Health::Http { address, path };
    Ok(Launch { command, health, url: files.url(), variables: files.variables() })
}

/// What a gateway is started with.
pub(crate) struct Files {
    script: PathBuf,
    place: PathBuf,
    libraries: PathBuf,
    pub(crate) port: u16,
}

impl Files {
    pub(crate) fn write(tools: &Tools, directory: &Path) -> Result<Self> {
        let [port] = ports::free()?;
        let libraries = hdfs::LIBRARIES.install(&tools.cache)?;
        let script = directory.join("httpfs.py");
        launch::write_scripts(directory, &[("httpfs.py", SCRIPT), ("hdfs.py", hdfs::SCRIPT)])?;
        Ok(Self { script, place: directory.join("gateway"), libraries, port })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The last is for tests that start a gateway of their own.
    pub(crate) fn variables(&self) -> Variables {
        launch::variables([
            ("MLFETCH_TEST_HTTPFS_URL", self.url()),
            ("MLFETCH_TEST_HTTPFS_SCRIPT", self.script.display().to_string()),
        ])
    }
}
