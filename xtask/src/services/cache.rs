//! Where downloaded and built servers are kept, so that the second start takes seconds.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::report;

/// The directory of installed servers, outside the checkout, shared by all checkouts.
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Opens the cache, making it if need be.
    pub(crate) fn open() -> Result<Self> {
        let root = location().context(
            "no place for the cache of test servers: set MLFETCH_DEV_CACHE to a directory",
        )?;
        fs::create_dir_all(&root)
            .with_context(|| format!("cannot make the cache `{}`", root.display()))?;
        Ok(Self { root })
    }

    /// Installs once, under a name that holds the version.
    ///
    /// `install` fills a sibling directory which gets its name when it is complete, so that a
    /// broken install is never taken for a good one.
    pub(crate) fn install(
        &self,
        name: &str,
        install: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let place = self.root.join(name);
        if place.is_dir() {
            return Ok(place);
        }
        let _lock = self.lock(name)?;
        if place.is_dir() {
            return Ok(place);
        }
        let partial = self.root.join(format!("{name}.partial"));
        remove(&partial)?;
        create(&partial)?;
        report::say(&format!("installing {name} (once)"));
        install(&partial).with_context(|| format!("cannot install {name}"))?;
        fs::rename(&partial, &place)
            .with_context(|| format!("cannot put `{}` in place", place.display()))?;
        Ok(place)
    }

    /// Like [`Cache::install`] for what cannot be moved once it is made: a marker file, whose
    /// content says what was installed, tells a complete install from a broken one.
    pub(crate) fn install_in_place(
        &self,
        name: &str,
        content: &str,
        install: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let place = self.root.join(name);
        let marker = place.join(".complete");
        let complete = || fs::read_to_string(&marker).is_ok_and(|text| text == content);
        if complete() {
            return Ok(place);
        }
        let _lock = self.lock(name)?;
        if complete() {
            return Ok(place);
        }
        remove(&place)?;
        report::say(&format!("installing {name} (once)"));
        install(&place).with_context(|| format!("cannot install {name}"))?;
        fs::write(&marker, content)
            .with_context(|| format!("cannot write `{}`", marker.display()))?;
        Ok(place)
    }

    /// Two checkouts may install at the same time; the second waits and finds the work done.
    fn lock(&self, name: &str) -> Result<File> {
        let path = self.root.join(format!("{name}.lock"));
        let file = File::create(&path)
            .with_context(|| format!("cannot write the lock `{}`", path.display()))?;
        file.lock().with_context(|| format!("cannot lock `{}`", path.display()))?;
        Ok(file)
    }
}

fn location() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("MLFETCH_DEV_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|directory| directory.join("mlfetch-dev")))
        .or_else(|| set("HOME").map(|directory| directory.join(".cache/mlfetch-dev")))
}

/// Makes a directory with its parents.
pub(crate) fn create(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make `{}`", directory.display()))
}

/// Removes a directory with all that is in it; one that is not there is fine.
pub(crate) fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", directory.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn cache(directory: &tempfile::TempDir) -> Cache {
        Cache { root: directory.path().to_path_buf() }
    }

    #[test]
    fn a_failed_install_leaves_nothing_under_the_final_name() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let result = cache(&directory).install("thing-1", |_| bail!("no network"));
        assert!(result.is_err());
        assert!(!directory.path().join("thing-1").exists());
    }

    #[test]
    fn an_install_in_place_is_redone_when_its_content_changes() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut runs = 0;
        for content in ["a==1", "a==1", "a==2"] {
            let install = |place: &Path| {
                runs += 1;
                create(place)
            };
            cache(&directory).install_in_place("thing-1", content, install).expect("it installs");
        }
        assert_eq!(runs, 2);
    }
}
