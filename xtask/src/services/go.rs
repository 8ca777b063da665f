//! Servers that are built from their Go module.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::cache::Cache;
use crate::command;

/// One program of a Go module, at one version.
pub(crate) struct GoProgram {
    /// The directory's name in the cache, with the version.
    pub(crate) name: &'static str,
    /// What `go install` takes.
    pub(crate) module: &'static str,
    /// The file that `go install` leaves.
    pub(crate) program: &'static str,
}

impl GoProgram {
    pub(crate) fn install(&self, cache: &Cache) -> Result<PathBuf> {
        let place = cache.install(self.name, |partial| {
            let mut go = Command::new("go");
            go.args(["install", self.module]).env("GOBIN", partial).stdin(Stdio::null());
            // The go tool lists every module it downloads; its log is of use only when it fails.
            command::capture(&mut go)
                .map(drop)
                .with_context(|| format!("{} is built by the go tool, 1.24 or newer", self.name))
        })?;
        Ok(place.join(self.program))
    }
}
