//! The same trees from the same fake-gcs-server, by mlfetch and by the tools that a user would pick
//! instead. An emulator is a slow server: what counts is the processor time of the client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::build;
use super::measure::{self, Cost};
use super::peers::Peers;
use super::s3::{check, fresh, table};
use crate::services::{Service, Session, Tools, Variables};
use crate::{command, interrupt, report};

/// A tree that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB
    Small,
    /// One object of 1 GiB
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
            Self::Small => "10,000 files of 4 KiB",
            Self::Big => "one object of 1 GiB",
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
    Service::FakeGcs.install(&tools)?;
    let peers = Peers::install(&tools.cache)?;
    let session = Session::start(&[Service::FakeGcs], &tools)?;
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

/// A tool, how it is told to fetch a tree into a directory, and whether it keeps the tree's own name
/// below that.
type Tool = (&'static str, fn(&Bench, Work, &Path) -> Command, bool);

const TOOLS: [Tool; 4] = [
    ("curl", Bench::curl, false),
    ("mlfetch", Bench::mlfetch, false),
    ("rclone", Bench::rclone, false),
    ("mlflow", Bench::mlflow, true),
];

impl Bench {
    /// Puts the tree into the bucket; gives the names of its files.
    fn seed(&self, tools: &Tools, work: Work) -> Result<Vec<String>> {
        let script = self.directory.join("seed_gcs.py");
        fs::write(&script, include_str!("seed_gcs.py")).context("cannot write the script")?;
        let mut python = Command::new(tools.python.interpreter());
        python.arg(script).args([self.variable("URL"), self.variable("BUCKET"), work.name()]);
        report::say(&format!("seeding {}", work.title()));
        Ok(command::capture(&mut python)?.lines().map(str::to_owned).collect())
    }

    fn measure(&self, work: Work, names: &[String]) -> Result<Vec<(&'static str, Cost)>> {
        self.write_curl_list(work, names)?;
        let mut costs = Vec::new();
        for (name, tool, keeps_name) in TOOLS {
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
            let root = if keeps_name { place.join(work.name()) } else { place };
            check(&root, names).with_context(|| format!("{name} did not fetch all"))?;
            costs.push((name, cost));
            interrupt::check()?;
        }
        fs::remove_dir_all(self.directory.join("tree")).context("cannot remove the tree")?;
        Ok(costs)
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(&format!("MLFETCH_TEST_GCS_{name}")).map_or("", String::as_str)
    }

    /// Two levels deep: nearer to the top MLflow loses the first character of every name.
    fn uri(&self, work: Work) -> String {
        format!("gs://{}/bench/{}", self.variable("BUCKET"), work.name())
    }

    fn at_emulator(&self, mut command: Command) -> Command {
        command.env("STORAGE_EMULATOR_HOST", self.variable("URL"));
        command
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = self.at_emulator(Command::new(&self.program));
        command.args(["get", "-q", &format!("{}/", self.uri(work)), "-d"]).arg(place);
        command
    }

    fn rclone(&self, work: Work, place: &Path) -> Command {
        let mut command = self.peers.rclone();
        let remote = format!(
            ":gcs,anonymous=true,endpoint='{}/storage/v1/':{}/bench/{}",
            self.variable("URL"),
            self.variable("BUCKET"),
            work.name()
        );
        // As many at once as ours, and the listing in one sweep: what its documentation advises.
        command.args(["copy", &remote]).arg(place).args(["--transfers=32", "--fast-list", "-q"]);
        command.arg("--config=/dev/null");
        command
    }

    fn mlflow(&self, work: Work, place: &Path) -> Command {
        let mut command = self.at_emulator(Command::new(&self.mlflow));
        command.args(["artifacts", "download", "-u", &self.uri(work), "-d"]).arg(place);
        command.env("MLFLOW_DISABLE_TELEMETRY", "true");
        command
    }

    /// The floor: it knows every name beforehand and checks nothing.
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
        let objects =
            format!("{}/storage/v1/b/{}/o", self.variable("URL"), self.variable("BUCKET"));
        let lines = names.iter().map(|name| {
            let key = format!("bench/{}/{name}", work.name()).replace('/', "%2F");
            format!("url = {objects}/{key}?alt=media\noutput = {name}\n")
        });
        fs::write(self.curl_list(), lines.collect::<String>()).context("cannot write curl's list")
    }
}
