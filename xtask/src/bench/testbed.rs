//! What measurements stand on: our program as a user gets it, servers, a directory.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use tempfile::TempDir;

use super::options::Options;
use crate::command;
use crate::metadata::Metadata;
use crate::services::{Service, Session, Tools, Variables};

/// Servers that run, and stop with the value.
pub(super) struct Testbed {
    pub(super) program: PathBuf,
    pub(super) tools: Tools,
    /// For what is fetched, and for what a server's tools need.
    pub(super) directory: TempDir,
    session: Session,
}

impl Testbed {
    pub(super) fn start(services: &[Service], options: &Options) -> Result<Self> {
        let program = build()?;
        let tools = Tools::install()?;
        services.iter().try_for_each(|service| service.install(&tools))?;
        let directory = options.directory()?;
        let session = Session::start(services, &tools)?;
        Ok(Self { program, tools, directory, session })
    }

    pub(super) fn variables(&self) -> &Variables {
        self.session.variables()
    }
}

/// The program, as a user gets it.
pub(super) fn build() -> Result<PathBuf> {
    command::run(command::cargo().args(["build", "--release", "--package=mlfetch-cli"]))?;
    Ok(Metadata::read()?.program("release", "mlfetch"))
}

/// Where a URL of plain HTTP leads, if its host is written as an address.
pub(super) fn address(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("http://")?.split('/').next()?.parse().ok()
}

/// The same URL with another address.
pub(super) fn with_address(url: &str, new: SocketAddr) -> String {
    match address(url) {
        Some(old) => url.replacen(&old.to_string(), &new.to_string(), 1),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_url_is_found_and_replaced() {
        let new = SocketAddr::from(([127, 0, 0, 1], 9));
        for (url, moved) in [
            ("http://127.0.0.1:80/a/", "http://127.0.0.1:9/a/"),
            ("http://127.0.0.1:80", "http://127.0.0.1:9"),
            ("https://localhost:80", "https://localhost:80"),
        ] {
            assert_eq!(with_address(url, new), moved);
        }
    }
}
