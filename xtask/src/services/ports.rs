//! Free ports, picked at start.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// Ports that nothing listens on right now, each a different one.
///
/// Between here and the server's own `bind` somebody else may take one; whoever starts a server
/// tries again when its log says so.
pub(crate) fn free<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
        *port = listener.local_addr().context("cannot ask for a free port's number")?.port();
        held.push(listener);
    }
    Ok(ports)
}
