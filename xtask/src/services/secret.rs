//! Credentials that exist for one start of one server.

use std::fs::File;
use std::io::Read as _;

use anyhow::{Context, Result};

/// Thirty-two random hexadecimal digits: fit for every server's rules, and for a URL as they are.
pub(crate) fn random() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot draw a random password from `/dev/urandom`")?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
