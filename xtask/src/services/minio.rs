//! MinIO: an S3 server.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::go::GoProgram;
use super::health::Health;
use super::launch::{self, Launch};
use super::{Tools, ports, secret};

pub(crate) const PROGRAM: GoProgram = GoProgram {
    name: "minio-20260212201848",
    module: "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
    program: "minio",
};

const BUCKET: &str = "mlfetch-test";

pub(crate) fn prepare(tools: &Tools, directory: &Path) -> Result<Launch> {
    let [port, console] = ports::free()?;
    let (access_key, secret_key) = (secret::random()?, secret::random()?);
    let data = launch::subdirectory(directory, "data")?;
    // A directory that is there before MinIO starts is a bucket afterwards.
    launch::subdirectory(&data, BUCKET)?;
    let mut command = launch::clean(Command::new(PROGRAM.install(&tools.cache)?), directory);
    command
        .args(["server", "--quiet", "--address"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("--console-address")
        .arg(format!("127.0.0.1:{console}"))
        .arg(&data)
        .env("MINIO_ROOT_USER", &access_key)
        .env("MINIO_ROOT_PASSWORD", &secret_key);
    let url = format!("http://127.0.0.1:{port}");
    let variables = launch::variables([
        ("MLFETCH_TEST_MINIO_URL", url.clone()),
        ("MLFETCH_TEST_MINIO_ACCESS_KEY", access_key),
        ("MLFETCH_TEST_MINIO_SECRET_KEY", secret_key),
        ("MLFETCH_TEST_MINIO_BUCKET", BUCKET.to_owned()),
    ]);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let health = Health::Http { address, path: "/minio/health/ready".to_owned() };
    Ok(Launch { command, health, url, variables })
}
