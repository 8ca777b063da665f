//! Programs that come as packages of npm.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::cache::Cache;
use crate::command;

/// One program of a package, at one version.
pub(crate) struct NpmProgram {
    /// The directory's name in the cache, with the version.
    pub(crate) name: &'static str,
    /// What `npm install` takes.
    pub(crate) package: &'static str,
    /// The file in `node_modules`.
    pub(crate) program: &'static str,
}

impl NpmProgram {
    /// Installs the package; nothing of it runs while that is done.
    pub(crate) fn install(&self, cache: &Cache) -> Result<PathBuf> {
        let place = cache.install(self.name, |partial| {
            let mut npm = Command::new("npm");
            npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"])
                .arg("--prefix")
                .arg(partial)
                .arg(self.package)
                .stdin(Stdio::null());
            command::capture(&mut npm)
                .map(drop)
                .with_context(|| format!("{} needs Node.js 20 or newer with npm", self.name))?;
            // Packages do that with a script, and no script is run.
            let program = partial.join("node_modules").join(self.program);
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
                .with_context(|| format!("there is no `{}`", program.display()))
        })?;
        Ok(place.join("node_modules").join(self.program))
    }
}
