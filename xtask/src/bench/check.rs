//! `cargo xtask bench --check`: how many instructions fixed work takes, beside the figures that are
//! committed for the processor's maker. Time differs from run to run and machine to machine; this
//! hardly does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::bucket::{Bucket, NAME, Tree};
use super::tables::thousands;
use super::{machine, testbed};
use crate::table::Table;
use crate::{command, report, workspace};

/// So much more than committed is a failure, and so much less is worth a new figure.
const TOLERANCE_PERCENT: u64 = 5;

/// The least of so many runs is taken: what threads do to each other only adds to it.
const RUNS: usize = 3;

/// What is fetched or listed.
const LIST: Tree = Tree { name: "list", count: 10_000, size_bytes: 4096 };
const SMALL: Tree = Tree { name: "small", count: 1000, size_bytes: 4096 };
const BIG: Tree = Tree { name: "big", count: 1, size_bytes: 128 << 20 };

/// The works by name: the arguments of the program, without the place that it writes to.
const WORKS: [(&str, &[&str], Tree); 4] = [
    ("help", &["--help"], LIST),
    ("list", &["ls", "-R"], LIST),
    ("small", &["get", "-q", "-d"], SMALL),
    ("big", &["get", "-q", "-d"], BIG),
];

/// Instructions by the name of the work.
type Figures = BTreeMap<String, u64>;

/// The same by the maker of the processor: checksums take others with each.
type Committed = BTreeMap<String, Figures>;

/// Counts, and compares or writes.
pub(super) fn run(update: bool) -> Result<()> {
    ensure!(
        command::succeeds(Command::new("valgrind").arg("--version")),
        "instructions are counted by valgrind: install it (Debian: valgrind)"
    );
    let program = testbed::build()?;
    let bucket = Bucket::start(vec![LIST, SMALL, BIG])?;
    let fixed = Fixed { program, bucket };
    let mut counted = Figures::new();
    for (name, words, tree) in WORKS {
        report::say(&format!("counting: {name}"));
        counted.insert(name.to_owned(), fixed.count(words, tree)?);
    }
    let file = workspace::root().join("xtask/bench-check.toml");
    let (vendor, mut all) = (machine::vendor(), read(&file)?);
    if update {
        report::output(&table(&counted, &counted));
        all.insert(vendor, counted);
        return write(&file, &all);
    }
    let committed = all.remove(&vendor).with_context(|| {
        format!("nothing is committed for processors of {vendor}: `--update` adds it")
    })?;
    report::output(&table(&counted, &committed));
    let above = above(&counted, &committed);
    if !above.is_empty() {
        bail!(
            "more than {TOLERANCE_PERCENT} % above the committed figures: {}; find out why, or say \
             in the commit why it is worth it, with `cargo xtask bench --check --update`",
            above.join(", ")
        );
    }
    Ok(())
}

/// Work that is the same each time.
struct Fixed {
    program: PathBuf,
    bucket: Bucket,
}

impl Fixed {
    fn count(&self, words: &[&str], tree: Tree) -> Result<u64> {
        let runs = (0..RUNS).map(|_| self.count_once(words, tree));
        let counts: Vec<u64> = runs.collect::<Result<_>>()?;
        counts.into_iter().min().context("nothing was counted")
    }

    fn count_once(&self, words: &[&str], tree: Tree) -> Result<u64> {
        let directory = tempfile::tempdir().context("cannot make a directory")?;
        let log = directory.path().join("log");
        let mut valgrind = self.bucket.with_keys(Command::new("valgrind"));
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        valgrind.arg(format!("--log-file={}", log.display())).arg(&self.program).args(words);
        if words.ends_with(&["-d"]) {
            valgrind.arg(directory.path().join("tree"));
        }
        if words != ["--help"] {
            valgrind.arg(format!("s3://{NAME}/{}/", tree.name));
        }
        command::capture(&mut valgrind)?;
        let text = fs::read_to_string(&log).context("valgrind wrote no log")?;
        instructions(&text).with_context(|| format!("valgrind does not say a count:\n{text}"))
    }
}

/// From the line `==1== Collected : 123`.
fn instructions(log: &str) -> Option<u64> {
    let (_, rest) = log.split_once("Collected : ")?;
    rest.lines().next()?.trim().parse().ok()
}

/// Names of works that got dearer, or that nobody committed to.
fn above(counted: &Figures, committed: &Figures) -> Vec<String> {
    let is_above = |name: &String, count: u64| match committed.get(name) {
        Some(figure) => count * 100 > figure * (100 + TOLERANCE_PERCENT),
        None => true,
    };
    counted
        .iter()
        .filter(|(name, count)| is_above(name, **count))
        .map(|(name, _)| name.clone())
        .collect()
}

fn table(counted: &Figures, committed: &Figures) -> String {
    let mut table = Table::new(["work", "instructions", "committed", "difference"]);
    for (name, count) in counted {
        let figure = committed.get(name).copied();
        let difference = figure.map_or_else(|| "-".to_owned(), |figure| percent(*count, figure));
        let figure = figure.map_or_else(|| "-".to_owned(), thousands);
        table.row(&[name.clone(), thousands(*count), figure, difference]);
    }
    table.markdown()
}

fn percent(count: u64, figure: u64) -> String {
    let ratio = super::spread::number(count) / super::spread::number(figure.max(1));
    format!("{:+.2} %", (ratio - 1.0) * 100.0)
}

fn read(file: &Path) -> Result<Committed> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    toml::from_str(&text).with_context(|| format!("cannot understand `{}`", file.display()))
}

fn write(file: &Path, committed: &Committed) -> Result<()> {
    let head = "# Instructions of fixed work, as `cargo xtask bench --check --update` counted them, \
                by the maker of the processor.\n";
    let tables = committed.iter().map(|(vendor, figures)| {
        let lines = figures.iter().map(|(name, count)| format!("{name} = {count}\n"));
        format!("\n[{vendor:?}]\n{}", lines.collect::<String>())
    });
    let text = head.to_owned() + &tables.collect::<String>();
    fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(pairs: &[(&str, u64)]) -> Figures {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn only_what_is_well_above_its_figure_fails() {
        let committed = figures(&[("a", 1000), ("b", 1000), ("c", 1000)]);
        let counted = figures(&[("a", 1050), ("b", 1051), ("c", 1), ("new", 1)]);
        assert_eq!(above(&counted, &committed), ["b", "new"]);
    }

    #[test]
    fn the_count_is_found_in_what_valgrind_says() {
        let log = "==7== Events    : Ir\n==7== Collected : 2391847\n==7== \n";
        assert_eq!(instructions(log), Some(2_391_847));
        assert_eq!(instructions("==7== Fatal error"), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let figures = figures(&[("big", 1 << 40), ("small", 0)]);
        let committed = [("AuthenticAMD", figures.clone()), ("GenuineIntel", figures)];
        let committed = committed.map(|(vendor, figures)| (vendor.to_owned(), figures)).into();
        write(file.path(), &committed).expect("written");
        assert_eq!(read(file.path()).expect("read"), committed);
    }
}
