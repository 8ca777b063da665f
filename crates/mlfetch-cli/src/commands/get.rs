//! `mlfetch get`: to disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlfetch::{FetchError, FetchSettings, Mlfetch, Overwrite, Progress, Report, Resolved};

use super::resolved;
use crate::args::{Asked, FetchArgs, GetArgs};
use crate::failure::Failure;
use crate::printer::{self, Display};
use crate::workplace::Workplace;

pub(super) async fn run(arguments: &GetArgs) -> Result<(), Failure> {
    let asked = arguments.source.asked()?;
    let settings = arguments.fetch.settings(Overwrite::IfChanged)?;
    let mlfetch = arguments.connection.mlfetch()?;
    let path = fetch(&mlfetch, asked, &arguments.fetch, settings).await?;
    if arguments.fetch.json { Ok(()) } else { Ok(printer::path(&path)?) }
}

/// Fetches what was asked for, and tells where it is now.
pub(super) async fn fetch(
    mlfetch: &Mlfetch,
    asked: Asked,
    arguments: &FetchArgs,
    settings: FetchSettings,
) -> Result<PathBuf, Failure> {
    let shown = asked.target.display();
    let always_copied = asked.always_copied;
    let parts = resolved(mlfetch, asked.target).await?;
    if arguments.destination().is_none()
        && !always_copied
        && let Some(path) = mlfetch.path_on_this_disk(&parts).await?
    {
        printer::in_place(arguments, &path)?;
        return Ok(path);
    }
    let workplace = Workplace::new(arguments.destination())?;
    let report = transfer(mlfetch, &parts, workplace.path(), arguments, settings).await;
    let report = match report {
        Ok(report) => report,
        // What did arrive stays.
        Err(FetchError::Some(report)) => {
            workplace.keep();
            return Err(Failure::Some(report));
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.error_on_empty && report.is_empty() {
        return Err(Failure::nothing(&shown));
    }
    if !arguments.dry_run {
        workplace.keep();
    }
    Ok(report.path)
}

async fn transfer(
    mlfetch: &Mlfetch,
    parts: &[Resolved],
    destination: &Path,
    arguments: &FetchArgs,
    settings: FetchSettings,
) -> Result<Report, FetchError> {
    let progress = Arc::new(Progress::default());
    let display = Arc::new(Display::new(arguments, Arc::clone(&progress)));
    let drawing = display.draw();
    let observer = Arc::clone(&display);
    let result = mlfetch.fetch_resolved(parts, destination, settings, observer, progress).await;
    drawing.stop().await;
    match &result {
        Ok(report) => display.summary(report),
        Err(FetchError::Some(report)) => display.summary(report),
        Err(_) => {}
    }
    result
}
