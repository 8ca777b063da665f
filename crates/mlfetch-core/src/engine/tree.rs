//! A fetch on its way, from its first part to its end.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Key, ObjectInfo, Store};
use tokio::task::{Id, JoinSet};

use super::ahead::Lead;
use super::conflict::Course;
use super::crowd::Crowd;
use super::expected::expected;
use super::extraneous::Seen;
use super::file::Ended;
use super::hands::Hands;
use super::lanes::Lanes;
use super::meta::note_model;
use super::pace::Pace;
use super::ranges::RangeSums;
use super::room::Room;
use super::running::Started;
use super::transfer::Transfers;
use super::turns::Turns;
use super::underway::Underway;
use super::{
    Engine, FetchError, FetchSettings, FileError, FileFailure, Observer, Overwrite, Progress,
    Report, Shape, Source, Witness,
};
use crate::RelativePath;
use crate::destination::{ALIVE_EVERY, Atomic, Destination};
use crate::manifest::{Manifest, ManifestRow};
use crate::resolve::{ModelMeta, Resolved, Target};

pub(super) type Result<T> = std::result::Result<T, FetchError>;

/// A fetch on its way. Dropped before it is finished, it leaves whole files, and what can be
/// continued of big ones.
pub(super) struct Fetch {
    pub(super) destination: Arc<Destination>,
    pub(super) settings: Arc<FetchSettings>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) progress: Arc<Progress>,
    pub(super) room: Arc<Room>,
    pub(super) hands: Arc<Hands>,
    pace: Option<Arc<Pace>>,
    turns: Arc<Turns>,
    lanes: Arc<Lanes>,
    /// How many files may be on their way.
    pub(super) crowd: Crowd,
    pub(super) running: JoinSet<Ended>,
    /// The files that are on their way.
    pub(super) started: HashMap<Id, Started>,
    pub(super) underway: Underway,
    pub(super) report: Report,
    witness: Option<Arc<dyn Witness>>,
    /// Whether a part was there.
    has_arrived: bool,
    /// Whether the destination was made, or was there.
    pub(super) is_made: bool,
    /// What belongs to the tree, where all else is to go.
    pub(super) seen: Option<Seen>,
    /// Where the tree is made if it is to appear in one step.
    atomic: Option<Atomic>,
    /// Shows those who share the destination that this fetch lives, for as long as it does.
    alive: JoinSet<()>,
}

impl Fetch {
    /// Makes nothing yet.
    pub(super) fn begin(
        destination: &Path,
        mut settings: FetchSettings,
        observer: Arc<dyn Observer>,
        progress: Arc<Progress>,
    ) -> Result<Self> {
        let jobs = settings.jobs.map(NonZeroUsize::get);
        let backup = settings.backup.as_deref();
        let atomic = settings.atomic.then(|| Atomic::begin(destination, backup)).transpose()?;
        let destination = match &atomic {
            Some(atomic) => Destination::open(&atomic.work())?,
            None => Destination::open(destination)?,
        };
        if atomic.is_some() && settings.overwrite != Overwrite::Always {
            // What is there is what an earlier fetch left: there is nothing of anybody else.
            settings.overwrite = Overwrite::IfChanged;
        }
        let is_continued = atomic.as_ref().is_some_and(Atomic::is_continued);
        let report = Report {
            path: atomic.as_ref().map_or_else(|| destination.path(), Atomic::place).to_owned(),
            manifest: settings.takes_sha256().then(Manifest::default),
            ..Report::default()
        };
        let pace = settings.bytes_per_second.map(Pace::new).map(Arc::new);
        let turns = Turns::new(jobs, settings.max_memory_bytes);
        let seen = (settings.delete_extraneous || is_continued).then(Seen::default);
        Ok(Self {
            destination: Arc::new(destination),
            settings: Arc::new(settings),
            observer,
            progress,
            room: Arc::default(),
            hands: Arc::default(),
            pace,
            turns: Arc::new(turns),
            lanes: Arc::new(Lanes::new(jobs)),
            crowd: Crowd::new(jobs),
            running: JoinSet::new(),
            started: HashMap::new(),
            underway: Underway::default(),
            report,
            witness: None,
            has_arrived: false,
            is_made: false,
            seen,
            atomic,
            alive: JoinSet::new(),
        })
    }

    pub(super) fn witnessed_by(mut self, witness: Option<Arc<dyn Witness>>) -> Self {
        self.witness = witness;
        self
    }

    /// Whether a part was there.
    pub(super) fn has_arrived(&self) -> bool {
        self.has_arrived
    }

    /// One part of what was asked for.
    pub(super) async fn part(
        &mut self,
        engine: &Engine,
        part: &Resolved,
        is_last: bool,
    ) -> Result<()> {
        let target = &part.target;
        let source = engine.open(target).await?;
        let place = match &source.shape {
            Shape::File(info) => self.file(&source, info.clone(), target, is_last).await?,
            _ => self.directory(&source, target, is_last).await?,
        };
        if !std::mem::replace(&mut self.has_arrived, true) {
            self.report.path = self.at(&place);
        }
        let (way, why) = way(source.store.as_ref(), part);
        self.report.ways.insert(way, why);
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
        let course = Course { prefix, place: above };
        let transfers = self.transfers(source, course, info.key.as_bytes());
        match RelativePath::new(place.as_slice()) {
            Ok(path) => self.start(&transfers, info, path).await?,
            Err(refusal) => self.refuse_name(&info.key, refusal)?,
        }
        if is_last {
            self.progress.found_all();
        }
        self.drain(0).await?;
        transfers.stand_back().await;
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
        if let Some(seen) = &mut self.seen {
            seen.note_place(&place);
        }
        let own = checked_place(&place)?;
        let course = Course { prefix: source.key.to_prefix(), place: place.clone() };
        let transfers = self.transfers(source, course, &[]);
        self.walk(source, &transfers).await?;
        if is_last {
            self.progress.found_all();
        }
        self.drain(0).await?;
        transfers.stand_back().await;
        if !self.settings.dry_run {
            self.make_place(own).await?;
            if let (Some(model), true) = (&target.model, self.settings.model_meta) {
                self.note_model(&transfers, model).await?;
            }
        }
        Ok(place)
    }

    /// Made only when there is something to put into it.
    pub(super) async fn make_destination(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.is_made, true) {
            let destination = Arc::clone(&self.destination);
            self.hands.step(move || destination.make()).await.map_err(of_destination)?;
            self.alive.spawn(show(Arc::clone(&self.destination), Arc::clone(&self.hands)));
        }
        Ok(())
    }

    /// What was asked for is a directory, and is one now, even if nothing is in it.
    async fn make_place(&mut self, place: Option<RelativePath>) -> Result<()> {
        self.make_destination().await?;
        let Some(place) = place else { return Ok(()) };
        let destination = Arc::clone(&self.destination);
        self.hands.step(move || destination.make_directory(&place)).await.map_err(of_destination)
    }

    async fn note_model(&mut self, transfers: &Transfers, model: &ModelMeta) -> Result<()> {
        let noted = note_model(transfers, model).await.map_err(of_destination)?;
        let Some((path, row)) = noted else { return Ok(()) };
        self.belongs(&path);
        if let Some(manifest) = &mut self.report.manifest {
            // One with the same bytes that the store holds keeps its row.
            let is_same = |there: &ManifestRow| there.sha256 == row.sha256;
            if !manifest.get(&path).is_some_and(is_same) {
                manifest.insert(path, row);
            }
        }
        Ok(())
    }

    /// `file` is the key of the only one, if it is one.
    fn transfers(&self, source: &Source, course: Course, file: &[u8]) -> Arc<Transfers> {
        let root = source.store.info().root.as_bytes();
        let work = [root, course.prefix.as_bytes(), file, course.place.as_slice()];
        let lead = Lead::new(&work, &self.settings, Arc::clone(&self.observer));
        Arc::new(Transfers {
            lead,
            store: Arc::clone(&source.store),
            course,
            laid_over: self.has_arrived,
            destination: Arc::clone(&self.destination),
            settings: Arc::clone(&self.settings),
            room: Arc::clone(&self.room),
            hands: Arc::clone(&self.hands),
            pace: self.pace.clone(),
            turns: Arc::clone(&self.turns),
            lanes: Arc::clone(&self.lanes),
            range_sums: RangeSums::default(),
            witness: self.witness.clone(),
        })
    }

    /// A place below the destination; the destination itself has no `/` at its end.
    fn at(&self, place: &[u8]) -> std::path::PathBuf {
        use std::os::unix::ffi::OsStrExt as _;
        let atomic = self.atomic.as_ref();
        let destination = atomic.map_or_else(|| self.destination.path(), Atomic::place);
        if place.is_empty() {
            return destination.to_owned();
        }
        destination.join(std::ffi::OsStr::from_bytes(place))
    }

    /// Ends it. If nothing arrived at all, nothing is left either.
    pub(super) async fn finish(mut self) -> Result<Report> {
        let has_failed = !self.report.failures.is_empty();
        let expected = expected(&self.settings, self.report.manifest.as_ref());
        if !has_failed && expected.is_ok() {
            self.sweep().await?;
        }
        let report = std::mem::take(&mut self.report);
        if has_failed {
            if report.files + report.unchanged == 0 {
                self.destination.abandon();
            }
            self.destination.leave();
            return Err(FetchError::Some(Box::new(Report { manifest: None, ..report })));
        }
        if !self.settings.dry_run {
            self.destination.remove_left();
        }
        self.destination.finish()?;
        if let Err(error) = expected {
            return Err(FetchError::Expected { error, report: Box::new(report) });
        }
        // A dry run may have found what an earlier fetch left: that is no whole tree.
        if let Some(atomic) = self.atomic.as_ref().filter(|_| !self.settings.dry_run) {
            let arrived = report.files + report.unchanged > 0;
            atomic.appear(arrived, self.settings.fsync)?;
        }
        Ok(report)
    }

    /// Whether what is there is what an earlier fetch of anything left.
    pub(super) fn is_continued(&self) -> bool {
        self.atomic.as_ref().is_some_and(Atomic::is_continued)
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.running.abort_all();
        self.destination.abandon();
        if let Some(atomic) = &self.atomic {
            atomic.leave();
        }
    }
}

/// Shows again and again that this fetch lives.
async fn show(destination: Arc<Destination>, hands: Arc<Hands>) {
    loop {
        tokio::time::sleep(ALIVE_EVERY).await;
        let destination = Arc::clone(&destination);
        // Undone only when the fetch is over.
        let _ = hands.give(move || destination.touch()).await;
    }
}

/// The way that the bytes of a part came, and why: the store's own choice, or the last hop to it.
fn way(store: &dyn Store, part: &Resolved) -> (String, Option<String>) {
    let backend = store.info().backend;
    if let Some(taken) = store.taken() {
        let why = taken.why.unwrap_or("as asked for");
        return (format!("{backend} ({})", taken.way), Some(why.to_owned()));
    }
    let why = part.trail.hops().get(1..).and_then(<[_]>::last).map(|hop| hop.why.clone());
    (backend.to_owned(), why)
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
