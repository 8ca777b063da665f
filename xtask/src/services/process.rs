//! Server processes: started in a process group of their own, found again, and stopped whole.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// How long a server may take to end before it is ended.
const GRACE: Duration = Duration::from_secs(10);

/// A process, told from a later one with the same number by the time it was started.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Identity {
    pub(crate) id: u32,
    /// In the kernel's ticks since boot; unknown where there is no `/proc`.
    pub(crate) started: Option<u64>,
}

impl Identity {
    pub(crate) fn of(id: u32) -> Self {
        Self { id, started: start_time(id) }
    }

    /// Whether this very process still runs.
    pub(crate) fn is_alive(self) -> bool {
        self.group_exists() && start_time(self.id) == self.started
    }

    fn pid(self) -> Option<Pid> {
        i32::try_from(self.id).ok().map(Pid::from_raw)
    }

    fn group_exists(self) -> bool {
        // A child of ours that ended stays in its group until somebody asks how it ended.
        if let Some(pid) = self.pid() {
            let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
        }
        self.pid().is_some_and(|pid| killpg(pid, None).is_ok())
    }

    /// Asks the whole process group to end, and ends it when it does not.
    pub(crate) fn stop(self, signal: Signal) {
        let Some(pid) = self.pid().filter(|_| self.is_alive()) else { return };
        let _ = killpg(pid, signal);
        let deadline = Instant::now() + GRACE;
        while self.group_exists() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        if self.group_exists() {
            let _ = killpg(pid, Signal::SIGKILL);
            thread::sleep(Duration::from_millis(50));
            let _ = self.group_exists();
        }
    }
}

/// Starts a server that outlives this command, writing both its outputs to a file.
///
/// A group of its own keeps the terminal's Ctrl-C from it, and lets us stop its children with it.
pub(crate) fn spawn(command: &mut Command, log: &Path) -> Result<Child> {
    let file = File::create(log).with_context(|| format!("cannot write `{}`", log.display()))?;
    let errors = file.try_clone().context("cannot share the log between two outputs")?;
    command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start `{}`", command.get_program().display()))
}

/// The last lines of a log, for an error message.
pub(crate) fn log_tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

fn start_time(id: u32) -> Option<u64> {
    parse_start_time(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

/// Field 22 of proc(5)'s stat line, counted after the name, which may itself hold spaces.
fn parse_start_time(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2";
        assert_eq!(parse_start_time(stat), Some(98765));
    }

    #[test]
    fn a_stopped_group_is_gone_with_its_children() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 60 & echo started; wait"]);
        let log = directory.path().join("log");
        let mut child = spawn(&mut shell, &log).expect("the shell starts");
        let process = Identity::of(child.id());
        assert!(process.is_alive());
        process.stop(Signal::SIGTERM);
        assert!(!process.is_alive() && !process.group_exists());
        assert!(child.wait().is_err(), "stopping has already asked how it ended");
    }
}
