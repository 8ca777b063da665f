//! What one run of a program costs: time on the wall, time on the processors, memory.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// The cost of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) wall: Duration,
    /// On the processors, in the program itself and its children.
    pub(super) user: Duration,
    /// On the processors, in the kernel on its behalf.
    pub(super) system: Duration,
    /// Unknown of a program that was too short to be looked at.
    pub(super) peak_memory_bytes: Option<u64>,
}

impl Cost {
    pub(super) fn processor(&self) -> Duration {
        self.user + self.system
    }
}

/// How often a program's memory is looked at: often enough for one that ends at once, rarely enough
/// not to be what is measured.
const OFTEN: Duration = Duration::from_micros(50);
const RARELY: Duration = Duration::from_millis(10);

/// Runs a program to its end. What it prints is dropped, unless it fails.
pub(super) fn once(command: &mut Command) -> Result<Cost> {
    let name = command.get_program().display().to_string();
    let mut errors = tempfile::tempfile().context("cannot make a file for what it says")?;
    let said = errors.try_clone().context("cannot share the file")?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    let before = Times::of_children()?;
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start `{name}`"))?;
    let has_ended = AtomicBool::new(false);
    let (id, has_ended) = (child.id(), &has_ended);
    let (status, wall, peak_memory_bytes) = thread::scope(|scope| {
        let memory = scope.spawn(move || watch_memory(id, has_ended));
        let status = child.wait();
        let wall = begun.elapsed();
        has_ended.store(true, Ordering::Relaxed);
        (status, wall, memory.join().unwrap_or_default())
    });
    let times = Times::of_children()?;
    let status = status.with_context(|| format!("cannot wait for `{name}`"))?;
    if !status.success() {
        let mut text = Vec::new();
        errors.seek(SeekFrom::Start(0)).and_then(|_| errors.read_to_end(&mut text))?;
        bail!("`{name}` failed with {status}:\n{}", tail(&String::from_utf8_lossy(&text)));
    }
    let user = times.user.saturating_sub(before.user);
    let system = times.system.saturating_sub(before.system);
    Ok(Cost { wall, user, system, peak_memory_bytes })
}

/// The last lines.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// The kernel's own figure for a child that ended includes the memory of whoever started it, so the
/// high-water mark is read while the program runs.
fn watch_memory(id: u32, has_ended: &AtomicBool) -> Option<u64> {
    let begun = Instant::now();
    let mut peak_bytes = None;
    while !has_ended.load(Ordering::Relaxed) {
        peak_bytes = peak_bytes.max(high_water_mark(id));
        thread::sleep((begun.elapsed() / 100).clamp(OFTEN, RARELY));
    }
    peak_bytes
}

pub(crate) fn high_water_mark(id: u32) -> Option<u64> {
    parse_high_water_mark(&fs::read_to_string(format!("/proc/{id}/status")).ok()?)
}

fn parse_high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Of all children that ended.
struct Times {
    user: Duration,
    system: Duration,
}

impl Times {
    fn of_children() -> Result<Self> {
        let usage =
            getrusage(UsageWho::RUSAGE_CHILDREN).context("cannot ask for processor time")?;
        Ok(Self { user: duration(usage.user_time()), system: duration(usage.system_time()) })
    }
}

fn duration(time: TimeVal) -> Duration {
    Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_not_measured_and_its_words_are_told() {
        assert!(once(&mut Command::new("true")).is_ok());
        let mut fails = Command::new("sh");
        let error = once(fails.args(["-c", "echo because >&2; exit 1"])).expect_err("it fails");
        assert!(error.to_string().contains("because"), "{error}");
    }

    #[test]
    fn time_on_the_processor_is_the_programs_own() {
        let spin = "while [ $i -lt 20000 ]; do i=$((i+1)); done";
        let cost = once(Command::new("sh").args(["-c", &format!("i=0; {spin}")])).expect("it runs");
        assert!(cost.user > Duration::ZERO && cost.peak_memory_bytes.is_some(), "{cost:?}");
    }

    #[test]
    fn the_kernels_kilobytes_become_bytes() {
        let status = "Name:\tx\nVmPeak:\t  9000 kB\nVmHWM:\t    4096 kB\n";
        assert_eq!(parse_high_water_mark(status), Some(4096 * 1024));
    }
}
