//! Azurite: Azure's blob service, over HTTP with keys and over HTTPS with tokens too.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::certificates::Certificates;
use super::health::Health;
use super::launch::{self, Launch};
use super::npm::NpmProgram;
use super::{Tools, ports, secret};

pub(crate) const PROGRAM: NpmProgram = NpmProgram {
    name: "azurite-3.37.0",
    package: "azurite@3.37.0",
    program: "azurite/dist/src/blob/main.js",
};

/// The storage account that the servers have.
pub(super) const ACCOUNT: &str = "mlfetchtest";

/// Where MLflow's server keeps its artifacts.
pub(super) const MLFLOW_ROOT: &str = "wasbs://mlflow@mlfetchtest.blob.core.windows.net/server";

/// Over HTTP, for keys and signatures.
pub(crate) fn plain(tools: &Tools, directory: &Path) -> Result<Launch> {
    let [port] = ports::free()?;
    let server = Server::new(tools, directory, port)?;
    let url = format!("http://127.0.0.1:{port}/{ACCOUNT}");
    Ok(server.launch("MLFETCH_TEST_AZURITE", url, []))
}

/// Over HTTPS, where tokens are taken as well. Their signatures are not checked, all else is.
pub(crate) fn tls(tools: &Tools, directory: &Path) -> Result<Launch> {
    let [port] = ports::free()?;
    let certificates = Certificates::write(&tools.python, directory)?;
    let mut server = Server::new(tools, directory, port)?;
    server.command.args(["--oauth", "basic", "--cert"]).arg(&certificates.server);
    server.command.arg("--key").arg(&certificates.server);
    let url = format!("https://localhost:{port}/{ACCOUNT}");
    let authority = certificates.authority.display().to_string();
    Ok(server.launch("MLFETCH_TEST_AZURITE_TLS", url, [("CA", authority)]))
}

/// What the two have in common.
struct Server {
    command: Command,
    port: u16,
    key: String,
}

impl Server {
    fn new(tools: &Tools, directory: &Path, port: u16) -> Result<Self> {
        let program = PROGRAM.install(&tools.cache)?;
        // Thirty-two digits are base64 as they are.
        let key = secret::random()?;
        let mut command = launch::clean(Command::new("node"), directory);
        command
            .arg(program)
            .args(["--inMemoryPersistence", "--silent", "--disableTelemetry"])
            .args(["--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort"])
            .arg(port.to_string())
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{key}"));
        Ok(Self { command, port, key })
    }

    fn launch<const N: usize>(
        self,
        name: &str,
        url: String,
        extra: [(&'static str, String); N],
    ) -> Launch {
        let own = [("URL", url.clone()), ("ACCOUNT", ACCOUNT.to_owned()), ("KEY", self.key)];
        let all = own.into_iter().chain(extra);
        let variables = all.map(|(part, value)| (format!("{name}_{part}"), value)).collect();
        let health = Health::Listens { address: SocketAddr::from(([127, 0, 0, 1], self.port)) };
        Launch { command: self.command, health, url, variables }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_that_of_the_containers() {
        let file = include_str!("../../../docker-compose.yml");
        assert!(file.contains(&format!("AZURITE_ACCOUNTS: {ACCOUNT}:")));
        assert!(MLFLOW_ROOT.contains(&format!("@{ACCOUNT}.")) && file.contains(MLFLOW_ROOT));
    }
}
