//! The same files from the same HDFS, by mlfetch, by Hadoop's own client and by curl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::build;
use super::measure::{self, Cost};
use super::s3::{fresh, table};
use crate::services::{Service, Session, Tools, Variables};
use crate::{command, interrupt, report};

/// Files that are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 2,000 files of 4 KiB
    Small,
    /// One file of 1 GiB in 8 blocks
    Big,
}

impl Work {
    const ALL: [Self; 2] = [Self::Small, Self::Big];

    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Big => "big",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Small => "2,000 files of 4 KiB",
            Self::Big => "one file of 1 GiB in 8 blocks",
        }
    }

    /// How many files of which size in bytes.
    fn files(self) -> (usize, usize) {
        match self {
            Self::Small => (2000, 4 << 10),
            Self::Big => (1, 1 << 30),
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often each tool runs; the medians are shown
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Which files; all without one
    #[arg(long, value_enum)]
    work: Vec<Work>,
    /// Which tools, by the names in the table; all without one
    #[arg(long)]
    tool: Vec<String>,
    /// Where the files go: memory, unless another directory is given
    #[arg(long, default_value = "/dev/shm")]
    to: PathBuf,
}

/// Measures, and prints a table for each work.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let program = build()?;
    let tools = Tools::install()?;
    Service::Hdfs.install(&tools)?;
    let session = Session::start(&[Service::Hdfs], &tools)?;
    let directory = tempfile::tempdir_in(&arguments.to)
        .with_context(|| format!("cannot make a directory in `{}`", arguments.to.display()))?;
    let bench = Bench {
        runs: usize::from(arguments.runs),
        wanted: arguments.tool.clone(),
        program,
        variables: session.variables().clone(),
        directory: directory.path().to_owned(),
    };
    let chosen = if arguments.work.is_empty() { &Work::ALL[..] } else { &arguments.work };
    for work in chosen {
        let names = bench.seed(*work)?;
        let costs = bench.measure(*work, &names)?;
        report::output(&format!("### {}\n\n{}\n", work.title(), table(&costs)));
    }
    Ok(())
}

struct Bench {
    runs: usize,
    wanted: Vec<String>,
    program: PathBuf,
    variables: Variables,
    directory: PathBuf,
}

/// A tool and how it is told to fetch the files into a directory.
type Tool = (&'static str, fn(&Bench, Work, &Path) -> Command);

const TOOLS: [Tool; 4] = [
    ("curl", Bench::curl),
    ("mlfetch", Bench::mlfetch),
    ("mlfetch without checksums", Bench::mlfetch_without_checksums),
    ("FsShell -get", Bench::shell_get),
];

impl Bench {
    /// Puts the files into HDFS by Hadoop's own client; gives their names.
    fn seed(&self, work: Work) -> Result<Vec<String>> {
        report::say(&format!("seeding {}", work.title()));
        let local = self.directory.join(work.name());
        fs::create_dir(&local).context("cannot make the files")?;
        let (count, size) = work.files();
        let names: Vec<String> = (0..count).map(|number| format!("{number:04}.bin")).collect();
        for (number, name) in names.iter().enumerate() {
            fs::write(local.join(name), noise(number, size)).context("cannot make the files")?;
        }
        let mut put = self.shell();
        command::capture(put.arg("-put").arg(&local).arg(format!("/{}", work.name())))?;
        fs::remove_dir_all(&local).context("cannot remove the files")?;
        Ok(names)
    }

    fn measure(&self, work: Work, names: &[String]) -> Result<Vec<(&'static str, Cost)>> {
        self.write_curl_list(work, names)?;
        let mut costs = Vec::new();
        for (name, tool) in TOOLS {
            if !self.wanted.is_empty() && !self.wanted.iter().any(|tool| tool == name) {
                continue;
            }
            report::say(&format!("{name}: {}", work.title()));
            let place = self.directory.join("tree");
            let cost = measure::median(self.runs, || {
                fresh(&place)?;
                Ok(tool(self, work, &place))
            });
            let cost = cost.with_context(|| format!("{name} failed"))?;
            check(&place, names, work).with_context(|| format!("{name} did not fetch all"))?;
            costs.push((name, cost));
            interrupt::check()?;
        }
        fs::remove_dir_all(self.directory.join("tree")).context("cannot remove the tree")?;
        Ok(costs)
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(&format!("MLFETCH_TEST_HDFS_{name}")).map_or("", String::as_str)
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["get", "-q", &format!("hdfs:///{}/", work.name()), "--layout", "contents"]);
        command.arg("-d").arg(place).env("HADOOP_CONF_DIR", self.variable("CONF"));
        command.env("HADOOP_USER_NAME", self.variable("USER"));
        command
    }

    fn mlfetch_without_checksums(&self, work: Work, place: &Path) -> Command {
        let mut command = self.mlfetch(work, place);
        command.args(["--hdfs-checksums", "false"]);
        command
    }

    /// Hadoop's own client. It speaks with DataNodes in its own way, and checks every chunk.
    fn shell(&self) -> Command {
        let mut command = Command::new("java");
        let classpath = format!("{}:{}/*", self.variable("CONF"), self.variable("LIBRARIES"));
        command.args(["-cp", &classpath, "org.apache.hadoop.fs.FsShell"]);
        command.env("HADOOP_USER_NAME", self.variable("USER"));
        command
    }

    fn shell_get(&self, work: Work, place: &Path) -> Command {
        let mut command = self.shell();
        command.args(["-get", "-t", "16", &format!("/{}/*", work.name())]).arg(place);
        command
    }

    /// The floor: it knows every name beforehand and checks nothing.
    fn curl(&self, _: Work, place: &Path) -> Command {
        let mut command = Command::new("curl");
        command.args(["-sS", "--fail", "--location", "--parallel", "--parallel-max", "32", "-K"]);
        command.arg(self.curl_list()).current_dir(place);
        command
    }

    fn curl_list(&self) -> PathBuf {
        self.directory.join("curl")
    }

    fn write_curl_list(&self, work: Work, names: &[String]) -> Result<()> {
        let (url, user) = (self.variable("URL"), self.variable("USER"));
        let lines = names.iter().map(|name| {
            let path = format!("/webhdfs/v1/{}/{name}?op=OPEN&user.name={user}", work.name());
            format!("url = \"{url}{path}\"\noutput = {name}\n")
        });
        fs::write(self.curl_list(), lines.collect::<String>()).context("cannot write curl's list")
    }
}

/// Bytes that no file system and no network makes smaller.
fn noise(number: usize, size: usize) -> Vec<u8> {
    let mut state = number as u64 + 1;
    let words = std::iter::repeat_with(move || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state ^ (state >> 29)).to_le_bytes()
    });
    words.flatten().take(size).collect()
}

/// Every file is there with its size; whose bytes are right is for the tests.
fn check(place: &Path, names: &[String], work: Work) -> Result<()> {
    let (_, size) = work.files();
    let is_there = |name: &String| {
        fs::metadata(place.join(name)).is_ok_and(|facts| facts.len() == size as u64)
    };
    match names.iter().find(|name| !is_there(name)) {
        Some(missing) => bail!("`{missing}` is missing or cut"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_cut_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let names = ["0000.bin".to_owned()];
        fs::write(directory.path().join(&names[0]), noise(0, 4096)).expect("written");
        check(directory.path(), &names, Work::Small).expect("it is whole");
        let error = check(directory.path(), &names, Work::Big).expect_err("it is cut");
        assert!(error.to_string().contains("`0000.bin`"), "{error}");
    }
}
