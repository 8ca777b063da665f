//! The whole of a fetch.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures_util::StreamExt as _;
use mlfetch_store::{
    Backends, Entry, ErrorKind, Key, ObjectInfo, Options, Result as StoreResult, RetryPolicy,
    RetryingStore, Store, WalkLimits, walk,
};
use tokio::task::JoinSet;

use super::overwrite::{Compared, Overwrite, compare};
use super::transfer::{Committed, Planned, Transfers};
use super::verify::{Digests, strongest};
use super::{
    Event, FetchError, FetchSettings, FileError, FileFailure, Observer, Progress, Report, Shape,
    SkipReason, Source, part,
};
use crate::destination::{Destination, DestinationError, DestinationProblem};
use crate::layout::join as join_path;
use crate::resolve::{ModelMeta, Resolved, Target};
use crate::{NameRefusal, RelativePath};

/// The file in which MLflow notes which registered model a directory is.
const MODEL_META: &str = "registered_model_meta";

/// Opens stores and brings trees to disk.
#[derive(Debug, Clone)]
pub struct Engine {
    backends: Backends,
    options: Options,
    retry: RetryPolicy,
}

impl Engine {
    /// An engine that opens locations with these backends.
    pub fn new(backends: Backends) -> Self {
        Self { backends, options: Options::new(), retry: RetryPolicy::default() }
    }

    /// With settings for the backends.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// With another patience.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Opens what a target names and finds out whether it is a file.
    ///
    /// # Errors
    /// An unknown scheme, what the backend says, what [`Store::stat`] says.
    pub async fn open(&self, target: &Target) -> StoreResult<Source> {
        let location = target.location()?;
        let opened = self.backends.open(&location, &self.options).await?;
        let store: Arc<dyn Store> = Arc::new(RetryingStore::new(opened.store, self.retry.clone()));
        Source::open(store, &opened.key, &target.path).await
    }

    /// Brings the parts of what was asked for to `destination`, one after the other, each laid
    /// over the one before. Dropping the future stops it and removes what is unfinished.
    ///
    /// # Errors
    /// [`FetchError`]: what was asked for or the destination cannot be used, a file failed, or
    /// some files failed while the others arrived.
    pub async fn fetch(
        &self,
        parts: &[Resolved],
        destination: &Path,
        settings: FetchSettings,
        observer: Arc<dyn Observer>,
        progress: Arc<Progress>,
    ) -> Result<Report, FetchError> {
        Destination::check(destination)?;
        let mut fetch = Fetch {
            path: destination.to_owned(),
            destination: OnceLock::new(),
            settings: Arc::new(settings),
            observer,
            progress,
            report: Report::default(),
            free: None,
        };
        let mut missing = None;
        let mut arrived = false;
        for part in parts {
            match fetch.part(self, &part.target).await {
                Ok(path) if !arrived => {
                    fetch.report.path = path;
                    arrived = true;
                }
                Ok(_) => {}
                Err(FetchError::Source(error))
                    if part.target.optional && error.kind() == ErrorKind::NotFound =>
                {
                    missing.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let (Some(error), false) = (missing, arrived) {
            return Err(error.into());
        }
        fetch.finish()
    }
}

/// A fetch on its way.
struct Fetch {
    path: PathBuf,
    destination: OnceLock<Arc<Destination>>,
    settings: Arc<FetchSettings>,
    observer: Arc<dyn Observer>,
    progress: Arc<Progress>,
    report: Report,
    /// Bytes that may still be planned before the disk is full.
    free: Option<u64>,
}

/// How a file that was started ended.
enum Ended {
    Committed(RelativePath, Committed),
    Skipped(RelativePath, SkipReason),
    Failed(FileFailure),
}

impl Fetch {
    /// One part of what was asked for; gives the path it has now.
    async fn part(&mut self, engine: &Engine, target: &Target) -> Result<PathBuf, FetchError> {
        let source = engine.open(target).await?;
        let arrived = self.tree(&source, target).await?;
        let backend = source.store.info().backend;
        let way = source.store.taken().map(|way| format!("{backend} ({way})"));
        self.report.ways.insert(way.unwrap_or_else(|| backend.to_owned()));
        Ok(arrived)
    }

    /// A file or a directory; gives the path it has now.
    async fn tree(&mut self, source: &Source, target: &Target) -> Result<PathBuf, FetchError> {
        let layout = self.settings.layout;
        if let Shape::File(info) = &source.shape {
            let (_, name) = info.key.split_last();
            let place = layout.place_file(&target.placement, name);
            let mut running = JoinSet::new();
            let info = info.clone();
            self.start(source, info, &place, &mut running).await?;
            self.drain(&mut running, 0).await?;
            self.progress.all_found.store(1, std::sync::atomic::Ordering::Relaxed);
            return Ok(self.at(&place));
        }
        let place = layout.place_directory(&target.placement);
        let has_model = self.directory(source, &place).await?;
        if let (Some(meta), true, true) = (&target.model, has_model, self.settings.model_meta) {
            self.write_model_meta(meta, &place)?;
        }
        Ok(self.at(&place))
    }

    /// A place below the destination; the destination itself has no `/` at its end.
    fn at(&self, place: &[u8]) -> PathBuf {
        if place.is_empty() { self.path.clone() } else { self.path.join(as_path(place)) }
    }

    /// Everything below a directory; tells whether an `MLmodel` lay straight in it.
    async fn directory(&mut self, source: &Source, place: &[u8]) -> Result<bool, FetchError> {
        let prefix = source.key.to_prefix();
        let mut entries = walk(Arc::clone(&source.store), prefix.clone(), WalkLimits::default());
        let mut running = JoinSet::new();
        let (mut found, mut has_model) = (false, false);
        while let Some(entry) = entries.next().await {
            let entry = match entry {
                Ok(entry) => entry,
                // A store that knows directories says so when one is missing: say it better.
                Err(error) if error.kind() == ErrorKind::NotFound && !source.is_root => {
                    source.explain_nothing().await?;
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            };
            found = true;
            has_model |= is_model_file(&entry, &prefix);
            self.entry(source, &prefix, place, entry, &mut running).await?;
        }
        self.progress.all_found.store(1, std::sync::atomic::Ordering::Relaxed);
        self.drain(&mut running, 0).await?;
        if !found {
            source.explain_nothing().await?;
        }
        if !self.settings.dry_run {
            let destination = self.open_destination()?;
            if !place.is_empty() && self.settings.filter.is_all() {
                destination.make_directory(&relative(place).map_err(|_| impossible(place))?)?;
            }
        }
        Ok(has_model)
    }

    async fn entry(
        &mut self,
        source: &Source,
        prefix: &Key,
        place: &[u8],
        entry: Entry,
        running: &mut JoinSet<Ended>,
    ) -> Result<(), FetchError> {
        match entry {
            Entry::Object(info) => {
                let below = info.key.strip_prefix(prefix).unwrap_or_default().to_vec();
                // `dir/` with nothing in it: how object stores write an empty directory.
                if info.size == Some(0) && (below.is_empty() || below.ends_with(b"/")) {
                    return self.make_directory(place, &below);
                }
                match relative(&below) {
                    Ok(path) if !self.settings.filter.wants(&path) => Ok(()),
                    Ok(_) => self.start(source, info, &join_path(place, &below), running).await,
                    Err(refusal) => self.fail(FileFailure::name(&info.key, refusal)),
                }
            }
            Entry::Directory(key) => {
                let below = key.strip_prefix(prefix).unwrap_or_default().to_vec();
                self.make_directory(place, &below)
            }
            Entry::Refused(refused) => {
                let below = refused.key.strip_prefix(prefix).unwrap_or_default().to_vec();
                let unwanted =
                    relative(&below).is_ok_and(|path| !self.settings.filter.wants(&path));
                if unwanted {
                    return Ok(());
                }
                self.fail_entry(FileFailure::new(&refused.key, refused.error))
            }
            _ => Ok(()),
        }
    }

    /// An empty directory is kept; with a pattern only directories of wanted files are.
    fn make_directory(&mut self, place: &[u8], below: &[u8]) -> Result<(), FetchError> {
        let below = below.strip_suffix(b"/").unwrap_or(below);
        if below.is_empty() || self.settings.dry_run || !self.settings.filter.is_all() {
            return Ok(());
        }
        match relative(&join_path(place, below)) {
            Ok(path) => Ok(self.open_destination()?.make_directory(&path)?),
            Err(refusal) => self.fail(FileFailure::name(&Key::new(below), refusal)),
        }
    }

    /// Starts one file, once a place is free.
    async fn start(
        &mut self,
        source: &Source,
        info: ObjectInfo,
        place: &[u8],
        running: &mut JoinSet<Ended>,
    ) -> Result<(), FetchError> {
        let path = match relative(place) {
            Ok(path) => path,
            Err(refusal) => return self.fail(FileFailure::name(&info.key, refusal)),
        };
        self.progress.found(info.size);
        if self.settings.dry_run {
            self.observer.event(&Event::Planned { path: &path, size: info.size });
            self.report.planned += 1;
            self.report.planned_bytes += info.size.unwrap_or_default();
            return Ok(());
        }
        self.drain(running, self.settings.jobs.get() - 1).await?;
        let destination = self.open_destination()?;
        self.reserve(info.size, &destination)?;
        let transfers = Transfers {
            store: Arc::clone(&source.store),
            destination,
            settings: Arc::clone(&self.settings),
            progress: Arc::clone(&self.progress),
        };
        running.spawn(async move { one_file(transfers, info, path).await });
        Ok(())
    }

    /// Waits until at most `left` files are on their way.
    async fn drain(&mut self, running: &mut JoinSet<Ended>, left: usize) -> Result<(), FetchError> {
        while let Some(ended) = running.try_join_next() {
            self.ended(ended)?;
        }
        while running.len() > left {
            if let Some(ended) = running.join_next().await {
                self.ended(ended)?;
            }
        }
        Ok(())
    }

    fn ended(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> Result<(), FetchError> {
        self.progress.done();
        let ended = ended.unwrap_or_else(|cause| {
            let error = mlfetch_store::Error::new(ErrorKind::Other, "fetch", "a file");
            Ended::Failed(FileFailure::new("?", error.with_source(cause)))
        });
        match ended {
            Ended::Committed(path, Committed { size, proof }) => {
                self.observer.event(&Event::Committed { path: &path, size, proof: &proof });
                self.report.files += 1;
                self.report.bytes += size;
                *self.report.proofs.entry(proof).or_default() += 1;
                Ok(())
            }
            Ended::Skipped(path, reason) => {
                self.observer.event(&Event::Skipped { path: &path, reason });
                self.report.unchanged += 1;
                Ok(())
            }
            Ended::Failed(failure) => self.fail(failure),
        }
    }

    /// Notes a failure; stops the rest unless it concerns one name only or all are to be tried.
    fn fail(&mut self, failure: FileFailure) -> Result<(), FetchError> {
        self.observer.event(&Event::Failed(&failure));
        if self.settings.keep_going || failure.error.is_about_the_name() {
            self.report.failures.push(failure);
            return Ok(());
        }
        Err(FetchError::File(Box::new(failure)))
    }

    /// A row of the listing that cannot be fetched never stops its neighbours.
    fn fail_entry(&mut self, failure: FileFailure) -> Result<(), FetchError> {
        self.progress.found(None);
        self.progress.done();
        self.observer.event(&Event::Failed(&failure));
        self.report.failures.push(failure);
        Ok(())
    }

    /// Made only when there is something to put into it.
    fn open_destination(&mut self) -> Result<Arc<Destination>, DestinationError> {
        if let Some(open) = self.destination.get() {
            return Ok(Arc::clone(open));
        }
        let opened = Arc::new(Destination::open(&self.path)?);
        self.free = opened.free_bytes();
        Ok(Arc::clone(self.destination.get_or_init(|| opened)))
    }

    /// Counts a file against the space that was free at the start.
    fn reserve(&mut self, size: Option<u64>, at: &Destination) -> Result<(), DestinationError> {
        let (Some(free), Some(size)) = (self.free, size) else { return Ok(()) };
        let Some(left) = free.checked_sub(size) else {
            return Err(DestinationError::new(at.path(), DestinationProblem::Full)
                .with_detail(format!("{size} bytes more are needed and {free} are free")));
        };
        self.free = Some(left);
        Ok(())
    }

    fn write_model_meta(&mut self, meta: &ModelMeta, place: &[u8]) -> Result<(), FetchError> {
        if self.settings.dry_run {
            return Ok(());
        }
        let place = join_path(place, MODEL_META.as_bytes());
        let path = relative(&place).map_err(|_| impossible(&place))?;
        let destination = self.open_destination()?;
        let mut staged = destination.stage(&path)?;
        std::io::Write::write_all(staged.file(), meta.to_yaml().as_bytes())
            .map_err(|error| DestinationError::from_io(destination.path(), &error))?;
        destination.commit(staged, &path, true)?;
        Ok(())
    }

    fn finish(mut self) -> Result<Report, FetchError> {
        if let Some(destination) = self.destination.take() {
            destination.finish()?;
        }
        self.report.path = std::path::absolute(&self.report.path)
            .map_err(|error| DestinationError::from_io(&self.report.path, &error))?;
        if self.report.failures.is_empty() {
            return Ok(self.report);
        }
        Err(FetchError::Some(Box::new(self.report)))
    }
}

async fn one_file(transfers: Transfers, info: ObjectInfo, path: RelativePath) -> Ended {
    let mode = transfers.settings.overwrite;
    match skip(&transfers, &info, &path, mode).await {
        Ok(Some(reason)) => return Ended::Skipped(path, reason),
        Ok(None) => {}
        Err(error) => return Ended::Failed(FileFailure::of(&path)(error)),
    }
    let replace = matches!(mode, Overwrite::Always | Overwrite::IfChanged);
    let planned = Planned { info, path, replace };
    match transfers.fetch(&planned).await {
        Ok(committed) => Ended::Committed(planned.path, committed),
        Err(error) => Ended::Failed(FileFailure::of(&planned.path)(error)),
    }
}

/// Whether a file that is there already stays.
async fn skip(
    transfers: &Transfers,
    info: &ObjectInfo,
    path: &RelativePath,
    mode: Overwrite,
) -> Result<Option<SkipReason>, FileError> {
    if mode == Overwrite::Always {
        return Ok(None);
    }
    let Some(existing) = transfers.destination.existing(path)? else { return Ok(None) };
    match mode {
        Overwrite::Never => Ok(Some(SkipReason::Exists)),
        Overwrite::Error => {
            let at = transfers.destination.path().join(path.as_path());
            Err(DestinationError::new(at, DestinationProblem::Exists).into())
        }
        _ => match compare(existing, info) {
            Compared::Same => Ok(Some(SkipReason::Unchanged)),
            Compared::Different => Ok(None),
            Compared::NeedsChecksum => {
                let same = same_checksum(transfers, info, path, existing.size).await?;
                Ok(same.then_some(SkipReason::Unchanged))
            }
        },
    }
}

async fn same_checksum(
    transfers: &Transfers,
    info: &ObjectInfo,
    path: &RelativePath,
    size: u64,
) -> Result<bool, FileError> {
    let Some(sum) = strongest(&info.checksums) else { return Ok(false) };
    let Some(digest) = Digests::new(sum.algorithm) else { return Ok(false) };
    let file = transfers.destination.open_existing(path)?;
    let digested = tokio::task::spawn_blocking(move || part::digest_file(&file, digest, size));
    // A file that cannot be read is fetched again.
    Ok(super::transfer::join(digested.await)?.is_ok_and(|ours| ours == sum.value))
}

fn is_model_file(entry: &Entry, prefix: &Key) -> bool {
    matches!(entry, Entry::Object(info) if info.key.strip_prefix(prefix) == Some(b"MLmodel"))
}

fn relative(bytes: &[u8]) -> Result<RelativePath, NameRefusal> {
    RelativePath::new(bytes)
}

/// A place that the user's own path leads to and no path on disk can be.
fn impossible(place: &[u8]) -> FetchError {
    mlfetch_store::Error::new(ErrorKind::InvalidInput, "fetch", mlfetch_store::escape(place))
        .with_message("that cannot be a path on disk")
        .into()
}

fn as_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}
