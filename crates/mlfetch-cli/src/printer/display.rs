//! What is shown while a tree arrives.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle as BarStyle};
use mlfetch::{Event, Observer, Progress, Report, SkipReason};
use tokio::task::JoinHandle;

use super::{BARS, bytes, json, say, text};
use crate::args::{FetchArgs, ProgressStyle};

/// How often a bar is drawn.
const FRAME: Duration = Duration::from_millis(100);
/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

const TEMPLATE: &str =
    "{spinner} {wide_msg} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";

/// Shows events and counters as the flags want it.
pub(crate) struct Display {
    progress: Arc<Progress>,
    style: ProgressStyle,
    json: bool,
    quiet: bool,
    verbose: bool,
    dry_run: bool,
    begun: Instant,
}

impl Display {
    pub(crate) fn new(arguments: &FetchArgs, progress: Arc<Progress>) -> Self {
        let style = match arguments.progress {
            _ if arguments.quiet || arguments.dry_run => ProgressStyle::None,
            ProgressStyle::Auto if std::io::stderr().is_terminal() => ProgressStyle::Bar,
            ProgressStyle::Auto => ProgressStyle::Plain,
            chosen => chosen,
        };
        Self {
            progress,
            style,
            json: arguments.json,
            quiet: arguments.quiet,
            verbose: arguments.verbose || arguments.dry_run && !arguments.quiet,
            dry_run: arguments.dry_run,
            begun: Instant::now(),
        }
    }

    /// Begins to draw.
    pub(crate) fn draw(&self) -> Drawing {
        let progress = Arc::clone(&self.progress);
        match self.style {
            ProgressStyle::Bar => {
                let bar = BARS.add(bar());
                let shown = bar.clone();
                Drawing { bar: Some(bar), task: tokio::spawn(draw_bar(progress, shown)) }
            }
            ProgressStyle::Plain => {
                Drawing { bar: None, task: tokio::spawn(print_lines(progress, self.begun)) }
            }
            _ => Drawing { bar: None, task: tokio::spawn(std::future::ready(())) },
        }
    }

    /// Tells what a fetch did.
    pub(crate) fn summary(&self, report: &Report) {
        let seconds = self.begun.elapsed().as_secs_f64();
        if self.json {
            line(&json::summary(report, seconds));
        }
        if self.quiet {
            return;
        }
        say(&text::summary(report, seconds));
        if let Some(manifest) = &report.manifest {
            say(&format!("tree sha256 {}", manifest.tree_digest()));
        }
        let ways = report.ways.iter().filter(|_| self.verbose && report.planned == 0);
        for (way, why) in ways {
            let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            say(&format!("bytes came by {way}{why}"));
        }
    }
}

impl Observer for Display {
    fn event(&self, event: &Event<'_>) {
        if self.json
            && let Some(value) = json::event(event)
        {
            line(&value);
        }
        match event {
            Event::Committed { path, size, proof } if self.verbose => {
                say(&format!("fetched {path} ({}, proven: {proof})", text::size(*size)));
            }
            Event::Planned { path, size } if self.verbose => {
                let size = size.map_or_else(|| "size not known".to_owned(), text::size);
                say(&format!("would fetch {path} ({size})"));
            }
            Event::Deleted { path } if self.verbose => {
                say(&format!("{} {path}", if self.dry_run { "would delete" } else { "deleted" }));
            }
            Event::Waits { process } if !self.quiet => {
                let process = process.map(|number| format!(" (process {number})"));
                let process = process.unwrap_or_default();
                say(&format!(
                    "another mlfetch{process} brings the same to this place; waiting for it"
                ));
            }
            Event::Skipped { path, reason } if self.verbose => {
                let why = if *reason == SkipReason::Unchanged { "unchanged" } else { "is there" };
                say(&format!("left alone {path} ({why})"));
            }
            _ => {}
        }
    }
}

/// A line of JSON. Best effort, as all that an observer does: the summary's own failure is told.
fn line(value: &serde_json::Value) {
    BARS.suspend(|| {
        let _ = bytes(format!("{value}\n").as_bytes());
    });
}

/// What draws until it is stopped.
pub(crate) struct Drawing {
    bar: Option<ProgressBar>,
    task: JoinHandle<()>,
}

impl Drawing {
    pub(crate) async fn stop(self) {
        self.task.abort();
        // Aborted or finished, it draws no more.
        let _ = self.task.await;
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
            BARS.remove(&bar);
        }
    }
}

fn bar() -> ProgressBar {
    let style = BarStyle::with_template(TEMPLATE).unwrap_or_else(|_| BarStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

async fn draw_bar(progress: Arc<Progress>, bar: ProgressBar) {
    let mut frames = tokio::time::interval(FRAME);
    loop {
        frames.tick().await;
        bar.set_length(progress.found_bytes.load(Ordering::Relaxed));
        bar.set_position(progress.done_bytes.load(Ordering::Relaxed));
        bar.set_message(counted(&progress));
    }
}

async fn print_lines(progress: Arc<Progress>, begun: Instant) {
    let mut lines = tokio::time::interval(LINE_EVERY);
    lines.tick().await;
    loop {
        lines.tick().await;
        let done = progress.done_bytes.load(Ordering::Relaxed);
        let seconds = begun.elapsed().as_secs().max(1);
        let rate = text::size(done / seconds);
        say(&format!("{}, {} at {rate}/s", counted(&progress), text::size(done)));
    }
}

/// `3 of 10 files`; as long as listing goes on, `3 of 10+ files`.
fn counted(progress: &Progress) -> String {
    let done = progress.done_files.load(Ordering::Relaxed);
    let found = progress.found_files.load(Ordering::Relaxed);
    let more = if progress.all_found.load(Ordering::Relaxed) == 0 { "+" } else { "" };
    format!("{done} of {found}{more} files")
}
