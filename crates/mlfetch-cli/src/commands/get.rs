//! `mlfetch get`: to disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlfetch::audit::Attempt;
use mlfetch::manifest::Lock;
use mlfetch::{
    Error, ErrorKind, FetchError, FetchSettings, FileError, Mlfetch, Overwrite, Progress, Report,
    Resolved,
};

use super::resolved;
use crate::args::{Asked, FetchArgs, GetArgs};
use crate::failure::Failure;
use crate::oversight::Oversight;
use crate::printer::{self, Display};
use crate::workplace::Workplace;

pub(super) async fn run(arguments: &GetArgs, oversight: &Oversight) -> Result<(), Failure> {
    let asked = match &arguments.source {
        // The lock says it.
        source if arguments.fetch.locked && !source.is_given() => None,
        source => Some(source.asked()?),
    };
    let audit_log = arguments.connection.audit_log();
    let settings = arguments.fetch.settings(Overwrite::IfChanged, audit_log)?;
    let mlfetch = arguments.connection.mlfetch(oversight)?;
    let path = fetch(&mlfetch, asked, &arguments.fetch, settings, &oversight.attempt).await?;
    if arguments.fetch.json { Ok(()) } else { Ok(printer::path(&path)?) }
}

/// Fetches what was asked for, and tells where it is now.
pub(super) async fn fetch(
    mlfetch: &Mlfetch,
    asked: Option<Asked>,
    arguments: &FetchArgs,
    mut settings: FetchSettings,
    attempt: &Attempt,
) -> Result<PathBuf, Failure> {
    let lock = arguments.locked(&mut settings)?;
    let (shown, always_copied, targets) = match (lock, asked) {
        (Some(lock), asked) => {
            check_same(&lock, asked.as_ref())?;
            attempt.note("locked", &lock.asked);
            (lock.asked, true, lock.targets)
        }
        (None, Some(asked)) => (asked.target.display(), asked.always_copied, vec![asked.target]),
        (None, None) => return Err(Failure::usage_said("nothing is asked for", "give a URI")),
    };
    let mut parts = Vec::new();
    for target in targets {
        parts.extend(resolved(mlfetch, target, attempt).await?);
    }
    // MLflow copies what comes by way of a run, and names the place of all else that is here.
    let by_way_of_a_run =
        |part: &Resolved| part.trail.hops().iter().skip(1).any(|hop| hop.to.starts_with("runs:"));
    if arguments.destination().is_none()
        && !always_copied
        && !arguments.wants_digests()
        && !parts.iter().any(by_way_of_a_run)
        && let Some(path) = mlfetch.path_on_this_disk(&parts).await?
    {
        attempt.note("in_place", &escaped(&path));
        printer::in_place(arguments, &path)?;
        return Ok(path);
    }
    let workplace = Workplace::new(arguments.destination())?;
    attempt.note("destination", &escaped(workplace.path()));
    let report = transfer(mlfetch, &parts, workplace.path(), arguments, settings, attempt).await;
    let report = match report {
        Ok(report) => report,
        // What did arrive stays.
        Err(error @ (FetchError::Some(_) | FetchError::Expected { .. })) => {
            workplace.keep();
            return Err(error.into());
        }
        Err(error) if parts.iter().any(comes_from_a_server) => {
            return Err(with_the_servers_ways(error).into());
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.error_on_empty && report.is_empty() {
        return Err(Failure::nothing(&shown));
    }
    if !arguments.dry_run {
        workplace.keep();
    }
    arguments.save(&shown, &parts, &report)?;
    Ok(report.path)
}

/// A lock is one of what is asked for.
fn check_same(lock: &Lock, asked: Option<&Asked>) -> Result<(), Failure> {
    match asked.map(|asked| asked.target.display()) {
        Some(asked) if asked != lock.asked => Err(Failure::usage_said(
            &format!("the lock is of `{}`, and `{asked}` is asked for", lock.asked),
            "leave --locked out to write the lock anew",
        )),
        _ => Ok(()),
    }
}

fn escaped(path: &Path) -> String {
    mlfetch::escape(path.as_os_str().as_encoded_bytes())
}

/// Whether a rule leads past a tracking server that has it too.
fn comes_from_a_server(part: &Resolved) -> bool {
    let is_servers = |uri: &str| uri.starts_with("mlflow-artifacts:");
    let hops = part.trail.hops();
    hops.iter().any(|hop| is_servers(&hop.to)) && !is_servers(&part.target.uri)
}

/// Who may ask the server need not be allowed to read the bucket behind it.
fn with_the_servers_ways(error: FetchError) -> FetchError {
    match error {
        FetchError::Source(error) => FetchError::Source(hinted(error)),
        FetchError::File(mut failure) => {
            if let FileError::Store(error) = failure.error {
                failure.error = FileError::Store(hinted(error));
            }
            FetchError::File(failure)
        }
        other => other,
    }
}

fn hinted(error: Error) -> Error {
    if !matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unauthenticated) {
        return error;
    }
    let ways = "the tracking server may give it to you: --via presigned or --via proxy";
    let hint = error.hint().map_or_else(|| ways.to_owned(), |own| format!("{own}; or {ways}"));
    let own = error.message().unwrap_or("permission denied");
    let message = format!("{own}, although the tracking server told where it is");
    error.with_message(message).with_hint(hint)
}

async fn transfer(
    mlfetch: &Mlfetch,
    parts: &[Resolved],
    destination: &Path,
    arguments: &FetchArgs,
    settings: FetchSettings,
    attempt: &Attempt,
) -> Result<Report, FetchError> {
    let progress = Arc::new(Progress::default());
    let display = Arc::new(Display::new(arguments, Arc::clone(&progress)));
    let drawing = display.draw();
    let observer = Arc::clone(&display);
    let result = mlfetch.fetch_resolved(parts, destination, settings, observer, progress).await;
    drawing.stop().await;
    let report = match &result {
        Ok(report) => Some(report),
        Err(FetchError::Some(report) | FetchError::Expected { report, .. }) => Some(&**report),
        Err(_) => None,
    };
    if let Some(report) = report {
        attempt.reported(report);
        display.summary(report);
    }
    result
}
