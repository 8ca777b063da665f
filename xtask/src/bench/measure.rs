//! What one run of a program costs: time on the wall, time on the processors, memory.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::interrupt;

/// The cost of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) processor: Duration,
    pub(crate) peak_memory_bytes: u64,
}

/// The median of each cost on its own, after one run that warms the caches.
pub(crate) fn median(runs: usize, mut command: impl FnMut() -> Result<Command>) -> Result<Cost> {
    once(&mut command()?)?;
    let mut costs = Vec::with_capacity(runs);
    for _ in 0..runs {
        interrupt::check()?;
        costs.push(once(&mut command()?)?);
    }
    middle(&costs).context("nothing was measured")
}

fn once(command: &mut Command) -> Result<Cost> {
    let before = processor_time_of_children()?;
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
    let mut peak_memory_bytes = 0;
    // The kernel's own figure for a child that ended includes the memory of whoever started it,
    // so the high-water mark is read while the program runs.
    let status = loop {
        peak_memory_bytes = peak_memory_bytes.max(high_water_mark(child.id()));
        if let Some(status) = child.try_wait().context("cannot wait for the program")? {
            break status;
        }
        thread::sleep(Duration::from_micros(200));
    };
    let wall = begun.elapsed();
    if !status.success() {
        bail!("`{}` failed with {status}", command.get_program().display());
    }
    let processor = processor_time_of_children()?.saturating_sub(before);
    Ok(Cost { wall, processor, peak_memory_bytes })
}

fn processor_time_of_children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("cannot ask for processor time")?;
    let time = usage.user_time() + usage.system_time();
    Ok(Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or_default()))
}

fn high_water_mark(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    parse_high_water_mark(&status).unwrap_or_default()
}

fn parse_high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn middle(costs: &[Cost]) -> Option<Cost> {
    Some(Cost {
        wall: median_of(costs.iter().map(|cost| cost.wall))?,
        processor: median_of(costs.iter().map(|cost| cost.processor))?,
        peak_memory_bytes: median_of(costs.iter().map(|cost| cost.peak_memory_bytes))?,
    })
}

fn median_of<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut sorted: Vec<T> = values.collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_not_measured() {
        assert!(once(&mut Command::new("true")).is_ok());
        assert!(once(&mut Command::new("false")).is_err());
    }

    #[test]
    fn an_outlier_does_not_move_the_median() {
        assert_eq!(median_of([900, 2, 1, 3, 2].into_iter()), Some(2));
        assert_eq!(median_of(std::iter::empty::<u8>()), None);
    }

    #[test]
    fn the_kernels_kilobytes_become_bytes() {
        let status = "Name:\tx\nVmPeak:\t  9000 kB\nVmHWM:\t    4096 kB\n";
        assert_eq!(parse_high_water_mark(status), Some(4096 * 1024));
    }
}
