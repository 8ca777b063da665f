//! Which tables and columns a database has.

use std::collections::HashSet;

use mlfetch_store::{Error, ErrorKind, Result};

use super::database::{Database, Row};
use super::statement::Statement;

/// The tables that are read.
pub(super) const RUNS: &str = "runs";
pub(super) const EXPERIMENTS: &str = "experiments";
pub(super) const LOGGED_MODELS: &str = "logged_models";
pub(super) const MODELS: &str = "registered_models";
pub(super) const VERSIONS: &str = "model_versions";
pub(super) const ALIASES: &str = "registered_model_aliases";

/// The tables and columns that a database has, of those that are read.
#[derive(Debug)]
pub(super) struct Schema {
    columns: HashSet<(String, String)>,
}

impl Schema {
    /// Asks the database, and refuses one that is not MLflow's.
    pub(super) async fn read(database: &dyn Database) -> Result<Self> {
        let dialect = database.dialect();
        let rows = database.query(Statement::plain(dialect, dialect.columns_query)).await?;
        let schema = Self { columns: rows.into_iter().filter_map(pair).collect() };
        for column in ["run_uuid", "artifact_uri", "experiment_id"] {
            if !schema.has(RUNS, column) {
                return Err(not_mlflow(database.name(), schema.has_table(RUNS), column));
            }
        }
        Ok(schema)
    }

    pub(super) fn has_table(&self, table: &str) -> bool {
        self.columns.iter().any(|(known, _)| known == table)
    }

    pub(super) fn has(&self, table: &str, column: &str) -> bool {
        self.columns.contains(&(table.to_owned(), column.to_owned()))
    }

    /// `shown`, which names `table.column` in a query, if the column is there.
    pub(super) fn if_has<'a>(&self, table: &str, column: &str, shown: &'a str) -> Option<&'a str> {
        self.has(table, column).then_some(shown)
    }
}

/// MySQL gives the names of its own catalogue in upper or lower case; MLflow's are lower.
fn pair(row: Row) -> Option<(String, String)> {
    let mut columns = row.into_iter();
    let (table, column) = (columns.next()??, columns.next()??);
    Some((table.to_lowercase(), column.to_lowercase()))
}

fn not_mlflow(name: &str, has_runs: bool, column: &str) -> Error {
    let error = Error::new(ErrorKind::InvalidInput, "read the database", name);
    if has_runs {
        return error
            .with_message(format!("its table `runs` has no column `{column}`"))
            .with_hint("its schema is of an MLflow that is not known here: `mlflow db upgrade`");
    }
    error
        .with_message("it is not MLflow's: it has no table `runs`")
        .with_hint("check MLFLOW_TRACKING_URI, and that MLflow has written to the database")
}
