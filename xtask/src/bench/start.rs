//! How long a user waits for one small file, beside MLflow's own client.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::measure::{self, Cost};
use super::{build, cells, ratio};
use crate::services::{Service, Session, Tools};
use crate::table::Table;
use crate::{command, report};

/// Logs one file of 37 bytes and prints the run's identifier.
const LOG_ONE_FILE: &str = "\
import mlflow
with mlflow.start_run() as run:
    mlflow.log_text('a small file, one line, no surprises\\n', 'f')
print(run.info.run_id)
";

const URI_VARIABLE: &str = "MLFLOW_TRACKING_URI";

pub(crate) fn run(runs: usize) -> Result<()> {
    let program = build()?;
    let tools = Tools::install()?;
    let session = Session::start(&[Service::MlflowProxied], &tools)?;
    let server = session
        .variables()
        .get("MLFETCH_TEST_MLFLOW_PROXIED")
        .context("the MLflow server did not say its address")?;
    let mut python = Command::new(tools.python.interpreter());
    python.args(["-c", LOG_ONE_FILE]).env(URI_VARIABLE, server);
    let output = command::capture(&mut python)?;
    let run_id = output.lines().last().context("MLflow did not print the run")?.trim();
    let bench = Bench { runs, server, run_id, directory: tempfile::tempdir()? };
    let ours = bench.ours(&program)?;
    let theirs = bench.theirs(&tools.python.mlflow())?;
    let help = measure::median(runs, || {
        let mut command = Command::new(&program);
        command.arg("--help");
        Ok(command)
    })?;
    report::output(&table(ours, theirs, help));
    Ok(())
}

struct Bench<'a> {
    runs: usize,
    server: &'a str,
    run_id: &'a str,
    directory: tempfile::TempDir,
}

impl Bench<'_> {
    fn ours(&self, program: &Path) -> Result<Cost> {
        measure::median(self.runs, || {
            let mut command = Command::new(program);
            command.args(["get", &format!("runs:/{}/f", self.run_id), "-d"]);
            command.arg(self.destination()?).env(URI_VARIABLE, self.server);
            Ok(command)
        })
    }

    fn theirs(&self, program: &Path) -> Result<Cost> {
        measure::median(self.runs, || {
            let mut command = Command::new(program);
            command.args(["artifacts", "download", "-r", self.run_id, "-a", "f", "-d"]);
            command.arg(self.destination()?).env(URI_VARIABLE, self.server);
            Ok(command)
        })
    }

    /// A new place each time, so that no run finds its work done.
    fn destination(&self) -> Result<PathBuf> {
        let place = tempfile::tempdir_in(self.directory.path());
        Ok(place.context("cannot make a place to download to")?.keep())
    }
}

fn table(ours: Cost, theirs: Cost, help: Cost) -> String {
    let mut table = Table::new(["command", "wall", "processor", "peak memory"]);
    let named =
        [("mlfetch get", ours), ("mlflow artifacts download", theirs), ("mlfetch --help", help)];
    for (name, cost) in named {
        let [wall, processor, memory] = cells(cost);
        table.row(&[name.to_owned(), wall, processor, memory]);
    }
    table.row(&[
        "mlflow / mlfetch get".to_owned(),
        ratio(theirs.wall.as_secs_f64(), ours.wall.as_secs_f64()),
        ratio(theirs.processor.as_secs_f64(), ours.processor.as_secs_f64()),
        memory_ratio(theirs, ours),
    ]);
    table.markdown()
}

fn memory_ratio(theirs: Cost, ours: Cost) -> String {
    // Whole kibibytes of a process's memory fit exactly.
    let kibibytes = |cost: Cost| u32::try_from(cost.peak_memory_bytes / 1024).unwrap_or(u32::MAX);
    ratio(f64::from(kibibytes(theirs)), f64::from(kibibytes(ours)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_table_ends_with_the_ratios() {
        let cost = |milliseconds, peak_memory_bytes| Cost {
            wall: Duration::from_millis(milliseconds),
            processor: Duration::from_millis(milliseconds / 2),
            peak_memory_bytes,
        };
        let text = table(cost(20, 8 << 20), cost(3000, 160 << 20), cost(2, 4 << 20));
        let last = text.lines().last().expect("a table has lines");
        let cells: Vec<&str> = last.split('|').map(str::trim).collect();
        assert_eq!(cells[1..5], ["mlflow / mlfetch get", "150.0 ×", "150.0 ×", "20.0 ×"]);
    }
}
