//! What is running, written down so that a later command can show and stop it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Service;
use super::health::Health;
use super::process::Identity;

/// Environment variables by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// One started server.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Running {
    pub(crate) service: Service,
    pub(crate) process: Identity,
    pub(crate) directory: PathBuf,
    pub(crate) url: String,
    pub(crate) health: Health,
    pub(crate) variables: Variables,
}

/// All servers of one start.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct State {
    pub(crate) running: Vec<Running>,
}

impl State {
    /// Reads the file; without one nothing is running.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            result => result.with_context(|| format!("cannot read `{}`", path.display()))?,
        };
        serde_json::from_str(&text).with_context(|| {
            format!("`{}` is not understood; stop the servers by hand, remove it", path.display())
        })
    }

    /// Writes the file for its owner only, since it holds passwords; nothing running, no file.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if self.running.is_empty() {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
                }
                _ => Ok(()),
            };
        }
        if let Some(folder) = path.parent() {
            super::cache::create(folder)?;
        }
        // A command that is killed here must leave the old list or the new one, not half of it.
        let temporary = path.with_extension("partial");
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| file.write_all(&serde_json::to_vec_pretty(self)?))
            .and_then(|()| fs::rename(&temporary, path))
            .with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// The variables of all servers together.
    pub(crate) fn variables(&self) -> Variables {
        self.running.iter().flat_map(|running| running.variables.clone()).collect()
    }
}

/// Lines for a shell, each exporting one variable.
pub(crate) fn exports(variables: &Variables) -> String {
    let lines = variables
        .iter()
        .map(|(name, value)| format!("export {name}='{}'", value.replace('\'', r"'\''")));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn state() -> State {
        let variables = [("MLFETCH_TEST_MINIO_URL".to_owned(), "http://127.0.0.1:1".to_owned())];
        let running = Running {
            service: Service::Minio,
            process: Identity { id: 42, started: Some(7) },
            directory: PathBuf::from("/tmp/x"),
            url: "http://127.0.0.1:1".to_owned(),
            health: Health::Postmaster { file: PathBuf::from("/tmp/x/pid") },
            variables: variables.into(),
        };
        State { running: vec![running] }
    }

    #[test]
    fn a_state_survives_the_file_and_only_its_owner_can_read_it() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("below/state.json");
        state().write(&path).expect("the state is written");
        let mode = fs::metadata(&path).expect("the file exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(State::read(&path).expect("the state is read"), state());
        State::default().write(&path).expect("the file is removed");
        assert!(!path.exists());
    }

    #[test]
    fn a_missing_file_means_that_nothing_runs() {
        let state = State::read(Path::new("/mlfetch/no/such/file")).expect("no file is fine");
        assert!(state.running.is_empty());
    }

    #[test]
    fn quotes_cannot_leave_a_value() {
        let variables = Variables::from([("A".to_owned(), "it's $HOME".to_owned())]);
        assert_eq!(exports(&variables), r"export A='it'\''s $HOME'");
    }
}
