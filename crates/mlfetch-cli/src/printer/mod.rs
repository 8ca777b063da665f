//! Everything that is printed: results on standard output, all else on standard error.

mod display;
mod json;
mod mlflow;
mod text;

use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use indicatif::MultiProgress;
use mlfetch::audit::Checked;
use mlfetch::{Comparison, Difference, Listed, Resolved, RetryObserver};

pub(crate) use display::Display;
pub(crate) use mlflow::MlflowRow;

use crate::args::{FetchArgs, ListArgs};
use crate::exit::Exit;
use crate::failure::Failure;

/// The bars at the terminal: a line on standard error makes room for itself first.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A line on standard error.
pub(crate) fn say(line: &str) {
    BARS.suspend(|| {
        // Nobody is left to be told that standard error is gone.
        let _ = writeln!(io::stderr().lock(), "{line}");
    });
}

pub(crate) fn warning(text: &str) {
    say(&format!("warning: {text}"));
}

/// Help and version on standard output, a wrong command line on standard error, as clap has them.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // As above: there is nobody else to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// What failed, why, and what to do next.
pub(crate) fn failure(failure: &Failure) {
    match failure {
        Failure::OutputClosed => {}
        Failure::Usage(error) => drop(usage(error)),
        _ => say(&text::failure(failure)),
    }
}

/// A signal ended it; says how to go on, where that is possible.
pub(crate) fn interrupted(goes_on: bool) {
    say(if goes_on { "interrupted; the same command goes on from here" } else { "interrupted" });
}

/// Says each request that failed and will be made again.
pub(crate) fn retry_observer() -> RetryObserver {
    Arc::new(|event| {
        let seconds = event.wait.as_secs_f64();
        say(&format!("retrying in {seconds:.1} s: {}", event.error));
    })
}

/// The path of a result.
pub(crate) fn path(path: &Path) -> io::Result<()> {
    bytes(&[path.as_os_str().as_bytes(), b"\n"].concat())
}

/// As MLflow 3.17 prints it: an empty line first. Other programs read this line.
pub(crate) fn mlflow_path(path: &Path) -> io::Result<()> {
    bytes(&[b"\n", path.as_os_str().as_bytes(), b"\n"].concat())
}

/// As MLflow 3.17 prints a listing.
pub(crate) fn mlflow_rows(rows: &[MlflowRow]) -> io::Result<()> {
    bytes(mlflow::rows(rows).as_bytes())
}

/// One row of a listing.
pub(crate) fn row(row: &Listed, arguments: &ListArgs) -> io::Result<()> {
    if arguments.json {
        return bytes(format!("{}\n", json::row(row)).as_bytes());
    }
    bytes(&text::row(row, arguments.long))
}

/// In what a directory differs.
pub(crate) fn difference(difference: &Difference, as_json: bool) -> io::Result<()> {
    if as_json {
        return bytes(format!("{}\n", json::difference(difference)).as_bytes());
    }
    bytes(format!("{}\n", text::difference(difference)).as_bytes())
}

/// An audit log that is whole.
pub(crate) fn checked_log(checked: &Checked, as_json: bool) -> io::Result<()> {
    if as_json {
        return bytes(format!("{}\n", json::checked_log(checked)).as_bytes());
    }
    bytes(text::checked_log(checked).as_bytes())
}

/// What a comparison came to.
pub(crate) fn comparison(
    found: &Comparison,
    seconds: f64,
    as_json: bool,
    quiet: bool,
) -> io::Result<()> {
    if !quiet {
        say(&text::comparison(found, seconds));
    }
    if as_json {
        return bytes(format!("{}\n", json::comparison(found, seconds)).as_bytes());
    }
    Ok(())
}

/// The hops to each place, as text.
pub(crate) fn trails(parts: &[Resolved]) -> io::Result<()> {
    bytes(text::trails(parts).as_bytes())
}

/// The hops to each place, as JSON.
pub(crate) fn trails_json(parts: &[Resolved]) -> io::Result<()> {
    bytes(format!("{}\n", json::trails(parts)).as_bytes())
}

/// Tells that nothing was copied, because what was asked for lies on this disk.
pub(crate) fn in_place(arguments: &FetchArgs, path: &Path) -> io::Result<()> {
    if arguments.json {
        return bytes(format!("{}\n", json::in_place(path)).as_bytes());
    }
    if !arguments.quiet {
        say("it lies on this disk and no destination was given: nothing is copied");
    }
    Ok(())
}

/// Bytes on standard output.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}
