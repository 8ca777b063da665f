//! Lets one system call of a program fail: the nth of its kind, counted over all its threads.
//!
//! The program asks the kernel directly, so that a library put before it would not see all its calls.
//! `strace` counts each thread by itself, so that several calls would fail at once, and it would fail
//! the runtime's own wakers too, which the kernel never does.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::libc::{self, user_regs_struct};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::super::super::fetch::Ended;
use super::kinds::{Act, Kind, On};

/// Stops before it becomes the program, so that no call of that is missed.
const STOPPED: &str = "kill -STOP $$; exec \"$@\"";

/// Longer paths are cut in what a person reads.
const SHOWN_BYTES: usize = 300;

/// Which call fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) nth: u64,
    pub(super) act: Act,
}

/// What came of a program.
pub(super) struct Traced {
    pub(super) ended: Ended,
    /// Calls that were made, by kind.
    pub(super) counts: BTreeMap<Kind, u64>,
    /// What the call that failed was about.
    pub(super) hit: Option<String>,
}

/// Runs a program to its end, or to the end of its time.
pub(super) fn run(
    program: &Command,
    desk: &Path,
    fault: Option<Fault>,
    limit: Duration,
) -> Result<Traced> {
    let errors = desk.join("errors");
    let file = File::create(&errors).context("cannot write what the program says")?;
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", STOPPED, "sh"]).arg(program.get_program()).args(program.get_args());
    shell.env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let mut child = shell.spawn().context("cannot start a shell")?;
    let leader = Pid::from_raw(i32::try_from(child.id()).context("the program's number")?);
    let began = Instant::now();
    let mut tracer = Tracer {
        leader,
        fault,
        has_begun: false,
        inside: HashMap::new(),
        counts: BTreeMap::new(),
        hit: None,
    };
    let status = thread::scope(|scope| {
        let (over, is_over) = channel::<()>();
        scope.spawn(move || {
            if is_over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                // It may have ended at that very moment.
                let _ = killpg(leader, Signal::SIGKILL);
            }
        });
        let status = tracer.follow();
        drop(over);
        status
    });
    let time = began.elapsed();
    if status.is_err() {
        let _ = killpg(leader, Signal::SIGKILL);
    }
    // The tracer was told of its end already, unless that failed.
    let _ = child.wait();
    let status = status.context("cannot trace the program")?;
    let said = fs::read(&errors).context("cannot read what the program said")?;
    let ended = Ended {
        output: String::new(),
        status: (time < limit).then_some(status),
        time,
        errors: String::from_utf8_lossy(&said).into_owned(),
    };
    Ok(Traced { ended, counts: tracer.counts, hit: tracer.hit })
}

struct Tracer {
    leader: Pid,
    fault: Option<Fault>,
    /// Whether the program's own code runs: what its loader does is not ours.
    has_begun: bool,
    /// Threads in a call, with what it is to give.
    inside: HashMap<Pid, Option<Errno>>,
    counts: BTreeMap<Kind, u64>,
    hit: Option<String>,
}

impl Tracer {
    fn follow(&mut self) -> Result<ExitStatus> {
        let stopped = waitpid(self.leader, Some(WaitPidFlag::WUNTRACED))?;
        if !matches!(stopped, WaitStatus::Stopped(..)) {
            bail!("the shell ended: {stopped:?}");
        }
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::seize(self.leader, options)?;
        kill(self.leader, Signal::SIGCONT)?;
        let group = Pid::from_raw(-self.leader.as_raw());
        loop {
            let stop = match waitpid(group, Some(WaitPidFlag::__WALL)) {
                Err(Errno::EINTR) => continue,
                stop => stop?,
            };
            let (thread, signal) = match stop {
                WaitStatus::Exited(id, code) if id == self.leader => {
                    return Ok(ExitStatus::from_raw(code << 8));
                }
                WaitStatus::Signaled(id, signal, _) if id == self.leader => {
                    return Ok(ExitStatus::from_raw(signal as i32));
                }
                WaitStatus::Exited(id, _) | WaitStatus::Signaled(id, ..) => {
                    self.inside.remove(&id);
                    continue;
                }
                WaitStatus::PtraceSyscall(id) => {
                    is_there(self.call(id))?;
                    (id, None)
                }
                WaitStatus::Stopped(id, signal) => (id, Some(signal)),
                WaitStatus::PtraceEvent(id, ..) => (id, None),
                _ => continue,
            };
            is_there(ptrace::syscall(thread, signal))?;
        }
    }

    /// A thread is stopped where a call begins or ends.
    fn call(&mut self, thread: Pid) -> nix::Result<()> {
        let mut registers = ptrace::getregs(thread)?;
        let Some(given) = self.inside.remove(&thread) else {
            let given = self.begins(thread, &mut registers)?;
            self.inside.insert(thread, given);
            return Ok(());
        };
        let Some(errno) = given else { return Ok(()) };
        registers.rax = (-i64::from(errno as i32)).cast_unsigned();
        ptrace::setregs(thread, registers)
    }

    /// Counts a call, and spoils it if it is the one.
    fn begins(
        &mut self,
        thread: Pid,
        registers: &mut user_regs_struct,
    ) -> nix::Result<Option<Errno>> {
        let number = registers.orig_rax.cast_signed();
        // The first thing that Rust's runtime does with a thread, and the loader never.
        self.has_begun |= number == libc::SYS_sigaltstack;
        if !self.has_begun {
            return Ok(None);
        }
        for (kind, argument) in Kind::of(number) {
            let Some(subject) = subject(thread, kind.row().on, argument, registers) else {
                continue;
            };
            let count = self.counts.entry(kind).or_default();
            *count += 1;
            let nth = *count;
            let is_meant = |fault: &Fault| fault.kind == kind && fault.nth == nth;
            let Some(fault) = self.fault.filter(is_meant) else { continue };
            self.hit = Some(subject);
            match fault.act {
                Act::Half => registers.rdx -= registers.rdx / 2,
                Act::Fail(errno) if kind.is_made_anyway() => return Ok(Some(errno)),
                Act::Fail(errno) => {
                    // There is no such call: nothing is done.
                    registers.orig_rax = u64::MAX;
                    ptrace::setregs(thread, *registers)?;
                    return Ok(Some(errno));
                }
            }
            ptrace::setregs(thread, *registers)?;
        }
        Ok(None)
    }
}

/// What a call is about, if it counts.
fn subject(thread: Pid, on: On, argument: usize, registers: &user_regs_struct) -> Option<String> {
    let value =
        [registers.rdi, registers.rsi, registers.rdx].get(argument).copied().unwrap_or_default();
    match on {
        On::Nothing => Some(String::new()),
        On::Path => Some(path(thread, value).unwrap_or_else(|| "?".to_owned())),
        On::Socket => handle(thread, value).filter(|name| name.starts_with("socket:")),
        On::Handle if registers.rsi != libc::F_DUPFD_CLOEXEC as u64 => None,
        On::Handle | On::File => {
            let name = handle(thread, value).filter(|name| name.starts_with('/'))?;
            let is_device = name.starts_with("/dev/") && !name.starts_with("/dev/shm/");
            (value > 2 && !is_device).then_some(name)
        }
    }
}

fn handle(thread: Pid, handle: u64) -> Option<String> {
    let link = fs::read_link(format!("/proc/{thread}/fd/{handle}")).ok()?;
    Some(link.to_string_lossy().into_owned())
}

fn path(thread: Pid, at: u64) -> Option<String> {
    let mut bytes = [0; SHOWN_BYTES];
    let count = File::open(format!("/proc/{thread}/mem")).ok()?.read_at(&mut bytes, at).ok()?;
    let end = bytes[..count].iter().position(|byte| *byte == 0).unwrap_or(count);
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

/// A thread may be gone by the time it is asked.
fn is_there(done: nix::Result<()>) -> nix::Result<()> {
    match done {
        Err(Errno::ESRCH) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn trace(script: &str, fault: Option<Fault>) -> Traced {
        let desk = tempfile::tempdir().expect("a directory");
        let mut command = Command::new("/bin/sh");
        command.env_clear().args(["-c", script]);
        run(&command, desk.path(), fault, LIMIT).expect("traced")
    }

    #[test]
    fn a_program_that_is_traced_ends_as_by_itself() {
        for code in [0, 7] {
            let traced = trace(&format!("echo said >&2; exit {code}"), None);
            assert_eq!(traced.ended.status.and_then(|status| status.code()), Some(code));
            assert_eq!(traced.ended.errors, "said\n");
        }
        let killed = trace("kill -9 $$", None).ended.status.expect("an end");
        assert_eq!(killed.signal(), Some(9));
    }

    /// A program whose calls are counted is one of Rust: this one, run again.
    #[test]
    fn exactly_the_call_that_is_meant_fails() {
        const SECOND: &str = "MLFETCH_TEST_SECOND_PROCESS";
        if let Some(path) = std::env::var_os(SECOND) {
            fs::read(path).expect("it can be read");
            return;
        }
        let place = tempfile::tempdir().expect("a directory");
        let wanted = place.path().join("wanted");
        fs::write(&wanted, "x").expect("written");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        let (_, module) = module_path!().split_once("::").expect("a crate and a module");
        let test = format!("{module}::exactly_the_call_that_is_meant_fails");
        command.env_clear().env(SECOND, &wanted).args(["--exact", &test]);
        let run = |fault| run(&command, place.path(), fault, LIMIT).expect("traced");
        let kind = Kind::all().find(|kind| kind.row().name == "open").expect("a kind");
        let whole = run(None);
        assert!(whole.ended.status.is_some_and(|status| status.success()) && whole.hit.is_none());
        let count = whole.counts.get(&kind).copied().expect("it opens a file");
        let fails = |nth| run(Some(Fault { kind, nth, act: Act::Fail(Errno::EDQUOT) }));
        let is_wanted =
            |traced: &Traced| traced.hit.as_deref().is_some_and(|hit| Path::new(hit) == wanted);
        let failed = (1..=count).map(fails).find(is_wanted).expect("one of them is the file's");
        assert!(failed.ended.status.is_some_and(|status| !status.success()));
        assert!(fails(count + 9).hit.is_none());
    }
}
