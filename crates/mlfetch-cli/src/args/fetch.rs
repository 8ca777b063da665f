//! How it is fetched.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueHint;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use mlfetch::manifest::{self, Lock, Sums};
use mlfetch::{
    BackupSuffix, FetchSettings, Filter, Overwrite, RelativePath, Report, Resolved, path_in,
};

use super::ProgressStyle;
use super::values::{LayoutWord, OverwriteWord, VerifyWord, bytes};
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Fetching")]
pub(crate) struct FetchArgs {
    /// The directory that receives it; made if it is not there. Without it: a new temporary
    /// directory, or, for artifacts that lie on this disk, where they are
    #[arg(
        short,
        long,
        value_name = "DIRECTORY",
        env = "MLFETCH_DST_PATH",
        hide_env = true,
        overrides_with = "dst_path",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        value_hint = ValueHint::DirPath
    )]
    dst_path: Option<PathBuf>,
    /// Which part of the path is kept below the destination
    #[arg(long, value_enum, default_value = "mlflow", env = "MLFETCH_LAYOUT", hide_env = true)]
    layout: LayoutWord,
    /// What happens to files that are there already
    #[arg(long, value_enum, env = "MLFETCH_OVERWRITE", hide_env = true)]
    overwrite: Option<OverwriteWord>,
    /// Only files that match; may be repeated. Without / a name anywhere, with / a path below what
    /// was asked for; * and ? stay within a name, ** crosses directories
    #[arg(long, value_name = "GLOB", env = "MLFETCH_INCLUDE", hide_env = true)]
    include: Vec<String>,
    /// Not files that match; may be repeated, and wins over --include
    #[arg(long, value_name = "GLOB", env = "MLFETCH_EXCLUDE", hide_env = true)]
    exclude: Vec<String>,
    /// What must be proven of each file before it gets its name; the size always is
    #[arg(long, value_enum, default_value = "if-present", env = "MLFETCH_VERIFY", hide_env = true)]
    verify: VerifyWord,
    /// Files, or parts of files, on their way at the same time; without it 32, and more for as long
    /// as that is faster
    #[arg(short, long, value_name = "N", env = "MLFETCH_JOBS", hide_env = true)]
    jobs: Option<NonZeroUsize>,
    /// No more than so many bytes a second, all files together: a number, with K, M or G behind it
    /// for powers of 1024
    #[arg(long, value_name = "RATE", env = "MLFETCH_BWLIMIT", hide_env = true, value_parser = bytes)]
    bwlimit: Option<NonZeroU64>,
    /// No more than so many bytes of files on their way in memory: a number, with K, M or G behind
    /// it; without it 64M, or what --jobs needs. Buffers of the network come on top
    #[arg(long, value_name = "SIZE", env = "MLFETCH_MAX_MEMORY", hide_env = true, value_parser = bytes)]
    max_memory: Option<NonZeroU64>,
    /// Go on with the other files after one failed; the exit code is then 8
    #[arg(long, env = "MLFETCH_KEEP_GOING", hide_env = true)]
    keep_going: bool,
    /// Say what would be fetched and fetch nothing
    #[arg(short = 'n', long, env = "MLFETCH_DRY_RUN", hide_env = true)]
    pub(crate) dry_run: bool,
    /// Write what the tree is made of to FILE: for each file its path, size, SHA-256, source, and
    /// what was proven of it
    #[arg(
        long,
        value_name = "FILE",
        env = "MLFETCH_MANIFEST",
        hide_env = true,
        conflicts_with = "dry_run",
        value_hint = ValueHint::FilePath
    )]
    manifest: Option<PathBuf>,
    /// Refuse each file whose SHA-256 is not that of FILE, a list as sha256sum writes it, with names
    /// below the destination
    #[arg(
        long,
        value_name = "FILE",
        env = "MLFETCH_CHECKSUMS",
        hide_env = true,
        conflicts_with = "dry_run",
        value_hint = ValueHint::FilePath
    )]
    checksums: Option<PathBuf>,
    /// Exit with code 6 if the digest of the tree is not this
    #[arg(
        long,
        value_name = "SHA256",
        env = "MLFETCH_EXPECT_DIGEST",
        hide_env = true,
        conflicts_with = "dry_run"
    )]
    expect_digest: Option<String>,
    /// Write what is needed to fetch exactly the same bytes again to FILE
    #[arg(
        long,
        value_name = "FILE",
        env = "MLFETCH_LOCK",
        hide_env = true,
        conflicts_with = "dry_run",
        value_hint = ValueHint::FilePath
    )]
    lock: Option<PathBuf>,
    /// Fetch what the file of --lock holds: the same bytes from the same places, or fail
    #[arg(
        long,
        env = "MLFETCH_LOCKED",
        hide_env = true,
        requires = "lock",
        conflicts_with_all = ["checksums", "expect_digest", "include", "exclude"]
    )]
    pub(crate) locked: bool,
    /// Keep a file that would be replaced: it gets SUFFIX behind its name
    #[arg(long, value_name = "SUFFIX", env = "MLFETCH_BACKUP", hide_env = true)]
    backup: Option<String>,
    /// Remove files that lie where the tree goes and are not in the store, once all else went well;
    /// -n shows which
    #[arg(long, env = "MLFETCH_DELETE_EXTRANEOUS", hide_env = true)]
    delete_extraneous: bool,
    /// Let the destination appear by one rename, when everything is there; it must not be there
    /// before, unless --backup says what to call it then
    #[arg(long, env = "MLFETCH_ATOMIC_DIR", hide_env = true, conflicts_with = "delete_extraneous")]
    atomic_dir: bool,
    /// Begin big files anew, and keep nothing of those that are not whole at the end
    #[arg(long, env = "MLFETCH_NO_RESUME", hide_env = true)]
    no_resume: bool,
    /// Write each file through to the disk before it gets its name
    #[arg(long, env = "MLFETCH_FSYNC", hide_env = true)]
    fsync: bool,
    /// Do not write MLflow's registered_model_meta beside a model
    #[arg(long, env = "MLFETCH_NO_MODEL_META", hide_env = true)]
    no_model_meta: bool,
    /// Exit with code 9 if nothing is there or no pattern matches
    #[arg(long, env = "MLFETCH_ERROR_ON_EMPTY", hide_env = true)]
    pub(crate) error_on_empty: bool,
    /// Print one JSON object a line instead of the path: each file, then a summary
    #[arg(long, env = "MLFETCH_JSON", hide_env = true)]
    pub(crate) json: bool,
    /// How progress is shown, on standard error
    #[arg(long, value_enum, default_value = "auto", env = "MLFETCH_PROGRESS", hide_env = true)]
    pub(crate) progress: ProgressStyle,
    /// No progress, no summary: errors and warnings only
    #[arg(short, long, env = "MLFETCH_QUIET", hide_env = true)]
    pub(crate) quiet: bool,
    /// Say each file, what was proven of it, and the way it came
    #[arg(short, long, env = "MLFETCH_VERBOSE", hide_env = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

impl FetchArgs {
    /// Where to, if that was said. MLflow takes empty text for nothing.
    pub(crate) fn destination(&self) -> Option<&PathBuf> {
        self.dst_path.as_ref().filter(|path| !path.as_os_str().is_empty())
    }

    /// For the engine; `overwrite` counts where nothing was said, and `audit_log` is where it is,
    /// wherever it lies.
    pub(crate) fn settings(
        &self,
        overwrite: Overwrite,
        audit_log: Option<&Path>,
    ) -> Result<FetchSettings, Failure> {
        let mut settings = FetchSettings::new();
        settings.layout = self.layout.into();
        settings.overwrite = self.overwrite.map_or(overwrite, Into::into);
        settings.filter = filter(&self.include, &self.exclude)?;
        settings.verify = self.verify.into();
        settings.jobs = self.jobs;
        settings.max_memory_bytes = self.max_memory;
        settings.bytes_per_second = self.bwlimit;
        settings.keep_going = self.keep_going;
        settings.dry_run = self.dry_run;
        settings.resume = !self.no_resume;
        settings.backup = self.backup.as_deref().map(BackupSuffix::new).transpose()?.map(Arc::new);
        settings.delete_extraneous = self.delete_extraneous;
        settings.atomic = self.atomic_dir;
        settings.ignored = self.own_files(audit_log);
        settings.fsync = self.fsync;
        settings.model_meta = !self.no_model_meta;
        settings.manifest = self.manifest.is_some() || self.lock.is_some();
        settings.sums = self.checksums.as_deref().map(Sums::read).transpose()?.map(Arc::new);
        settings.tree = self.expect_digest.as_deref().map(str::parse).transpose()?;
        let written = [&self.manifest, &self.lock].into_iter().flatten();
        for path in written.filter(|path| !self.will_be_made(path)) {
            manifest::check_place(path)?;
        }
        Ok(settings)
    }

    /// Whether the same command, run again, goes on where this one ended.
    pub(crate) fn can_go_on(&self) -> bool {
        self.destination().is_some() && !self.dry_run
    }

    /// Files that are written, or read, beside the tree, if they lie in it.
    fn own_files(&self, audit_log: Option<&Path>) -> Vec<RelativePath> {
        let Some(destination) = self.destination() else { return Vec::new() };
        let files = [&self.manifest, &self.lock, &self.checksums].into_iter().flatten();
        let files = files.map(PathBuf::as_path).chain(audit_log);
        // What is not there yet need not be left alone.
        files.filter_map(|file| path_in(destination, file).ok().flatten()).collect()
    }

    /// Whether something is asked of the tree that only a fetch can tell.
    pub(crate) fn wants_digests(&self) -> bool {
        let files = [&self.manifest, &self.checksums, &self.lock];
        files.iter().any(|file| file.is_some()) || self.expect_digest.is_some()
    }

    /// Whether the directory of a file may come into being with the destination.
    fn will_be_made(&self, path: &Path) -> bool {
        let absolute = |path: &Path| std::path::absolute(path).ok();
        let destination = self.destination().and_then(|destination| absolute(destination));
        let is_missing = path.parent().is_some_and(|parent| !parent.exists());
        let lies_in = absolute(path).zip(destination).is_some_and(|(p, d)| p.starts_with(d));
        is_missing && lies_in
    }

    /// What is to be fetched again, with settings that let nothing else come.
    pub(crate) fn locked(&self, settings: &mut FetchSettings) -> Result<Option<Lock>, Failure> {
        let Some(path) = self.lock.as_ref().filter(|_| self.locked) else { return Ok(None) };
        let lock = Lock::read(path)?;
        settings.layout = lock.layout;
        settings.filter = filter(&lock.include, &lock.exclude)?;
        settings.model_meta = lock.model_meta;
        settings.sums = Some(Arc::new(Sums::from(&lock.manifest)));
        settings.tree = Some(lock.manifest.tree_digest());
        Ok(Some(lock))
    }

    /// Writes the manifest and the lock where they were asked for.
    pub(crate) fn save(
        &self,
        asked: &str,
        parts: &[Resolved],
        report: &Report,
    ) -> Result<(), Failure> {
        let Some(manifest) = &report.manifest else { return Ok(()) };
        if let Some(path) = &self.manifest {
            manifest.write(path)?;
        }
        if let Some(path) = self.lock.as_ref().filter(|_| !self.locked) {
            let mut lock = Lock::new(asked, parts, manifest.clone())?;
            lock.layout = self.layout.into();
            (lock.include, lock.exclude) = (lines(&self.include), lines(&self.exclude));
            lock.model_meta = !self.no_model_meta;
            lock.write(path)?;
        }
        Ok(())
    }
}

/// Which files. A variable holds one pattern a line.
pub(super) fn filter(include: &[String], exclude: &[String]) -> Result<Filter, Failure> {
    Ok(Filter::new(&lines(include), &lines(exclude))?)
}

/// Variables hold several values, one a line.
pub(super) fn lines(values: &[String]) -> Vec<String> {
    let lines = values.iter().flat_map(|value| value.lines());
    lines.map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
