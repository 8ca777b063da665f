//! `cargo xtask fuzz`: what reads text from outside, with input that nobody thought of.
//!
//! Needs the project's own compiler and no other: coverage is a pass of LLVM that every rustc has.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::table::Table;
use crate::{command, report, workspace};

/// What each input may take (`docs/concepts/limits.md` has larger ones, for larger inputs).
const LIMITS: [&str; 3] = ["-timeout=2", "-rss_limit_mb=256", "-max_len=65536"];

/// As cargo-fuzz has them without a sanitizer: our code has no unsafe block to watch.
const FLAGS: [&str; 9] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // The linker takes the counters for unused otherwise.
    "-Clink-dead-code",
    "-Cdebug-assertions",
    "-Ccodegen-units=1",
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target runs, in seconds; 0 for the kept inputs alone
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// End earlier, after so many inputs
    #[arg(long)]
    inputs: Option<u32>,
    /// What inputs are made from: the same number makes the same ones; another each time without it
    #[arg(long)]
    seed: Option<u32>,
    /// Names of targets; all without one
    targets: Vec<String>,
}

impl Arguments {
    /// A minute for each, from the same seed each time: what somebody's change is told must depend
    /// on chance as little as can be.
    pub(crate) fn for_ci() -> Self {
        Self { seconds: 60, inputs: None, seed: Some(1), targets: Vec::new() }
    }
}

/// Builds the targets and runs each from its corpus, as many at once as there are processors.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let targets = select(&all()?, &arguments.targets)?;
    let programs = build(&targets)?;
    let waiting = Mutex::new(VecDeque::from(targets));
    let done = Mutex::new(Vec::new());
    // Not in the head of the loop, which would hold the lock until its end.
    let next = || lock(&waiting).pop_front();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZeroUsize::get) {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let result = Target::new(&target, &programs).run(arguments);
                    lock(&done).push((target, result));
                }
            });
        }
    });
    finish(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn all() -> Result<Vec<String>> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort_unstable();
    Ok(names)
}

fn select(all: &[String], wanted: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        bail!("no fuzz target is called `{unknown}`; there are: {}", all.join(", "));
    }
    Ok(if wanted.is_empty() { all.to_vec() } else { wanted.to_vec() })
}

/// Gives the directory of the programs.
fn build(targets: &[String]) -> Result<PathBuf> {
    let host = host()?;
    let directory = workspace::root().join("target/fuzz");
    let mut cargo = command::cargo();
    cargo.args(["build", "--locked", "--manifest-path", "fuzz/Cargo.toml"]);
    cargo.arg("--target-dir").arg(&directory);
    // With a target named, build scripts and macros are compiled without the flags.
    cargo.args(["--target", &host]).env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    for target in targets {
        cargo.args(["--bin", target]);
    }
    command::run(&mut cargo)?;
    Ok(directory.join(host).join("debug"))
}

fn host() -> Result<String> {
    let about = command::capture(Command::new("rustc").arg("-vV").current_dir(workspace::root()))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say which machine it is for")
}

/// A target, and where its things lie.
struct Target {
    program: PathBuf,
    /// Inputs by hand, which git keeps.
    seeds: PathBuf,
    /// Inputs that were found to reach more; the next run begins with them.
    grown: PathBuf,
    log: PathBuf,
    /// What inputs are called that break a target.
    found: PathBuf,
}

impl Target {
    fn new(name: &str, programs: &Path) -> Self {
        let scratch = workspace::scratch().join("fuzz");
        Self {
            program: programs.join(name),
            seeds: workspace::root().join("fuzz/corpus").join(name),
            grown: scratch.join("corpus").join(name),
            log: scratch.join(format!("{name}.log")),
            found: scratch.join(format!("{name}-")),
        }
    }

    /// Gives the number of inputs that were tried.
    fn run(&self, arguments: &Arguments) -> Result<u64> {
        for directory in [&self.seeds, &self.grown] {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot make `{}`", directory.display()))?;
        }
        let log = File::create(&self.log)
            .with_context(|| format!("cannot write `{}`", self.log.display()))?;
        let mut fuzzer = Command::new(&self.program);
        let limit = match arguments.seconds {
            0 => "-runs=0".to_owned(),
            seconds => format!("-max_total_time={seconds}"),
        };
        fuzzer.args(LIMITS).arg(limit).arg("-print_final_stats=1");
        // libFuzzer takes the last one.
        fuzzer.args(arguments.inputs.map(|inputs| format!("-runs={inputs}")));
        fuzzer.args(arguments.seed.map(|seed| format!("-seed={seed}")));
        fuzzer.arg(format!("-artifact_prefix={}", self.found.display()));
        fuzzer.arg(&self.grown).arg(&self.seeds);
        fuzzer.stdout(log.try_clone()?).stderr(log);
        let status = command::status(&mut fuzzer)?;
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        if !status.success() {
            bail!("it ended with {status}:\n{}\n{}", end_of(&text), self.advice());
        }
        number_of_inputs(&text).context("libFuzzer did not say how many inputs it tried")
    }

    fn advice(&self) -> String {
        format!(
            "all of it is in `{}`; `{} FILE` shows it again with the file that is named above, \
             which belongs in `{}` once it is mended",
            self.log.display(),
            self.program.display(),
            self.seeds.display(),
        )
    }
}

fn number_of_inputs(log: &str) -> Option<u64> {
    let line = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    line?.trim().parse().ok()
}

/// What panicked, and where the input lies.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let start =
        lines.iter().position(|line| line.contains("panicked at") || line.contains("ERROR:"));
    let start = start.unwrap_or_else(|| lines.len().saturating_sub(30));
    lines[start..].join("\n")
}

fn finish(mut done: Vec<(String, Result<u64>)>) -> Result<()> {
    done.sort_by(|one, other| one.0.cmp(&other.0));
    let mut table = Table::new(["target", "inputs", "result"]);
    for (target, result) in &done {
        let (inputs, word) = match result {
            Ok(inputs) => (inputs.to_string(), "nothing found"),
            Err(_) => (String::new(), "FAILED"),
        };
        table.row(&[target.clone(), inputs, word.to_owned()]);
    }
    report::say(&table.markdown());
    let failed = done.into_iter().find_map(|(target, result)| Some((target, result.err()?)));
    match failed {
        Some((target, error)) => Err(error.context(format!("the fuzz target `{target}` failed"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_seeds_and_each_corpus_its_target() {
        let targets = all().expect("targets");
        assert!(targets.len() >= 9, "{targets:?}");
        let root = workspace::root().join("fuzz/corpus");
        let mut bytes = 0;
        let mut corpora = Vec::new();
        for entry in fs::read_dir(root).expect("corpora") {
            let folder = entry.expect("an entry").path();
            let seeds: Vec<_> = fs::read_dir(&folder).expect("seeds").collect();
            assert!(!seeds.is_empty(), "{}", folder.display());
            let sizes = seeds.into_iter().map(|seed| seed.and_then(|seed| seed.metadata()));
            bytes += sizes.map(|facts| facts.expect("a seed").len()).sum::<u64>();
            corpora.extend(folder.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
        corpora.sort_unstable();
        assert_eq!(corpora, targets);
        assert!(bytes < 200 * 1024, "seeds are small: {bytes} bytes");
    }

    #[test]
    fn a_target_that_is_not_there_is_named() {
        let all = ["a".to_owned(), "b".to_owned()];
        assert_eq!(select(&all, &[]).expect("all"), all);
        assert_eq!(select(&all, &all[1..]).expect("one"), all[1..]);
        let error = select(&all, &["c".to_owned()]).expect_err("unknown");
        assert_eq!(error.to_string(), "no fuzz target is called `c`; there are: a, b");
    }

    #[test]
    fn libfuzzer_s_own_words_are_read() {
        let log =
            "INFO: x\n#1\tDONE\nstat::number_of_executed_units: 4711\nstat::peak_rss_mb: 30\n";
        assert_eq!(number_of_inputs(log), Some(4711));
        assert_eq!(number_of_inputs("INFO: x"), None);
        let log = "INFO: x\nthread '<unnamed>' panicked at src/x.rs:1:\nmessage\nTest unit written to y\n";
        assert!(end_of(log).starts_with("thread") && end_of(log).ends_with("to y"));
    }
}
