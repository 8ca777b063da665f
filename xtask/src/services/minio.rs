//! MinIO: an S3 server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::certificates::Certificates;
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

/// Over HTTP.
pub(crate) fn plain(tools: &Tools, directory: &Path) -> Result<Launch> {
    let server = Server::new(tools, directory)?;
    let url = format!("http://127.0.0.1:{}", server.port);
    let address = SocketAddr::from(([127, 0, 0, 1], server.port));
    let health = Health::Http { address, path: "/minio/health/ready".to_owned() };
    Ok(server.launch("MLFETCH_TEST_MINIO", url, health))
}

/// Over HTTPS, for measurements.
pub(crate) fn tls(tools: &Tools, directory: &Path) -> Result<Launch> {
    let mut server = Server::new(tools, directory)?;
    let certificates = Certificates::write(&tools.python, directory)?;
    let place = launch::subdirectory(directory, "certs")?;
    split(&certificates.server, &place)?;
    server.command.arg("--certs-dir").arg(&place);
    let url = format!("https://localhost:{}", server.port);
    let health = Health::Listens { address: SocketAddr::from(([127, 0, 0, 1], server.port)) };
    let mut launch = server.launch("MLFETCH_TEST_MINIO_TLS", url, health);
    let authority = certificates.authority.display().to_string();
    launch.variables.insert("MLFETCH_TEST_MINIO_TLS_CA".to_owned(), authority);
    Ok(launch)
}

/// Certificate and key in the two files that MinIO looks for.
fn split(both: &Path, place: &Path) -> Result<()> {
    let text = fs::read_to_string(both).context("cannot read the server's certificate")?;
    let at = text.find("-----BEGIN PRIVATE KEY").context("the server's key is not there")?;
    let (certificate, key) = text.split_at(at);
    fs::write(place.join("public.crt"), certificate)
        .and_then(|()| fs::write(place.join("private.key"), key))
        .context("cannot write the server's certificate")
}

/// What the two have in common.
struct Server {
    command: Command,
    port: u16,
    access_key: String,
    secret_key: String,
}

impl Server {
    fn new(tools: &Tools, directory: &Path) -> Result<Self> {
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
        Ok(Self { command, port, access_key, secret_key })
    }

    fn launch(self, prefix: &str, url: String, health: Health) -> Launch {
        let variables = [
            ("URL", url.clone()),
            ("ACCESS_KEY", self.access_key),
            ("SECRET_KEY", self.secret_key),
            ("BUCKET", BUCKET.to_owned()),
        ];
        let named = variables.into_iter().map(|(name, value)| (format!("{prefix}_{name}"), value));
        Launch { command: self.command, health, url, variables: named.collect() }
    }
}
