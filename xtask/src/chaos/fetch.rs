//! One run of the program, watched.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Between two looks at a running program.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    began: Instant,
    errors: std::path::PathBuf,
    output: std::path::PathBuf,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if it did not end in time.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) time: Duration,
    /// What it said on standard error.
    pub(crate) errors: String,
    /// What it printed.
    pub(crate) output: String,
}

impl Running {
    /// Starts a program; what it says goes to a file in `desk`.
    pub(crate) fn start(command: &mut Command, desk: &Path) -> Result<Self> {
        let errors = desk.join("errors");
        let file = File::create(&errors).context("cannot write what the program says")?;
        let output = desk.join("output");
        let to = File::create(&output).context("cannot write what the program prints")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(to)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
        Ok(Self { child, began: Instant::now(), errors, output })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait().context("cannot wait for the program")?.is_some())
    }

    /// Waits for its end, and ends it when it takes too long.
    pub(crate) fn wait(mut self, limit: Duration) -> Result<Ended> {
        let status = loop {
            if let Some(status) = self.child.try_wait().context("cannot wait for the program")? {
                break Some(status);
            }
            if self.began.elapsed() > limit {
                self.child.kill().context("cannot end the program")?;
                self.child.wait().context("cannot wait for the program")?;
                break None;
            }
            thread::sleep(LOOK_EVERY);
        };
        let time = self.began.elapsed();
        let errors = fs::read(&self.errors).context("cannot read what the program said")?;
        let output = fs::read(&self.output).context("cannot read what the program printed")?;
        let [errors, output] =
            [errors, output].map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(Ended { status, time, errors, output })
    }
}
