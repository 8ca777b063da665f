//! Programs that end, or are ended.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::secrets::{assert_clean, told};

/// What a program did.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit code; 128 and the signal's number for one that was killed, as a shell says it.
    pub code: i32,
    /// Standard output; what is not UTF-8 is replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

/// A program that was started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
    begun: Instant,
    secrets: BTreeSet<String>,
}

/// Runs a program to its end, which must come before the deadline.
///
/// # Panics
/// If it does not start or does not end.
pub fn run(command: &mut Command, deadline: Duration) -> Ran {
    Running::start(command).wait(deadline)
}

impl Running {
    /// Starts a program; what it writes goes to files, so that it never waits for a reader.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(command: &mut Command) -> Self {
        let file = || tempfile::tempfile().expect("a file for output");
        let (stdout, stderr) = (file(), file());
        let share = |file: &File| Stdio::from(file.try_clone().expect("a second handle"));
        let begun = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(share(&stdout))
            .stderr(share(&stderr))
            .spawn()
            .unwrap_or_else(|cause| panic!("cannot start {command:?}: {cause}"));
        Self { child, stdout, stderr, begun, secrets: told(command) }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If that does not come before the deadline, counted from now, and if the program shows anything
    /// that it was told in confidence.
    pub fn wait(mut self, deadline: Duration) -> Ran {
        let status = self.status(Instant::now() + deadline);
        let took = self.begun.elapsed();
        let (stdout, stderr) = (text_of(&mut self.stdout), text_of(&mut self.stderr));
        let Some(status) = status else {
            panic!("not ended after {took:?}\n{stdout}\n{stderr}");
        };
        assert_clean(&stdout, &self.secrets, "standard output");
        assert_clean(&stderr, &self.secrets, "standard error");
        let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(-1);
        Ran { code, stdout, stderr, took }
    }

    fn status(&mut self, deadline: Instant) -> Option<ExitStatus> {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be looked after") {
                return Some(status);
            }
            if Instant::now() > deadline {
                self.child.kill().expect("a child can be ended");
                self.child.wait().expect("an ended child can be waited for");
                return None;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

fn text_of(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().expect("a file can be rewound");
    file.read_to_end(&mut bytes).expect("a file can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}
