//! A clean place to run the binary in.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::{Ran, Tree, mlfetch, run};

/// The longest that one command of a test may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// An empty directory with a home and a place for temporary files beside it.
#[derive(Debug)]
pub struct Desk {
    root: TempDir,
}

impl Desk {
    /// A new one.
    ///
    /// # Panics
    /// If there is no room for it.
    #[expect(clippy::new_without_default, reason = "it makes directories")]
    pub fn new() -> Self {
        let root = TempDir::new().expect("a directory");
        for name in ["desk", "home", "tmp"] {
            std::fs::create_dir(root.path().join(name)).expect("a directory");
        }
        Self { root }
    }

    /// The directory that commands run in.
    ///
    /// # Panics
    /// If somebody removed it.
    pub fn path(&self) -> PathBuf {
        self.root.path().canonicalize().expect("it is there").join("desk")
    }

    /// All that lies on it, in its home and among its temporary files.
    pub fn everything(&self) -> Tree {
        Tree::of(self.root.path())
    }

    /// All that lies on it.
    pub fn tree(&self) -> Tree {
        Tree::of(&self.path())
    }

    /// Its home.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// The binary, ready to run here.
    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = mlfetch(&self.path());
        command.args(arguments);
        command.env("HOME", self.home()).env("TMPDIR", self.root.path().join("tmp"));
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, arguments: &[impl AsRef<OsStr>], environment: &[(&str, &str)]) -> Ran {
        run(self.command(arguments).envs(environment.iter().copied()), DEADLINE)
    }

    /// Runs a command that must fail, and checks that it leaves everything as it was.
    ///
    /// # Panics
    /// If it ends with another code, prints a result, or leaves something behind.
    #[track_caller]
    pub fn fail(
        &self,
        code: i32,
        arguments: &[impl AsRef<OsStr>],
        environment: &[(&str, &str)],
    ) -> Failure {
        let before = self.everything();
        let ran = self.run(arguments, environment);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert_eq!(ran.stdout, "", "a failure has no result");
        let left = before.differences(&self.everything());
        assert!(left.is_empty(), "{left:?}\n{}", ran.stderr);
        Failure { ran }
    }

    /// Writes a file.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it lies here")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
}

/// A command that failed as it must.
#[derive(Debug)]
pub struct Failure {
    /// What it did.
    pub ran: Ran,
}

impl Failure {
    /// Checks that the message holds a text.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    #[must_use]
    pub fn says(self, text: &str) -> Self {
        assert!(self.ran.stderr.contains(text), "it does not say {text:?}:\n{}", self.ran.stderr);
        self
    }

    /// Checks that the message has an `error: ` line, and a `try: ` line with a text.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn advises(&self, text: &str) {
        assert!(self.ran.stderr.contains("error: "), "{}", self.ran.stderr);
        let mut lines = self.ran.stderr.lines();
        let advice = lines.find_map(|line| line.trim_start().strip_prefix("try: "));
        let advice = advice.unwrap_or_else(|| panic!("no advice:\n{}", self.ran.stderr));
        assert!(advice.contains(text), "the advice is {advice:?}, without {text:?}");
    }

    /// Checks how long it took.
    ///
    /// # Panics
    /// If it took longer.
    #[track_caller]
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        assert!(self.ran.took <= time, "it took {:?}", self.ran.took);
        self
    }
}
