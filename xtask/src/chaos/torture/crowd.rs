//! Twenty processes fetch into one destination; in every other round some of them are killed.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::super::fetch::{Ended, Running};
use super::super::random::Random;
use super::super::site::Backend;
use super::super::tree::{BIG_BYTES, Tree};
use super::{Lab, Report, Source, whole};
use crate::interrupt;

const PROCESSES: usize = 20;

/// So many of them are killed, within this time in milliseconds, if they run for so long.
const KILLED: usize = 6;
const KILLED_WITHIN: u64 = 600;

/// No process may take longer.
const LIMIT: Duration = Duration::from_mins(2);

const ALWAYS: &str = "--overwrite=always";

/// What the processes of a round are told besides.
const FLAGS: [&[&str]; 3] = [&[], &[ALWAYS], &["--fsync", "--jobs=2"]];

/// Runs the rounds.
pub(super) fn run(lab: &Lab) -> Result<Report> {
    let rounds = if lab.is_full { 50 } else { 4 };
    let small =
        Tree::new("torture-crowd", &[0, 1, 1000, 4096, 65_536, 100_000, 200_000, 3_000_000]);
    // Some of it can be continued by whoever takes it over.
    let big = Tree::new("torture-crowd-big", &[1000, BIG_BYTES]);
    let sources = [
        (lab.disk(&small)?, &small),
        (lab.site(Backend::S3, &small)?, &small),
        (lab.disk(&big)?, &big),
        (lab.site(Backend::S3, &big)?, &big),
    ];
    let (mut findings, mut killed) = (Vec::new(), 0);
    for round in 0..rounds {
        interrupt::check()?;
        let (source, tree) = &sources[round % sources.len()];
        let flags = FLAGS[round % FLAGS.len()];
        // Each source and each set of flags has its rounds with and without.
        let kills = (round / sources.len() + round) % 2 == 1;
        let crowd = Crowd { lab, source, tree, flags, round, kills };
        let (problems, count) = crowd.run().with_context(|| format!("round {round}"))?;
        lab.tell(&format!("round {round} {flags:?}: {count} killed, {problems:?}"));
        findings.extend(problems.into_iter().map(|problem| format!("round {round}: {problem}")));
        killed += count;
    }
    Ok(Report {
        what: "twenty processes, one destination".to_owned(),
        done: format!("{rounds} rounds, {killed} processes killed"),
        findings,
        table: None,
    })
}

/// One round.
struct Crowd<'a> {
    lab: &'a Lab,
    source: &'a Source,
    tree: &'a Tree,
    flags: &'a [&'a str],
    round: usize,
    kills: bool,
}

impl Crowd<'_> {
    /// What was wrong, and how many were killed.
    fn run(&self) -> Result<(Vec<String>, usize)> {
        let desk = self.lab.desk()?;
        let place = desk.path().join("tree");
        let mut crowd = Vec::new();
        for number in 0..PROCESSES {
            let own = desk.path().join(number.to_string());
            std::fs::create_dir(&own).context("no directory for a process")?;
            crowd.push(self.start(&own, &place)?);
        }
        if self.kills {
            self.kill(&mut crowd)?;
        }
        let ended = crowd.into_iter().map(|running| running.wait(LIMIT));
        let ended = ended.collect::<Result<Vec<Ended>>>()?;
        let is_killed = |ended: &&Ended| {
            self.kills && ended.status.is_some_and(|status| status.signal() == Some(9))
        };
        let killed = ended.iter().filter(is_killed).count();
        let failed = ended.iter().filter(|ended| !is_killed(ended));
        let failed = failed.filter(|ended| !ended.status.is_some_and(|status| status.success()));
        let mut problems: Vec<String> =
            failed.map(|ended| format!("{:?}: {}", ended.status, ended.errors)).collect();
        let found = self.tree.compare(&place)?;
        if !found.wrong.is_empty() {
            problems.push(format!("wrong under a final name: {:?}", found.wrong));
        }
        // Fewer than all were killed: those that lived brought the tree.
        if !found.missing.is_empty() {
            problems.push(format!("missing: {:?}", found.missing));
        }
        if killed == 0 && !found.state.is_empty() {
            problems.push(format!("left behind: {:?}", found.state));
        }
        // Who overwrites always brings all of it, and so does who was killed.
        let came: u64 = ended.iter().map(|ended| fetched(&ended.output)).sum();
        let files = self.tree.files.len() as u64;
        if !self.kills && !self.flags.contains(&ALWAYS) && came != files {
            problems.push(format!("{came} files came for {files}"));
        }
        let last = self.start(desk.path(), &place)?.wait(LIMIT)?;
        let last = whole(self.tree, &last, &place)?;
        problems.extend(last.into_iter().map(|problem| format!("run again, {problem}")));
        Ok((problems, killed))
    }

    fn start(&self, desk: &Path, place: &Path) -> Result<Running> {
        let mut command = self.source.fetch(&self.lab.program, place);
        Running::start(command.arg("--json").args(self.flags), desk)
    }

    /// Kills some, each at a moment of its own.
    fn kill(&self, crowd: &mut [Running]) -> Result<()> {
        let mut random = Random::new(self.round as u64, &["crowd"]);
        let mut order: Vec<usize> = (0..crowd.len()).collect();
        random.shuffle(&mut order);
        let mut moments: Vec<u64> = (0..KILLED).map(|_| random.below(KILLED_WITHIN)).collect();
        moments.sort_unstable();
        let begun = Instant::now();
        for (moment, victim) in moments.into_iter().zip(order) {
            thread::sleep(Duration::from_millis(moment).saturating_sub(begun.elapsed()));
            let Some(running) = crowd.get_mut(victim) else { continue };
            if !running.has_ended()? {
                let id = i32::try_from(running.id()).context("the program's number")?;
                kill(Pid::from_raw(id), Signal::SIGKILL).context("cannot send a signal")?;
            }
        }
        Ok(())
    }
}

/// How many files a process says it fetched.
fn fetched(printed: &str) -> u64 {
    let summary = printed.lines().last().and_then(|line| serde_json::from_str(line).ok());
    summary.and_then(|summary: Value| summary["files"].as_u64()).unwrap_or_default()
}
