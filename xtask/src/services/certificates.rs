//! Certificates of a certificate authority that exists for one start.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::launch;
use super::python::Python;
use crate::command;

/// Written with the library that MLflow's environment has anyway.
const SCRIPT: &str = include_str!("certificates.py");

/// PEM files, and one of Java's.
pub(crate) struct Certificates {
    /// The authority's certificate alone.
    pub(crate) authority: PathBuf,
    /// Certificate and key for `localhost` and the loopback addresses.
    pub(crate) server: PathBuf,
    /// The same for Java, PKCS #12; what opens it is in a file beside it.
    pub(crate) keystore: PathBuf,
    /// Certificate and key of a client.
    pub(crate) client: PathBuf,
}

impl Certificates {
    pub(crate) fn write(python: &Python, directory: &Path) -> Result<Self> {
        let place = launch::subdirectory(directory, "certificates")?;
        let mut script = launch::clean(Command::new(python.interpreter()), &place);
        command::capture(script.args(["-c", SCRIPT]).arg(&place))?;
        Ok(Self {
            authority: place.join("authority.pem"),
            server: place.join("server.pem"),
            keystore: place.join("server.p12"),
            client: place.join("client.pem"),
        })
    }
}
