//! A directory that never fills: each file goes as soon as it has its final name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How often it is looked into. What arrives meanwhile takes room.
const OFTEN: Duration = Duration::from_millis(20);

/// The directories in which a program keeps what is not whole yet.
const STAGING: &str = ".mlfetch-";

/// What went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Swallowed {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// A directory that is looked after by a thread of its own.
pub(super) struct Sink {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<Swallowed>>>,
}

impl Sink {
    pub(super) fn begin(place: PathBuf) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut swallowed = Swallowed::default();
            // Once more after it is over.
            while !over.load(Ordering::Acquire) {
                swallow(&place, &mut swallowed)?;
                thread::sleep(OFTEN);
            }
            swallow(&place, &mut swallowed)?;
            Ok(swallowed)
        });
        Self { is_over, thread: Some(thread) }
    }

    /// Ends it, and says what went.
    pub(super) fn end(mut self) -> Result<Swallowed> {
        self.is_over.store(true, Ordering::Release);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(swallowed)) => swallowed.context("cannot look into the sink"),
            _ => bail!("nobody looked into the sink"),
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
    }
}

/// Removes the files of a tree. The directories stay: more may come into them.
fn swallow(directory: &Path, swallowed: &mut Swallowed) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(STAGING.as_bytes()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            swallow(&entry.path(), swallowed)?;
            continue;
        }
        swallowed.bytes += entry.metadata()?.len();
        fs::remove_file(entry.path())?;
        swallowed.files += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_and_are_counted_and_those_that_are_not_whole_stay() {
        let home = tempfile::tempdir().expect("a directory");
        let half = home.path().join(".mlfetch-x");
        let whole = home.path().join("d/e");
        for directory in [&half, &whole] {
            fs::create_dir_all(directory).expect("made");
        }
        let sink = Sink::begin(home.path().to_owned());
        fs::write(half.join("a"), "half").expect("written");
        for number in 0..100 {
            fs::write(half.join("x"), "whole").expect("written");
            fs::rename(half.join("x"), whole.join(number.to_string())).expect("renamed");
        }
        let swallowed = sink.end().expect("looked after");
        assert_eq!(swallowed, Swallowed { files: 100, bytes: 500 });
        assert!(half.join("a").exists() && whole.exists());
    }
}
