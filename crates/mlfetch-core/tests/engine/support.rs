//! A place to fetch to, a store to fetch from, and what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mlfetch_core::engine::{Engine, Event, FetchError, FetchSettings, Observer, Progress, Report};
use mlfetch_core::resolve::{ResolveContext, Resolved, Target, resolve};
use mlfetch_store::{
    Backend, Backends, Entry, Key, ListRequest, Location, MemoryStore, Object, ObjectInfo, Opened,
    OptionSpec, Options, Page, ReadRequest, Result, RetryPolicy, StatRequest, Store, StoreInfo,
    escape,
};
use tempfile::TempDir;

/// Opens the stores of a test: `s0:/prefix` is a place in the first.
#[derive(Debug)]
struct Shelf(Arc<dyn Store>, &'static [&'static str]);

#[async_trait]
impl Backend for Shelf {
    fn name(&self) -> &'static str {
        "shelf"
    }
    fn schemes(&self) -> &'static [&'static str] {
        self.1
    }
    fn options(&self) -> &'static [OptionSpec] {
        &[]
    }
    async fn open(&self, location: &Location, _: &Options) -> Result<Opened> {
        let key = location.rest().strip_prefix('/').unwrap_or(location.rest());
        Ok(Opened::new(Arc::clone(&self.0), Key::from(key)))
    }
}

/// An engine whose `s0:` and `s1:` are these stores; it is patient, and waits only milliseconds.
pub(crate) fn engine(stores: &[Arc<dyn Store>]) -> Engine {
    const SCHEMES: [&[&str]; 2] = [&["s0"], &["s1"]];
    let shelves =
        stores.iter().zip(SCHEMES).map(|(store, scheme)| Shelf(Arc::clone(store), scheme));
    let backends = shelves.fold(Backends::new(), Backends::with);
    let retry = RetryPolicy::default().with_attempts(3).with_first_wait(Duration::from_millis(1));
    Engine::new(backends).with_retry(retry)
}

/// A store in memory with these objects.
pub(crate) fn memory(objects: &[(&str, &str)]) -> Arc<dyn Store> {
    Arc::new(in_memory(objects))
}

pub(crate) fn in_memory(objects: &[(&str, &str)]) -> MemoryStore {
    let with = |store: MemoryStore, (key, text): &(&str, &str)| {
        store.with(Key::from(*key), text.as_bytes().to_vec())
    };
    objects.iter().fold(MemoryStore::new(), with)
}

/// Resolved as it stands: nobody leads further.
pub(crate) async fn resolved(target: Target) -> Vec<Resolved> {
    resolve(&ResolveContext::new(), target).await.expect("it leads nowhere further")
}

/// The place that a test fetches to, and how.
pub(crate) struct Home {
    directory: TempDir,
    pub(crate) stores: Vec<Arc<dyn Store>>,
    pub(crate) settings: FetchSettings,
    pub(crate) progress: Arc<Progress>,
    pub(crate) events: Arc<Events>,
}

impl Home {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            directory: tempfile::tempdir().expect("a directory"),
            stores: vec![store],
            settings: FetchSettings::new(),
            progress: Arc::default(),
            events: Arc::default(),
        }
    }

    /// With other settings.
    pub(crate) fn set(mut self, change: impl FnOnce(&mut FetchSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// The directory that holds the destination and nothing else.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn destination(&self) -> PathBuf {
        self.path().join("out")
    }

    /// A file in the destination, before the fetch.
    pub(crate) fn has(&self, name: &str, text: &str) {
        let path = self.destination().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    }

    /// Fetches everything in the first store.
    pub(crate) async fn fetch(&self) -> Result<Report, FetchError> {
        self.fetch_target(Target::new("s0:/")).await
    }

    pub(crate) async fn fetch_target(&self, target: Target) -> Result<Report, FetchError> {
        self.fetch_parts(&resolved(target).await).await
    }

    pub(crate) async fn fetch_parts(&self, parts: &[Resolved]) -> Result<Report, FetchError> {
        self.fetch_to(parts, &self.destination()).await
    }

    pub(crate) async fn fetch_to(
        &self,
        parts: &[Resolved],
        destination: &Path,
    ) -> Result<Report, FetchError> {
        let observer: Arc<dyn Observer> = Arc::clone(&self.events) as _;
        let progress = Arc::clone(&self.progress);
        let settings = self.settings.clone();
        engine(&self.stores).fetch(parts, destination, settings, observer, progress).await
    }

    /// What is in the destination: files with their text, directories with a `/`.
    pub(crate) fn tree(&self) -> BTreeMap<String, String> {
        tree(&self.destination())
    }

    /// Whether the destination was never made, or went again.
    pub(crate) fn is_untouched(&self) -> bool {
        fs::read_dir(self.path()).expect("listed").next().is_none()
    }

    /// The counters: files found, bytes found, files done, bytes done, all found.
    pub(crate) fn counters(&self) -> [u64; 5] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Progress { found_files, found_bytes, done_files, done_bytes, all_found } =
            self.progress.as_ref();
        [found_files, found_bytes, done_files, done_bytes, all_found].map(read)
    }
}

/// Everything below a directory, without following links; what is no file has its kind as text.
pub(crate) fn tree(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(path) = waiting.pop() {
        for row in fs::read_dir(&path).expect("listed") {
            let path = row.expect("a row").path();
            let below = path.strip_prefix(directory).expect("below");
            let name = escape(below.as_os_str().as_bytes());
            let kind = fs::symlink_metadata(&path).expect("there").file_type();
            if kind.is_dir() {
                found.insert(name + "/", String::new());
                waiting.push(path);
            } else if kind.is_file() {
                let bytes = fs::read(&path).expect("readable");
                found.insert(name, String::from_utf8_lossy(&bytes).into_owned());
            } else {
                found.insert(name, "no file".into());
            }
        }
    }
    found
}

/// A tree of these files, with the directories they need.
pub(crate) fn expected(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut tree = BTreeMap::new();
    for (name, text) in files {
        for (at, _) in name.match_indices('/') {
            tree.insert(name[..=at].to_owned(), String::new());
        }
        if !name.ends_with('/') {
            tree.insert((*name).to_owned(), (*text).to_owned());
        }
    }
    tree
}

/// The paths of failures, sorted, and what is said of each.
pub(crate) fn failures(report: &Report) -> Vec<(String, String)> {
    let row = |failure: &mlfetch_core::engine::FileFailure| {
        (failure.path.clone(), failure.error.to_string())
    };
    let mut rows: Vec<_> = report.failures.iter().map(row).collect();
    rows.sort();
    rows
}

/// The report of a fetch of which only some files arrived.
pub(crate) fn some(result: Result<Report, FetchError>) -> Report {
    match result {
        Err(FetchError::Some(report)) => *report,
        other => panic!("some files should have failed: {other:?}"),
    }
}

/// Keeps what it is told.
#[derive(Default)]
pub(crate) struct Events(Mutex<Vec<String>>);

impl Observer for Events {
    fn event(&self, event: &Event<'_>) {
        let text = match event {
            Event::Planned { path, size } => format!("planned {path} {size:?}"),
            Event::Skipped { path, reason } => format!("skipped {path} {reason:?}"),
            Event::Committed { path, size, proof } => format!("committed {path} {size} {proof}"),
            Event::Deleted { path } => format!("deleted {path}"),
            Event::Failed(failure) => format!("failed {}", failure.path),
            other => panic!("unknown event: {other:?}"),
        };
        self.0.lock().expect("not poisoned").push(text);
    }
}

impl Events {
    /// What was told, sorted: files end in no promised order.
    pub(crate) fn sorted(&self) -> Vec<String> {
        let mut told = self.0.lock().expect("not poisoned").clone();
        told.sort();
        told
    }
}

/// A store that says something else of its objects, or other bytes, than the one inside.
pub(crate) struct Telling {
    inner: Arc<dyn Store>,
    info: StoreInfo,
    listed: Change<ObjectInfo>,
    stated: Change<ObjectInfo>,
    answered: Change<Object>,
}

type Change<T> = Box<dyn Fn(&mut T) + Send + Sync>;

impl Telling {
    pub(crate) fn new(inner: impl Store) -> Self {
        let info = inner.info().clone();
        let inner = Arc::new(inner);
        let (listed, stated, answered) =
            (Box::new(|_: &mut _| {}), Box::new(|_: &mut _| {}), Box::new(|_: &mut _| {}));
        Self { inner, info, listed, stated, answered }
    }

    /// Changes what a listing says.
    pub(crate) fn listing(
        mut self,
        change: impl Fn(&mut ObjectInfo) + Send + Sync + 'static,
    ) -> Self {
        self.listed = Box::new(change);
        self
    }

    /// Changes what is said of an object that is asked for by its name.
    pub(crate) fn stating(
        mut self,
        change: impl Fn(&mut ObjectInfo) + Send + Sync + 'static,
    ) -> Self {
        self.stated = Box::new(change);
        self
    }

    /// Changes the answer to a read.
    pub(crate) fn answering(
        mut self,
        change: impl Fn(&mut Object) + Send + Sync + 'static,
    ) -> Self {
        self.answered = Box::new(change);
        self
    }

    /// Changes what the store says of itself.
    pub(crate) fn being(mut self, change: fn(&mut StoreInfo)) -> Self {
        change(&mut self.info);
        self
    }
}

impl std::fmt::Debug for Telling {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Telling")
    }
}

#[async_trait]
impl Store for Telling {
    fn info(&self) -> &StoreInfo {
        &self.info
    }
    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        let mut page = self.inner.list_page(request).await?;
        for entry in &mut page.entries {
            if let Entry::Object(info) = entry {
                (self.listed)(info);
            }
        }
        Ok(page)
    }
    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        let mut info = self.inner.stat(key, request).await?;
        (self.stated)(&mut info);
        Ok(info)
    }
    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        let mut object = self.inner.read(key, request).await?;
        (self.answered)(&mut object);
        Ok(object)
    }
}
