//! The same trees from the same MinIO, by mlfetch and by the tools that a user would pick instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::measure::{self, Cost};
use super::peers::Peers;
use super::{build, cells, ratio};
use crate::services::{Service, Session, Tools, Variables};
use crate::table::Table;
use crate::{command, interrupt, report};

const BUCKET: &str = "mlfetch-bench";

/// A tree that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB
    Small,
    /// 270 files, 1 GiB
    Model,
    /// One object of 2 GiB
    Big,
}

impl Work {
    const ALL: [Self; 3] = [Self::Small, Self::Model, Self::Big];

    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Model => "model",
            Self::Big => "big",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Small => "10,000 files of 4 KiB",
            Self::Model => "270 files, 1 GiB",
            Self::Big => "one object of 2 GiB",
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often each tool runs; the medians are shown
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Which trees; all without one
    #[arg(long, value_enum)]
    work: Vec<Work>,
    /// Which tools, by the names in the table; all without one
    #[arg(long)]
    tool: Vec<String>,
    /// Where the trees go: memory, unless another directory is given
    #[arg(long, default_value = "/dev/shm")]
    to: PathBuf,
}

/// Measures, and prints a table for each tree.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let program = build()?;
    let tools = Tools::install()?;
    Service::Minio.install(&tools)?;
    let peers = Peers::install(&tools.cache)?;
    let session = Session::start(&[Service::Minio], &tools)?;
    let directory = tempfile::tempdir_in(&arguments.to)
        .with_context(|| format!("cannot make a directory in `{}`", arguments.to.display()))?;
    let bench = Bench {
        runs: usize::from(arguments.runs),
        wanted: arguments.tool.clone(),
        program,
        mlflow: tools.python.mlflow(),
        peers,
        variables: session.variables().clone(),
        directory: directory.path().to_owned(),
    };
    let chosen = if arguments.work.is_empty() { &Work::ALL[..] } else { &arguments.work };
    for work in chosen {
        let names = bench.seed(&tools, *work)?;
        let costs = bench.measure(*work, &names)?;
        report::output(&format!("### {}\n\n{}\n", work.title(), table(&costs)));
    }
    Ok(())
}

struct Bench {
    runs: usize,
    wanted: Vec<String>,
    program: PathBuf,
    mlflow: PathBuf,
    peers: Peers,
    variables: Variables,
    directory: PathBuf,
}

/// A tool and how it is told to fetch a tree into a directory.
type Tool = (&'static str, fn(&Bench, Work, &Path) -> Command);

const TOOLS: [Tool; 6] = [
    ("curl", Bench::curl),
    ("mlfetch", Bench::mlfetch),
    ("s5cmd", Bench::s5cmd),
    ("rclone", Bench::rclone),
    ("aws", Bench::aws),
    ("mlflow", Bench::mlflow),
];

impl Bench {
    /// Puts the tree into the bucket; gives the names of its files.
    fn seed(&self, tools: &Tools, work: Work) -> Result<Vec<String>> {
        let script = self.directory.join("seed_s3.py");
        fs::write(&script, include_str!("seed_s3.py")).context("cannot write the script")?;
        let mut python = self.with_keys(Command::new(tools.python.interpreter()));
        python.arg(script).args([BUCKET, work.name()]);
        report::say(&format!("seeding {}", work.title()));
        Ok(command::capture(&mut python)?.lines().map(str::to_owned).collect())
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
            check(&place, names).with_context(|| format!("{name} did not fetch all"))?;
            costs.push((name, cost));
            interrupt::check()?;
        }
        fs::remove_dir_all(self.directory.join("tree")).context("cannot remove the tree")?;
        Ok(costs)
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(&format!("MLFETCH_TEST_MINIO_{name}")).map_or("", String::as_str)
    }

    fn with_keys(&self, mut command: Command) -> Command {
        command
            .env("AWS_ACCESS_KEY_ID", self.variable("ACCESS_KEY"))
            .env("AWS_SECRET_ACCESS_KEY", self.variable("SECRET_KEY"))
            .env("AWS_ENDPOINT_URL", self.variable("URL"))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(Command::new(&self.program));
        command.args(["get", "-q", &format!("s3://{BUCKET}/{}/", work.name()), "-d"]).arg(place);
        command
    }

    fn s5cmd(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(self.peers.s5cmd());
        command.args(["--endpoint-url", self.variable("URL"), "--log", "error", "cp"]);
        command
            .arg(format!("s3://{BUCKET}/{}/*", work.name()))
            .arg(format!("{}/", place.display()));
        command
    }

    fn rclone(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(self.peers.rclone());
        let remote = format!(
            ":s3,provider=Minio,env_auth=true,endpoint='{}':{BUCKET}/{}",
            self.variable("URL"),
            work.name()
        );
        // As many at once as ours, and the listing in one sweep: what its documentation advises.
        command.args(["copy", &remote]).arg(place).args(["--transfers=32", "--fast-list", "-q"]);
        command.arg("--config=/dev/null");
        command
    }

    fn aws(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(self.peers.aws());
        command.args(["s3", "cp", "--recursive", "--only-show-errors"]);
        command.arg(format!("s3://{BUCKET}/{}/", work.name())).arg(place);
        command
    }

    fn mlflow(&self, work: Work, place: &Path) -> Command {
        let mut command = self.with_keys(Command::new(&self.mlflow));
        command.args(["artifacts", "download", "-u"]);
        command.arg(format!("s3://{BUCKET}/{}/", work.name())).arg("-d").arg(place);
        command.env("MLFLOW_S3_ENDPOINT_URL", self.variable("URL"));
        command.env("MLFLOW_DISABLE_TELEMETRY", "true");
        command
    }

    /// The floor: it knows every name beforehand, signs nothing and checks nothing.
    fn curl(&self, _: Work, place: &Path) -> Command {
        let mut command = Command::new("curl");
        command.args([
            "-sS",
            "--fail",
            "--parallel",
            "--parallel-max",
            "32",
            "--create-dirs",
            "-K",
        ]);
        command.arg(self.curl_list()).current_dir(place);
        command
    }

    fn curl_list(&self) -> PathBuf {
        self.directory.join("curl")
    }

    fn write_curl_list(&self, work: Work, names: &[String]) -> Result<()> {
        let url = self.variable("URL");
        let lines = names
            .iter()
            .map(|name| format!("url = {url}/{BUCKET}/{}/{name}\noutput = {name}\n", work.name()));
        fs::write(self.curl_list(), lines.collect::<String>()).context("cannot write curl's list")
    }
}

/// An empty directory, so that no run finds its work done.
pub(super) fn fresh(place: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place).context("cannot remove the tree")?;
    }
    fs::create_dir(place).with_context(|| format!("cannot make `{}`", place.display()))
}

/// Every file is there; whose bytes are right is for the tests.
pub(super) fn check(place: &Path, names: &[String]) -> Result<()> {
    match names.iter().find(|name| !place.join(name).is_file()) {
        Some(missing) => bail!("`{missing}` is missing"),
        None => Ok(()),
    }
}

pub(super) fn table(costs: &[(&str, Cost)]) -> String {
    let mut table =
        Table::new(["tool", "wall", "processor", "peak memory", "wall / ours", "processor / ours"]);
    let ours = costs.iter().find(|(name, _)| *name == "mlfetch").map(|(_, cost)| *cost);
    for (name, cost) in costs {
        let [wall, processor, memory] = cells(*cost);
        let times = |of: fn(&Cost) -> f64| {
            ours.map_or_else(|| "-".to_owned(), |ours| ratio(of(cost), of(&ours)))
        };
        let wall_ratio = times(|cost| cost.wall.as_secs_f64());
        let processor_ratio = times(|cost| cost.processor.as_secs_f64());
        table.row(&[(*name).to_owned(), wall, processor, memory, wall_ratio, processor_ratio]);
    }
    table.markdown()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_tool_is_compared_with_ours() {
        let cost = |milliseconds| Cost {
            wall: Duration::from_millis(milliseconds),
            processor: Duration::from_millis(milliseconds),
            peak_memory_bytes: 1 << 20,
        };
        let text = table(&[("s5cmd", cost(3000)), ("mlfetch", cost(1000))]);
        let rows: Vec<&str> = text.lines().filter(|line| line.contains("s5cmd")).collect();
        assert!(rows[0].ends_with("| 3.0 ×       | 3.0 ×            |"), "{text}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = check(directory.path(), &["a/b".to_owned()]).expect_err("missing");
        assert!(error.to_string().contains("`a/b`"), "{error}");
    }
}
