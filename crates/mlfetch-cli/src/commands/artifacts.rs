//! `mlfetch artifacts`: MLflow's own commands.

use futures_util::TryStreamExt as _;
use mlfetch::{Depth, ErrorKind, Listed, ListedKind, Overwrite};

use super::{get, resolved};
use crate::args::{ArtifactsListArgs, DownloadArgs};
use crate::failure::Failure;
use crate::oversight::Oversight;
use crate::printer::{self, MlflowRow};

/// As `mlflow artifacts download`: the same line on standard output, files overwritten.
pub(super) async fn download(
    arguments: &DownloadArgs,
    oversight: &Oversight,
) -> Result<(), Failure> {
    let asked = arguments.source.asked()?;
    let settings = arguments.fetch.settings(Overwrite::Always, arguments.connection.audit_log())?;
    let mlfetch = arguments.connection.mlfetch(oversight)?;
    let path =
        get::fetch(&mlfetch, Some(asked), &arguments.fetch, settings, &oversight.attempt).await?;
    if arguments.fetch.json { Ok(()) } else { Ok(printer::mlflow_path(&path)?) }
}

/// As `mlflow artifacts list`: the run's own directory, without its logged models. A file, a path
/// that is not there and an empty directory are an empty list (MLflow 3.17).
pub(super) async fn list(
    arguments: &ArtifactsListArgs,
    oversight: &Oversight,
) -> Result<(), Failure> {
    let asked = arguments.source.asked()?;
    let mlfetch = arguments.connection.mlfetch(oversight)?;
    let parts = resolved(&mlfetch, asked.target, &oversight.attempt).await?;
    // The run's own artifacts come first, its logged models after them.
    let Some(own) = parts.first() else { return Ok(printer::mlflow_rows(&[])?) };
    let listed = match mlfetch.list(own, Depth::One).await {
        Ok(rows) => rows.try_collect::<Vec<_>>().await,
        Err(error) => Err(error),
    };
    let listed = match listed {
        // Nothing there, or a file.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => {
            Vec::new()
        }
        listed => listed?,
    };
    let directory = arguments.source.path()?;
    let mut rows: Vec<MlflowRow> =
        listed.iter().filter_map(|row| mlflow_row(&directory, row)).collect();
    rows.sort();
    Ok(printer::mlflow_rows(&rows)?)
}

/// A row with its path from the run's root on.
fn mlflow_row(directory: &str, row: &Listed) -> Option<MlflowRow> {
    let below = row.path.as_bytes();
    let (name, size) = match &row.kind {
        ListedKind::File { size, .. } => (below, size.filter(|size| *size > 0)),
        ListedKind::Directory => (below.strip_suffix(b"/").unwrap_or(below), None),
        _ => return None,
    };
    let path = match directory {
        "" => name.to_vec(),
        directory => [directory.as_bytes(), b"/", name].concat(),
    };
    Some(MlflowRow { path, is_directory: matches!(row.kind, ListedKind::Directory), size })
}
