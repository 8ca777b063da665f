//! `mlfetch ls`: what is there.

use futures_util::TryStreamExt as _;
use mlfetch::{Depth, Filter, Listed, ListedKind, RelativePath};

use super::resolved;
use crate::args::LsArgs;
use crate::failure::Failure;
use crate::oversight::Oversight;
use crate::printer;

pub(super) async fn run(arguments: &LsArgs, oversight: &Oversight) -> Result<(), Failure> {
    let asked = arguments.source.asked()?;
    let filter = arguments.list.filter()?;
    let shown = asked.target.display();
    let mlfetch = arguments.connection.mlfetch(oversight)?;
    let depth = if arguments.list.recursive { Depth::All } else { Depth::One };
    let (mut any, mut missing) = (false, None);
    for part in resolved(&mlfetch, asked.target, &oversight.attempt).await? {
        let rows = match mlfetch.list(&part, depth).await {
            Err(error) if part.target.optional && error.kind() == mlfetch::ErrorKind::NotFound => {
                missing = Some(error);
                continue;
            }
            rows => rows?,
        };
        let mut rows = rows;
        missing = None;
        while let Some(row) = rows.try_next().await? {
            if wants(&filter, &row) {
                any = true;
                printer::row(&row, &arguments.list)?;
            }
        }
    }
    match missing {
        Some(error) if !any => Err(error.into()),
        _ if !any && arguments.list.error_on_empty => Err(Failure::nothing(&shown)),
        _ => Ok(()),
    }
}

/// Patterns are for files; directories are shown where there are none.
fn wants(filter: &Filter, row: &Listed) -> bool {
    if filter.is_all() {
        return true;
    }
    if matches!(row.kind, ListedKind::Directory) {
        return false;
    }
    RelativePath::new(row.path.as_bytes()).is_ok_and(|path| filter.wants(&path))
}
