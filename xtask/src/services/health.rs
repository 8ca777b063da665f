//! How to see from outside that a server is ready.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

const TIMEOUT: Duration = Duration::from_secs(5);

/// One question that only a ready server answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Health {
    /// A GET of the path is answered with 200.
    Http { address: SocketAddr, path: String },
    /// The server speaks first, as MySQL and its relatives do.
    Greeting { address: SocketAddr },
    /// Somebody listens: for servers that do so last, and answer nothing to a stranger.
    Listens { address: SocketAddr },
    /// The last line of a file says `ready`: PostgreSQL's `postmaster.pid`, and HDFS's `state`.
    Postmaster { file: PathBuf },
}

impl Health {
    /// Succeeds when the server is ready.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Http { address, path } => match http_status(*address, path)? {
                200 => Ok(()),
                status => bail!("`{path}` answers {status}"),
            },
            Self::Greeting { address } => {
                connect(*address)?.read_exact(&mut [0]).context("no greeting")
            }
            Self::Listens { address } => connect(*address).map(drop),
            Self::Postmaster { file } => {
                let text = std::fs::read_to_string(file).context("not started")?;
                let state = text.lines().last().unwrap_or_default().trim();
                if state == "ready" { Ok(()) } else { bail!("its state is `{state}`") }
            }
        }
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)
        .with_context(|| format!("nothing listens on {address}"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn http_status(address: SocketAddr, path: &str) -> Result<u16> {
    let mut stream = connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(64).read_to_end(&mut answer).context("no answer")?;
    status_code(&String::from_utf8_lossy(&answer))
}

fn status_code(answer: &str) -> Result<u16> {
    let code = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    code.and_then(|code| code.parse().ok()).context("the answer is not HTTP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_line_is_understood() {
        assert_eq!(status_code("HTTP/1.1 200 OK\r\nServer: x").expect("a status"), 200);
        assert!(status_code("SSH-2.0-OpenSSH").is_err());
    }

    #[test]
    fn a_port_without_listener_is_not_healthy() {
        let [port] = super::super::ports::free().expect("a free port");
        let health = Health::Greeting { address: SocketAddr::from(([127, 0, 0, 1], port)) };
        assert!(health.check().is_err());
    }
}
