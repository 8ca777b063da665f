//! toxiproxy: a bad network between a client and any of the other servers.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::go::GoProgram;
use super::health::Health;
use super::launch::{self, Launch};
use super::{Tools, ports};

pub(crate) const PROGRAM: GoProgram = GoProgram {
    name: "toxiproxy-2.12.0",
    module: "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0",
    program: "server",
};

pub(crate) fn prepare(tools: &Tools, directory: &Path) -> Result<Launch> {
    let [port] = ports::free()?;
    let mut command = launch::clean(Command::new(PROGRAM.install(&tools.cache)?), directory);
    command.args(["-host", "127.0.0.1", "-port"]).arg(port.to_string());
    let url = format!("http://127.0.0.1:{port}");
    let variables = launch::variables([("MLFETCH_TEST_TOXIPROXY_URL", url.clone())]);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let health = Health::Http { address, path: "/version".to_owned() };
    Ok(Launch { command, health, url, variables })
}
