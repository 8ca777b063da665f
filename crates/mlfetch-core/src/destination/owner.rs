//! Whose staging directory is whose: the name says which process made it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use rustix::io::Errno;
use rustix::process::{Pid, getpid, test_kill_process};

const PREFIX: &str = ".mlfetch-";

/// The process that a staging directory's name names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owner<'a> {
    boot: &'a str,
    /// `None` for one that was left on purpose: it is nobody's.
    pid: Option<Pid>,
    /// When it began, in ticks of its machine: process IDs come again. 0 where nobody says.
    started: u64,
}

/// A name nobody else has: `.mlfetch-<boot>-<process>-<its start>-<random>`.
pub(crate) fn new_name() -> String {
    let pid = getpid();
    let started = started(pid).unwrap_or_default();
    format!("{PREFIX}{}-{}-{started}-{:016x}", boot(), pid.as_raw_nonzero(), random())
}

/// A name for what is left to the next fetch, whoever makes it: process 0 is nobody.
pub(super) fn nobodys_name() -> String {
    format!("{PREFIX}{}-0-0-{:016x}", boot(), random())
}

/// Whether a name has the form of ours. Such names are ours alone: none of a store's is one.
pub(crate) fn is_staging_name(name: &[u8]) -> bool {
    name.starts_with(PREFIX.as_bytes()) && Owner::of(name).is_some()
}

impl<'a> Owner<'a> {
    /// Reads a staging directory's name.
    pub(super) fn of(name: &'a [u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?.strip_prefix(PREFIX)?;
        let [boot, pid, started, random] = name.split('-').collect::<Vec<_>>().try_into().ok()?;
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_random = random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        let pid: i32 = pid.parse().ok().filter(|pid| *pid >= 0)?;
        let pid = Pid::from_raw(pid);
        let started = started.parse().ok()?;
        (is_word(boot) && is_random).then_some(Self { boot, pid, started })
    }

    /// The process's number, if it is one of this machine.
    pub(super) fn process(&self) -> Option<u32> {
        let pid = self.pid.filter(|_| self.boot == boot())?;
        u32::try_from(pid.as_raw_nonzero().get()).ok()
    }

    /// Whether it is not this process, and may run.
    pub(super) fn may_be_another_that_runs(&self) -> bool {
        self.process() != Some(std::process::id()) && self.is_running() != Some(false)
    }

    /// Whether the process runs, if that can be told: `None` for one of another machine, container
    /// or boot, which cannot be looked up here.
    pub(super) fn is_running(&self) -> Option<bool> {
        let Some(pid) = self.pid else { return Some(false) };
        if self.boot != boot() {
            return None;
        }
        let is_gone = test_kill_process(pid) == Err(Errno::SRCH);
        let is_another = |found: &Found| self.started != 0 && found.started != self.started;
        let found = found(pid);
        Some(!is_gone && !found.is_some_and(|found| found.has_ended || is_another(&found)))
    }
}

/// A short name for this boot of this machine and this process namespace, so that process IDs of
/// another machine or container are never confused with ours on a shared disk.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap_or_else(|_| rustix::system::uname().nodename().to_string_lossy().into_owned());
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let mut name = letters(&id);
    name.truncate(12);
    name + letters(&namespace.to_string_lossy()).trim_start_matches("pid")
}

/// What the system says of a process.
struct Found {
    /// Whether it is there only until its parent has asked how it ended, which may never be.
    has_ended: bool,
    /// When it began, in ticks since boot.
    started: u64,
}

/// Reads fields 3 and 22 of `/proc/<pid>/stat` (`man 5 proc_pid_stat`). The name in field 2 may hold
/// anything, also spaces and brackets.
fn found(pid: Pid) -> Option<Found> {
    let stat = std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let behind_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let mut fields = std::str::from_utf8(&stat[behind_name..]).ok()?.split_ascii_whitespace();
    let has_ended = matches!(fields.next()?, "Z" | "X" | "x");
    Some(Found { has_ended, started: fields.nth(18)?.parse().ok()? })
}

fn started(pid: Pid) -> Option<u64> {
    found(pid).map(|found| found.started)
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The name that another process of this machine would have.
#[cfg(test)]
pub(super) fn name_of(process: u32) -> String {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process");
    format!("{PREFIX}{}-{process}-{}-0123456789abcdef", boot(), started(pid).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(boot: &str, pid: i32, started: u64) -> String {
        format!("{PREFIX}{boot}-{pid}-{started}-0123456789abcdef")
    }

    #[test]
    fn our_own_name_names_a_process_that_runs() {
        let name = new_name();
        assert!(is_staging_name(name.as_bytes()));
        assert_eq!(Owner::of(name.as_bytes()).expect("an owner").is_running(), Some(true));
        assert_ne!(name, new_name());
    }

    #[test]
    fn what_is_nobodys_has_no_process_that_runs() {
        let name = nobodys_name();
        assert!(is_staging_name(name.as_bytes()));
        assert_eq!(Owner::of(name.as_bytes()).expect("a name of ours").is_running(), Some(false));
    }

    #[test]
    fn a_process_that_ended_does_not_run_and_neither_does_an_earlier_one_of_the_same_number() {
        let pid = getpid();
        let ours = started(pid).expect("Linux says when a process began");
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        let gone = i32::try_from(child.id()).expect("a process ID");
        let running = |name: &str| Owner::of(name.as_bytes()).expect("an owner").is_running();
        let name = name_of(child.id());
        while running(&name) == Some(true) {
            std::thread::yield_now();
        }
        assert!(test_kill_process(Pid::from_child(&child)).is_ok(), "nobody asked how it ended");
        child.wait().expect("it ended");
        assert_eq!(running(&with(&boot(), gone, ours)), Some(false));
        assert_eq!(running(&with(&boot(), pid.as_raw_nonzero().get(), ours - 1)), Some(false));
        assert_eq!(running(&with("elsewhere", gone, ours)), None);
    }

    #[test]
    fn a_process_that_could_not_tell_when_it_began_runs_all_the_same() {
        let name = with(&boot(), getpid().as_raw_nonzero().get(), 0);
        assert_eq!(Owner::of(name.as_bytes()).expect("an owner").is_running(), Some(true));
    }

    #[test]
    fn only_the_exact_form_is_ours() {
        let right = with("0a1b", 7, 9);
        assert!(is_staging_name(right.as_bytes()));
        let wrong = [
            ".mlfetch".to_owned(),
            format!("{right}0"),
            format!("{right}-1"),
            with("0a1b", -7, 9),
            with("0a.1b", 7, 9),
            right.replace(".mlfetch", "mlfetch"),
        ];
        for name in wrong {
            assert!(!is_staging_name(name.as_bytes()), "{name}");
        }
    }
}
