//! A fetch on its way: walks, starts files, collects what became of them.

use std::collections::HashMap;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use mlfetch_store::{Entry, Error, ErrorKind, Key, ObjectInfo, Refused, Walk, WalkLimits, walk};
use tokio::sync::Semaphore;
use tokio::task::{Id, JoinError, JoinSet};

use super::conflict::Course;
use super::file::{Ended, explained, one_file};
use super::meta::note_model;
use super::room::Room;
use super::transfer::{Committed, Transfers, blocking};
use super::{
    Engine, Event, FetchError, FetchSettings, FileError, FileFailure, Observer, Progress, Report,
    Shape, Source,
};
use crate::destination::Destination;
use crate::layout::join;
use crate::resolve::Target;
use crate::{NameRefusal, RelativePath};

type Result<T> = std::result::Result<T, FetchError>;

/// A fetch on its way. Dropped before it is finished, it leaves nothing but whole files.
pub(super) struct Fetch {
    destination: Arc<Destination>,
    settings: Arc<FetchSettings>,
    observer: Arc<dyn Observer>,
    progress: Arc<Progress>,
    room: Arc<Room>,
    turns: Arc<Semaphore>,
    running: JoinSet<Ended>,
    /// The files that are on their way.
    started: HashMap<Id, Started>,
    report: Report,
    /// Whether a part was there.
    has_arrived: bool,
    /// Whether the destination was made, or was there.
    is_made: bool,
}

struct Started {
    path: RelativePath,
    size: Option<u64>,
}

/// What comes first: a row of the listing, its end, or the end of a file.
enum Next {
    Row(Option<mlfetch_store::Result<Entry>>),
    Ended(Option<std::result::Result<(Id, Ended), JoinError>>),
}

impl Fetch {
    /// Makes nothing yet.
    pub(super) fn begin(
        destination: &Path,
        settings: FetchSettings,
        observer: Arc<dyn Observer>,
        progress: Arc<Progress>,
    ) -> Result<Self> {
        let turns = settings.jobs.get().min(Semaphore::MAX_PERMITS);
        let destination = Destination::open(destination)?;
        let report = Report { path: destination.path().to_owned(), ..Report::default() };
        Ok(Self {
            destination: Arc::new(destination),
            settings: Arc::new(settings),
            observer,
            progress,
            room: Arc::default(),
            turns: Arc::new(Semaphore::new(turns)),
            running: JoinSet::new(),
            started: HashMap::new(),
            report,
            has_arrived: false,
            is_made: false,
        })
    }

    /// Whether a part was there.
    pub(super) fn has_arrived(&self) -> bool {
        self.has_arrived
    }

    /// One part of what was asked for.
    pub(super) async fn part(
        &mut self,
        engine: &Engine,
        target: &Target,
        is_last: bool,
    ) -> Result<()> {
        let source = engine.open(target).await?;
        let place = match &source.shape {
            Shape::File(info) => self.file(&source, info.clone(), target, is_last).await?,
            _ => self.directory(&source, target, is_last).await?,
        };
        if !std::mem::replace(&mut self.has_arrived, true) {
            self.report.path = self.at(&place);
        }
        let backend = source.store.info().backend;
        let way = source.store.taken().map(|way| format!("{backend} ({way})"));
        self.report.ways.insert(way.unwrap_or_else(|| backend.to_owned()));
        Ok(())
    }

    /// The one file that was asked for by its name, which no pattern leaves out.
    async fn file(
        &mut self,
        source: &Source,
        info: ObjectInfo,
        target: &Target,
        is_last: bool,
    ) -> Result<Vec<u8>> {
        let (prefix, name) = info.key.split_last();
        let place = self.settings.layout.place_file(&target.placement, name);
        let (above, _) = Key::new(place.clone()).split_last();
        let above = above.as_bytes().strip_suffix(b"/").unwrap_or_default().to_vec();
        let transfers = self.transfers(source, Course { prefix, place: above });
        self.start(&transfers, info, &place).await?;
        if is_last {
            self.progress.found_all();
        }
        self.drain(0).await?;
        Ok(place)
    }

    /// Everything below a directory.
    async fn directory(
        &mut self,
        source: &Source,
        target: &Target,
        is_last: bool,
    ) -> Result<Vec<u8>> {
        let place = self.settings.layout.place_directory(&target.placement);
        let own = checked_place(&place)?;
        let course = Course { prefix: source.key.to_prefix(), place: place.clone() };
        let transfers = self.transfers(source, course);
        self.walk(source, &transfers).await?;
        if is_last {
            self.progress.found_all();
        }
        self.drain(0).await?;
        if !self.settings.dry_run {
            self.make_place(own).await?;
            if let (Some(model), true) = (&target.model, self.settings.model_meta) {
                note_model(&transfers, model).await.map_err(of_destination)?;
            }
        }
        Ok(place)
    }

    async fn walk(&mut self, source: &Source, transfers: &Arc<Transfers>) -> Result<()> {
        let prefix = transfers.course.prefix.clone();
        let mut rows = walk(Arc::clone(&source.store), prefix, WalkLimits::default());
        let mut found = false;
        while let Some(row) = self.next_row(&mut rows).await? {
            match row {
                Ok(entry) => self.entry(transfers, entry).await?,
                // A store that knows directories says so when one is missing: say it better.
                Err(error) if error.kind() == ErrorKind::NotFound && !source.is_root => {
                    source.explain_nothing().await?;
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            }
            found = true;
        }
        if !found {
            source.explain_nothing().await?;
        }
        Ok(())
    }

    /// The next row of the listing. Files that end meanwhile are seen at once, so that a failure
    /// does not wait for a slow listing.
    async fn next_row(&mut self, rows: &mut Walk) -> Result<Option<mlfetch_store::Result<Entry>>> {
        loop {
            if self.running.is_empty() {
                return Ok(rows.next().await);
            }
            let next = {
                let ended = pin!(self.running.join_next_with_id());
                match select(rows.next(), ended).await {
                    Either::Left((row, _)) => Next::Row(row),
                    Either::Right((ended, _)) => Next::Ended(ended),
                }
            };
            match next {
                Next::Row(row) => return Ok(row),
                Next::Ended(Some(ended)) => self.ended(ended)?,
                Next::Ended(None) => {}
            }
        }
    }

    async fn entry(&mut self, transfers: &Arc<Transfers>, entry: Entry) -> Result<()> {
        let prefix = &transfers.course.prefix;
        let name = |key: &Key| key.strip_prefix(prefix).unwrap_or_default().to_vec();
        match entry {
            Entry::Object(info) => {
                let name = name(&info.key);
                // `dir/` with nothing in it: how object stores write an empty directory.
                if info.size == Some(0) && (name.is_empty() || name.ends_with(b"/")) {
                    return self.make_directory(transfers, &info.key, &name).await;
                }
                if !self.settings.filter.wants_name(&name) {
                    return Ok(());
                }
                if name.is_empty() {
                    return self.refuse_name(&info.key, NameRefusal::TrailingSlash);
                }
                match RelativePath::new(name.as_slice()) {
                    Ok(_) => {
                        let place = join(&transfers.course.place, &name);
                        self.start(transfers, info, &place).await
                    }
                    Err(refusal) => self.refuse_name(&info.key, refusal),
                }
            }
            Entry::Directory(key) => {
                let name = name(&key);
                self.make_directory(transfers, &key, &name).await
            }
            Entry::Refused(refused) => {
                self.refused(&name(&refused.key), refused);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An empty directory is kept; with a pattern only directories of wanted files are.
    async fn make_directory(
        &mut self,
        transfers: &Transfers,
        key: &Key,
        name: &[u8],
    ) -> Result<()> {
        // What was asked for itself is made at the end.
        if name.is_empty() || !self.settings.filter.is_all() {
            return Ok(());
        }
        let path = match directory_path(&transfers.course.place, name) {
            Ok(path) => path,
            Err(refusal) => return self.refuse_name(key, refusal),
        };
        self.let_others_end(&path).await?;
        if self.settings.dry_run {
            return Ok(());
        }
        self.make_destination().await?;
        let destination = Arc::clone(&self.destination);
        let made = blocking({
            let path = path.clone();
            move || destination.make_directory(&path)
        });
        match made.await {
            Ok(()) => Ok(()),
            Err(error) => {
                let error = explained(transfers, key, error).await;
                self.progress.found(None);
                self.fail(FileFailure::new(&path, error), None)
            }
        }
    }

    /// Starts one file, once a place is free.
    async fn start(
        &mut self,
        transfers: &Arc<Transfers>,
        info: ObjectInfo,
        place: &[u8],
    ) -> Result<()> {
        let path = match RelativePath::new(place) {
            Ok(path) => path,
            Err(refusal) => return self.refuse_name(&info.key, refusal),
        };
        self.let_others_end(&path).await?;
        self.progress.found(info.size);
        self.drain(self.settings.jobs.get() - 1).await?;
        if !self.settings.dry_run {
            self.make_destination().await?;
        }
        let started = Started { path: path.clone(), size: info.size };
        let progress = Arc::clone(&self.progress);
        let file = one_file(Arc::clone(transfers), info, path, progress);
        self.started.insert(self.running.spawn(file).id(), started);
        Ok(())
    }

    /// Waits until what is on its way and would be in the way of this path has ended. Then what is
    /// there decides, and the file whose name came first has it.
    async fn let_others_end(&mut self, path: &RelativePath) -> Result<()> {
        let lies_below = |below: &RelativePath, above: &RelativePath| {
            let rest = below.as_bytes().strip_prefix(above.as_bytes());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let mut others = self.started.values().map(|started| &started.path);
        if others.any(|other| lies_below(path, other) || lies_below(other, path)) {
            self.drain(0).await?;
        }
        Ok(())
    }

    /// Waits until at most `left` files are on their way.
    async fn drain(&mut self, left: usize) -> Result<()> {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.ended(ended)?;
        }
        while self.running.len() > left {
            if let Some(ended) = self.running.join_next_with_id().await {
                self.ended(ended)?;
            }
        }
        Ok(())
    }

    fn ended(&mut self, ended: std::result::Result<(Id, Ended), JoinError>) -> Result<()> {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(cause) => (cause.id(), Err(cause)),
        };
        let Some(Started { path, size }) = self.started.remove(&id) else { return Ok(()) };
        match ended {
            Ok(Ended::Committed(committed)) => self.committed(&path, committed),
            Ok(Ended::Skipped(reason)) => {
                self.progress.lost(size);
                self.observer.event(&Event::Skipped { path: &path, reason });
                self.report.unchanged += 1;
            }
            Ok(Ended::Planned) => {
                self.progress.done();
                self.observer.event(&Event::Planned { path: &path, size });
                self.report.planned += 1;
                self.report.planned_bytes += size.unwrap_or_default();
            }
            Ok(Ended::Hopeless(error)) => return Err(error.into()),
            Ok(Ended::Failed(error)) => return self.fail(FileFailure::new(&path, error), size),
            Err(cause) => return self.fail(FileFailure::panicked(&path, cause), size),
        }
        Ok(())
    }

    fn committed(&mut self, path: &RelativePath, Committed { size, proof }: Committed) {
        self.progress.done();
        self.observer.event(&Event::Committed { path, size, proof: &proof });
        self.report.files += 1;
        self.report.bytes += size;
        *self.report.proofs.entry(proof).or_default() += 1;
    }

    /// A name that cannot be a path. It never stops its neighbours, unless it shows that the fetch
    /// reads what it writes.
    fn refuse_name(&mut self, key: &Key, refusal: NameRefusal) -> Result<()> {
        let mut segments = key.as_bytes().split(|byte| *byte == b'/');
        if segments.any(|segment| self.destination.is_own_staging(segment)) {
            let at = self.destination.path().as_os_str().as_encoded_bytes();
            return Err(Error::new(ErrorKind::InvalidInput, "fetch to", mlfetch_store::escape(at))
                .with_message("the destination lies inside what is fetched")
                .with_hint("choose a destination outside it")
                .into());
        }
        self.progress.found(None);
        self.fail(FileFailure::name(key, refusal), None)
    }

    /// A row of the listing that cannot be fetched never stops its neighbours.
    fn refused(&mut self, name: &[u8], refused: Refused) {
        let filter = &self.settings.filter;
        // What lies in a directory that cannot be listed may be wanted, whatever its own name.
        let is_wanted =
            if name.ends_with(b"/") { !filter.excludes(name) } else { filter.wants_name(name) };
        if is_wanted {
            self.progress.found(None);
            self.note(FileFailure::new(&refused.key, refused.error), None);
        }
    }

    /// Notes a failure; stops the rest unless it concerns one name only or all are to be tried.
    fn fail(&mut self, failure: FileFailure, size: Option<u64>) -> Result<()> {
        if self.settings.keep_going || failure.error.is_about_the_name() {
            self.note(failure, size);
            return Ok(());
        }
        self.progress.lost(size);
        self.observer.event(&Event::Failed(&failure));
        Err(FetchError::File(Box::new(failure)))
    }

    fn note(&mut self, failure: FileFailure, size: Option<u64>) {
        self.progress.lost(size);
        self.observer.event(&Event::Failed(&failure));
        self.report.failures.push(failure);
    }

    /// Made only when there is something to put into it.
    async fn make_destination(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.is_made, true) {
            let destination = Arc::clone(&self.destination);
            blocking(move || destination.make()).await.map_err(of_destination)?;
        }
        Ok(())
    }

    /// What was asked for is a directory, and is one now, even if nothing is in it.
    async fn make_place(&mut self, place: Option<RelativePath>) -> Result<()> {
        self.make_destination().await?;
        let Some(place) = place else { return Ok(()) };
        let destination = Arc::clone(&self.destination);
        blocking(move || destination.make_directory(&place)).await.map_err(of_destination)
    }

    fn transfers(&self, source: &Source, course: Course) -> Arc<Transfers> {
        Arc::new(Transfers {
            store: Arc::clone(&source.store),
            course,
            laid_over: self.has_arrived,
            destination: Arc::clone(&self.destination),
            settings: Arc::clone(&self.settings),
            room: Arc::clone(&self.room),
            turns: Arc::clone(&self.turns),
        })
    }

    /// A place below the destination; the destination itself has no `/` at its end.
    fn at(&self, place: &[u8]) -> std::path::PathBuf {
        use std::os::unix::ffi::OsStrExt as _;
        let destination = self.destination.path();
        if place.is_empty() {
            return destination.to_owned();
        }
        destination.join(std::ffi::OsStr::from_bytes(place))
    }

    /// Ends it. If nothing arrived at all, nothing is left either.
    pub(super) fn finish(mut self) -> Result<Report> {
        let report = std::mem::take(&mut self.report);
        let has_failed = !report.failures.is_empty();
        if has_failed && report.files + report.unchanged == 0 {
            self.destination.abandon();
        }
        self.destination.finish()?;
        if has_failed { Err(FetchError::Some(Box::new(report))) } else { Ok(report) }
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.running.abort_all();
        self.destination.abandon();
    }
}

/// The path of a directory whose name may end in the one `/` that says so.
fn directory_path(place: &[u8], name: &[u8]) -> std::result::Result<RelativePath, NameRefusal> {
    let name = name.strip_suffix(b"/").unwrap_or(name);
    if name.is_empty() || name.ends_with(b"/") {
        return Err(NameRefusal::EmptySegment);
    }
    RelativePath::new(join(place, name))
}

/// The place of a directory that was asked for; none for the destination itself.
fn checked_place(place: &[u8]) -> Result<Option<RelativePath>> {
    if place.is_empty() {
        return Ok(None);
    }
    RelativePath::new(place).map(Some).map_err(|refusal| {
        Error::new(ErrorKind::InvalidInput, "fetch", mlfetch_store::escape(place))
            .with_message(format!("that cannot be a path on disk: {refusal}"))
            .into()
    })
}

/// An error of the destination as a whole.
fn of_destination(error: FileError) -> FetchError {
    match error {
        FileError::Destination(error) => FetchError::Destination(error),
        FileError::Store(error) => FetchError::Source(error),
        other => FetchError::File(Box::new(FileFailure::new("?", other))),
    }
}
