//! Trees that are fetched from one server by several tools, in one run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use tempfile::TempDir;

use super::measure::{self, Cost};
use super::{cells, ratio};
use crate::table::Table;
use crate::{interrupt, report};

#[derive(clap::Args)]
pub(crate) struct Arguments<W: ValueEnum + Clone + Send + Sync + 'static> {
    /// How often each tool runs; the medians are shown
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Which trees; all without one
    #[arg(long, value_enum)]
    work: Vec<W>,
    /// Which tools, by the names in the table; all without one
    #[arg(long)]
    tool: Vec<String>,
    /// Where the trees go: memory, unless another directory is given
    #[arg(long, default_value = "/dev/shm")]
    to: PathBuf,
}

/// A tool and how it is told to fetch a tree into a directory.
pub(super) type Tool<S> = (&'static str, fn(&S, <S as Server>::Work, &Path) -> Command);

/// A server that holds trees. A tree's name is its value on the command line, its title the help.
pub(super) trait Server: Sized + 'static {
    type Work: ValueEnum + Copy + Send + Sync + 'static;

    /// Beside curl, which every server has.
    const TOOLS: &'static [Tool<Self>];

    /// Puts a tree there; gives the names of its files.
    fn seed(&self, work: Self::Work) -> Result<Vec<String>>;

    /// Where curl gets a file.
    fn url(&self, work: Self::Work, name: &str) -> String;

    /// Where below a directory a tool puts the tree.
    fn root(&self, _tool: &str, _work: Self::Work, place: &Path) -> PathBuf {
        place.to_owned()
    }

    /// Whether a file is there; whose bytes are right is for the tests.
    fn is_there(&self, _work: Self::Work, path: &Path) -> bool {
        path.is_file()
    }
}

impl<W: ValueEnum + Copy + Send + Sync> Arguments<W> {
    /// A directory for what is fetched, and for what a server's tools need.
    pub(super) fn directory(&self) -> Result<TempDir> {
        tempfile::tempdir_in(&self.to)
            .with_context(|| format!("cannot make a directory in `{}`", self.to.display()))
    }

    /// Measures, and prints a table for each tree.
    pub(super) fn measure(
        &self,
        server: &impl Server<Work = W>,
        directory: &TempDir,
    ) -> Result<()> {
        let chosen = if self.work.is_empty() { W::value_variants() } else { &self.work };
        for work in chosen {
            let title = title(*work);
            report::say(&format!("seeding {title}"));
            let names = server.seed(*work)?;
            let costs = self.costs(server, *work, &names, directory.path())?;
            report::output(&format!("### {title}\n\n{}\n", table(&costs)));
        }
        Ok(())
    }

    fn costs<S: Server<Work = W>>(
        &self,
        server: &S,
        work: W,
        names: &[String],
        directory: &Path,
    ) -> Result<Vec<(&'static str, Cost)>> {
        let list = directory.join("curl");
        write_curl_list(server, work, names, &list)?;
        let place = directory.join("tree");
        let mut costs = Vec::new();
        let mut measured = |name: &'static str, command: &dyn Fn() -> Command| {
            if !self.tool.is_empty() && !self.tool.iter().any(|tool| tool == name) {
                return Ok(());
            }
            report::say(&format!("{name}: {}", title(work)));
            let cost = measure::median(usize::from(self.runs), || {
                fresh(&place)?;
                Ok(command())
            });
            costs.push((name, cost.with_context(|| format!("{name} failed"))?));
            let root = server.root(name, work, &place);
            check(names, |name| server.is_there(work, &root.join(name)))
                .with_context(|| format!("{name} did not fetch all"))?;
            interrupt::check()
        };
        measured("curl", &|| curl(&list, &place))?;
        for (name, tool) in S::TOOLS {
            measured(name, &|| tool(server, work, &place))?;
        }
        fs::remove_dir_all(&place).context("cannot remove the tree")?;
        Ok(costs)
    }
}

/// As it is called on the command line.
pub(super) fn name(work: impl ValueEnum + Copy) -> String {
    work.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn title(work: impl ValueEnum + Copy) -> String {
    let help = work.to_possible_value().and_then(|value| value.get_help().cloned());
    help.map(|help| help.to_string()).unwrap_or_default()
}

/// A script that seeds, where it can be started.
pub(super) fn script(directory: &Path, text: &str) -> Result<PathBuf> {
    let path = directory.join("seed.py");
    fs::write(&path, text).context("cannot write the script")?;
    Ok(path)
}

/// MLflow's own client.
pub(super) fn mlflow(program: &Path, uri: &str, place: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["artifacts", "download", "-u", uri, "-d"]).arg(place);
    command.env("MLFLOW_DISABLE_TELEMETRY", "true");
    command
}

/// The floor: it knows every name beforehand, signs nothing and checks nothing.
fn curl(list: &Path, place: &Path) -> Command {
    let mut command = Command::new("curl");
    command.args(["-sS", "--fail", "--location", "--parallel", "--parallel-max", "32"]);
    command.args(["--create-dirs", "-K"]).arg(list).current_dir(place);
    command
}

fn write_curl_list<S: Server>(
    server: &S,
    work: S::Work,
    names: &[String],
    list: &Path,
) -> Result<()> {
    let lines =
        names.iter().map(|name| format!("url = \"{}\"\noutput = {name}\n", server.url(work, name)));
    fs::write(list, lines.collect::<String>()).context("cannot write curl's list")
}

/// An empty directory, so that no run finds its work done.
fn fresh(place: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place).context("cannot remove the tree")?;
    }
    fs::create_dir(place).with_context(|| format!("cannot make `{}`", place.display()))
}

pub(super) fn check(names: &[String], is_there: impl Fn(&String) -> bool) -> Result<()> {
    match names.iter().find(|name| !is_there(name)) {
        Some(missing) => bail!("`{missing}` is missing or cut"),
        None => Ok(()),
    }
}

fn table(costs: &[(&str, Cost)]) -> String {
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
        let error = check(&["a/b".to_owned()], |_| false).expect_err("missing");
        assert!(error.to_string().contains("`a/b`"), "{error}");
    }
}
