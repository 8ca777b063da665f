//! A machine that has little: 64 handles, one processor, and no more than 256 MiB of memory used.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::super::fetch::{Ended, Running};
use super::super::random::Random;
use super::super::site::Backend;
use super::super::tree::{MIB, Tree};
use super::{Lab, Report, Source, whole};
use crate::bench::measure::high_water_mark;

/// No run may take longer.
const LIMIT: Duration = Duration::from_mins(10);

/// A limit on addresses (`ulimit -v`) would count what is never used, and one of a control group also
/// what the kernel keeps of files: what the program itself holds is read while it runs.
const MEMORY_BYTES: u64 = 256 << 20;

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Becomes the program, with less than the system gives.
const LIMITED: &str = "ulimit -n 64; exec taskset -c 0 \"$@\"";

/// Fetches many small files and a big one, with all there is and with little.
pub(super) fn run(lab: &Lab) -> Result<Report> {
    let (files, big_bytes) = if lab.is_full { (10_000, 2048 * MIB) } else { (500, 96 * MIB + 5) };
    let tree = tree(files, big_bytes);
    let sources = [("disk", lab.disk(&tree)?), ("s3", lab.site(Backend::S3, &tree)?)];
    let (mut findings, mut done) = (Vec::new(), Vec::new());
    for (name, source) in &sources {
        let free = fetch(lab, source, &tree, false)?;
        let limited = fetch(lab, source, &tree, true)?;
        let mebibytes = |bytes: u64| bytes.div_ceil(MIB as u64);
        done.push(format!(
            "{name}: {:.1} s and {} MiB instead of {:.1} s and {} MiB",
            limited.ended.time.as_secs_f64(),
            mebibytes(limited.peak_bytes),
            free.ended.time.as_secs_f64(),
            mebibytes(free.peak_bytes)
        ));
        for run in [free, limited] {
            findings.extend(run.problems.into_iter().map(|problem| format!("{name}: {problem}")));
            if run.peak_bytes > MEMORY_BYTES {
                findings.push(format!("{name}: it took {} MiB", mebibytes(run.peak_bytes)));
            }
        }
    }
    let mebibytes = big_bytes / MIB;
    Ok(Report {
        what: "64 handles, one processor".to_owned(),
        done: format!("{files} files and one of {mebibytes} MiB; {}", done.join("; ")),
        findings,
        table: None,
    })
}

/// Small files in some directories, and a big one.
fn tree(files: usize, big_bytes: usize) -> Tree {
    let mut random = Random::new(1, &["limits"]);
    let name = |number: usize| format!("d{:02}/f{number:04}.bin", number % 100);
    let files = (0..files).map(|number| (name(number), random.bytes(number % 8192)));
    let mut tree = Tree { name: "torture-limits".to_owned(), files: files.collect() };
    tree.files.insert("big.bin".to_owned(), random.bytes(big_bytes));
    tree
}

/// What a run came to.
struct Limited {
    ended: Ended,
    peak_bytes: u64,
    problems: Vec<String>,
}

fn fetch(lab: &Lab, source: &Source, tree: &Tree, is_limited: bool) -> Result<Limited> {
    let desk = lab.desk()?;
    let place = desk.path().join("tree");
    let mut command = source.fetch(&lab.program, &place);
    if is_limited {
        command = limited(&command);
    }
    let mut running = Running::start(&mut command, desk.path())?;
    let (begun, mut peak_bytes) = (Instant::now(), 0);
    while !running.has_ended()? && begun.elapsed() < LIMIT {
        peak_bytes = peak_bytes.max(high_water_mark(running.id()).unwrap_or_default());
        thread::sleep(LOOK_EVERY);
    }
    let ended = running.wait(LIMIT)?;
    let problems = whole(tree, &ended, &place)?;
    Ok(Limited { ended, peak_bytes, problems })
}

fn limited(program: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", LIMITED, "sh"]).arg(program.get_program()).args(program.get_args());
    shell.env_clear().env("PATH", "/usr/bin:/bin");
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_limited_has_few_handles_and_the_variables_it_should() {
        let mut program = Command::new("sh");
        program.args(["-c", "test \"$(ulimit -n)\" = 64 && test \"$A\" = b && exit 9"]);
        let status = limited(program.env("A", "b")).status().expect("it runs");
        assert_eq!(status.code(), Some(9));
    }
}
