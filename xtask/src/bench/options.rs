//! Flags that all measurements have.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;
use tempfile::TempDir;

use crate::metadata::Metadata;

/// How it is measured.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many rounds are measured; in each of them every tool runs once, one after the other
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// The same for tools that take minutes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    slow_rounds: u16,
    /// Which tools, by the names in the table; all without one
    #[arg(long)]
    tool: Vec<String>,
    /// Where the files go
    #[arg(long, value_enum, default_value_t = To::Tmpfs)]
    to: To,
    /// Write the tables to a file too, as Markdown
    #[arg(long, value_name = "FILE")]
    pub(super) write: Option<PathBuf>,
    /// A hundredth of each tree: whether it works, not how fast it is
    #[arg(long, hide = true)]
    smoke: bool,
}

/// What the files are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// Memory, so that no disk is measured
    Tmpfs,
    /// The disk that has the checkout's target directory
    Disk,
}

impl Options {
    pub(super) fn rounds(&self, is_slow: bool) -> u16 {
        if is_slow { self.rounds.min(self.slow_rounds) } else { self.rounds }
    }

    pub(super) fn has(&self, tool: &str) -> bool {
        self.tool.is_empty() || self.tool.iter().any(|chosen| chosen == tool)
    }

    /// What counts and sizes are divided by.
    pub(super) fn divisor(&self) -> u64 {
        if self.smoke { 100 } else { 1 }
    }

    /// A directory for what is fetched, and for what a server's tools need.
    pub(super) fn directory(&self) -> Result<TempDir> {
        let parent = match self.to {
            To::Tmpfs => PathBuf::from("/dev/shm"),
            To::Disk => Metadata::read()?.target_directory,
        };
        tempfile::Builder::new()
            .prefix("mlfetch-bench-")
            .tempdir_in(&parent)
            .with_context(|| format!("cannot make a directory in `{}`", parent.display()))
    }

    /// Nobody pays for what the one before left to be written.
    pub(super) fn settle(&self) {
        if self.to == To::Disk {
            nix::unistd::sync();
        }
    }

    /// For the head of the tables.
    pub(super) fn destination(&self) -> &'static str {
        match self.to {
            To::Tmpfs => "memory (tmpfs)",
            To::Disk => "a disk",
        }
    }
}
