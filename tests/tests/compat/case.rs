//! One row, run by both programs against one store.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use mlfetch_tests::{Job, Ran, Tree, program, run};

use crate::case_box::CaseBox;
use crate::judge::Judge;
use crate::row::Row;
use crate::store::{OpenStore, StoreKind};
use crate::table::Table;
use crate::words::{fill, split};

const DEADLINE: Duration = Duration::from_mins(1);

/// What one program did, in words that do not depend on where its box was.
pub(crate) struct Did {
    pub(crate) before: Tree,
    pub(crate) after: Tree,
    pub(crate) ran: Ran,
}

/// Runs the row and says all that is not as it must be.
pub(crate) fn check(table: &Table, row: &Row, kind: StoreKind) -> Result<(), String> {
    let store = table.store(kind)?;
    let mlflow = run_in_box(table, row, store, run_mlflow);
    let ours = run_in_box(table, row, store, run_ours);
    let problems = Judge { row, store, trees: table.trees() }.problems(&mlflow, &ours);
    if problems.is_empty() {
        return Ok(());
    }
    let said = |name: &str, did: &Did| {
        let Ran { code, stdout, stderr, took } = &did.ran;
        let end: Vec<&str> = stderr.lines().rev().take(6).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        format!("{name}: exit {code} after {took:?}, {stdout:?}\n    {}", end.join("\n    "))
    };
    let (mlflow, ours) = (said("mlflow", &mlflow), said("mlfetch", &ours));
    Err(format!("{}\n  {mlflow}\n  {ours}", problems.join("\n  ")))
}

fn run_in_box(
    table: &Table,
    row: &Row,
    store: &OpenStore,
    run_program: impl Fn(&Table, &[String], &Path, &[(String, String)]) -> Ran,
) -> Did {
    let case_box = CaseBox::new(table.fresh(), row.before);
    let mut names = store.facts.clone();
    names.extend(case_box.names());
    let mut arguments = vec!["artifacts".to_owned()];
    arguments.extend(split(row.line).iter().map(|word| fill(word, &names)));
    let environment = environment(row, store, &case_box, &names);
    let directory = fill(row.inside, &names);
    let watched = fill(row.watching, &names);
    let look = || {
        let mut tree = case_box.tree();
        if !watched.is_empty() {
            tree.put_all("@watched", &Tree::of(Path::new(&watched)));
        }
        tree
    };
    let before = look();
    let mut ran = run_program(table, &arguments, Path::new(&directory), &environment);
    ran.stdout = case_box.normalise(&ran.stdout);
    Did { before, after: look(), ran }
}

fn environment(
    row: &Row,
    store: &OpenStore,
    case_box: &CaseBox,
    names: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let fixed = [
        ("PATH", "/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
        ("MLFLOW_DISABLE_TELEMETRY", "true"),
        ("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0"),
    ];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut variables: BTreeMap<String, String> = fixed.into_iter().map(own).collect();
    variables.extend(store.environment.iter().cloned());
    variables.extend(case_box.environment().map(|(name, value)| (name.to_owned(), value)));
    for (name, value) in row.environment {
        if value.is_empty() {
            variables.remove(*name);
        } else {
            variables.insert((*name).to_owned(), fill(value, names));
        }
    }
    variables.into_iter().collect()
}

fn run_mlflow(
    table: &Table,
    arguments: &[String],
    directory: &Path,
    environment: &[(String, String)],
) -> Ran {
    table.workers().run(&Job { call: "mlflow.cli:cli", arguments, directory, environment })
}

fn run_ours(
    _: &Table,
    arguments: &[String],
    directory: &Path,
    environment: &[(String, String)],
) -> Ran {
    let mut command = std::process::Command::new(program());
    command.args(arguments).current_dir(directory).env_clear();
    run(command.envs(environment.iter().cloned()), DEADLINE)
}
