//! What a directory is held to, and what counts as a failure.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::ValueHint;
use mlfetch::manifest::{Manifest, Sha256Sum, Sums};
use mlfetch::{CompareSettings, Comparison, ExpectedTree, Layout, path_in};

use super::values::LayoutWord;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Verifying")]
pub(crate) struct VerifyArgs {
    /// Compare with the manifest FILE, which get --manifest wrote
    #[arg(
        long,
        value_name = "FILE",
        env = "MLFETCH_MANIFEST",
        hide_env = true,
        value_hint = ValueHint::FilePath
    )]
    manifest: Option<PathBuf>,
    /// Compare with FILE, a list as sha256sum writes it, with names below the directory
    #[arg(
        long,
        value_name = "FILE",
        env = "MLFETCH_CHECKSUMS",
        hide_env = true,
        conflicts_with = "manifest",
        value_hint = ValueHint::FilePath
    )]
    checksums: Option<PathBuf>,
    /// Fail if the digest of everything in the directory is not this
    #[arg(long, value_name = "SHA256", env = "MLFETCH_EXPECT_DIGEST", hide_env = true)]
    expect_digest: Option<String>,
    /// How get laid out what the URI names
    #[arg(long, value_enum, default_value = "mlflow", env = "MLFETCH_LAYOUT", hide_env = true)]
    layout: LayoutWord,
    /// Fail also if files are missing in the directory
    #[arg(long, env = "MLFETCH_FAIL_ON_MISSING_FILES", hide_env = true)]
    fail_on_missing_files: bool,
    /// Fail also if there are files in the directory that do not belong there
    #[arg(long, env = "MLFETCH_FAIL_ON_EXTRA_FILES", hide_env = true)]
    fail_on_extra_files: bool,
    /// Files that are read at the same time
    #[arg(
        short,
        long,
        value_name = "N",
        default_value = "16",
        env = "MLFETCH_JOBS",
        hide_env = true
    )]
    jobs: NonZeroUsize,
    /// Print one JSON object a line: each difference, then a summary
    #[arg(long, env = "MLFETCH_JSON", hide_env = true)]
    pub(crate) json: bool,
    /// No summary: differences, errors and warnings only
    #[arg(short, long, env = "MLFETCH_QUIET", hide_env = true)]
    pub(crate) quiet: bool,
}

impl VerifyArgs {
    /// What a file says that was given.
    pub(crate) fn of_file(&self) -> Result<Option<ExpectedTree>, Failure> {
        Ok(match (&self.manifest, &self.checksums) {
            (Some(path), _) => Some(ExpectedTree::from(&Manifest::read(path)?)),
            (None, Some(path)) => Some(ExpectedTree::from(&Sums::read(path)?)),
            (None, None) => None,
        })
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout.into()
    }

    /// The digest that the directory must have.
    pub(crate) fn digest(&self) -> Result<Option<Sha256Sum>, Failure> {
        Ok(self.expect_digest.as_deref().map(str::parse).transpose()?)
    }

    /// A manifest or list that lies in the directory is no part of it.
    pub(crate) fn settings(&self, directory: &Path) -> Result<CompareSettings, Failure> {
        let mut settings = CompareSettings::new();
        settings.jobs = self.jobs;
        settings.takes_tree_digest = self.expect_digest.is_some();
        for file in [&self.manifest, &self.checksums].into_iter().flatten() {
            settings.ignored.extend(path_in(directory, file)?);
        }
        Ok(settings)
    }

    /// Whether the differences are a failure.
    pub(crate) fn fails(&self, found: &Comparison) -> bool {
        found.changed > 0
            || self.fail_on_missing_files && found.missing > 0
            || self.fail_on_extra_files && found.extra > 0
    }
}
