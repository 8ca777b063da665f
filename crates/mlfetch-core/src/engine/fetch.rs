//! The engine, and what is asked of it.

use std::path::Path;
use std::sync::Arc;

use mlfetch_store::{
    Backends, ErrorKind, Gate, Key, Location, Opened, Options, Result as StoreResult, RetryPolicy,
    RetryingStore, Store,
};

use super::source::at;
use super::tree::Fetch;
use super::{FetchError, FetchSettings, Observer, Progress, Report, Source, Witness};
use crate::resolve::{Resolved, Target};

/// Opens stores and brings trees to disk.
///
/// ```
/// use std::time::Duration;
/// use mlfetch_core::engine::Engine;
/// use mlfetch_local::LocalBackend;
/// use mlfetch_store::{Backends, Options, RetryPolicy};
///
/// let engine = Engine::new(Backends::new().with(LocalBackend))
///     .with_options(Options::new().with("local-symlinks", "error"))
///     .with_retry(RetryPolicy::default().with_stall(Duration::from_secs(10)));
/// ```
#[derive(Debug, Clone)]
pub struct Engine {
    backends: Backends,
    options: Options,
    retry: RetryPolicy,
    witness: Option<Arc<dyn Witness>>,
    gate: Option<Arc<dyn Gate>>,
}

impl Engine {
    /// An engine that opens locations with these backends.
    pub fn new(backends: Backends) -> Self {
        let (options, retry) = (Options::new(), RetryPolicy::default());
        Self { backends, options, retry, witness: None, gate: None }
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

    /// With somebody who takes part: an audit's attempt.
    #[must_use]
    pub fn with_witness(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// With a gate, such as a [policy](crate::policy::Policy): it is asked for each place before the
    /// place is.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Opens what a target names and finds out whether it is a file.
    ///
    /// # Errors
    /// What the gate does not permit, an unknown scheme, what the backend says, what [`Store::stat`]
    /// says.
    pub async fn open(&self, target: &Target) -> StoreResult<Source> {
        let location = target.location()?;
        if let Some(gate) = &self.gate {
            gate.permit(&location, &target.path)?;
        }
        let opened = self.backends.open(&location, &self.options).await?;
        if let Some(gate) = &self.gate {
            permit_opened(gate.as_ref(), &opened, &target.path)?;
        }
        let store: Arc<dyn Store> = Arc::new(RetryingStore::new(opened.store, self.retry.clone()));
        if let Some(witness) = &self.witness {
            witness.opened(target, &store);
        }
        Source::open(store, &opened.key, &target.path, target.may_be_empty).await
    }

    /// Brings the parts of what was asked for to `destination`, one after the other, each laid
    /// over the one before. Needs a tokio runtime around it.
    ///
    /// Dropping the future stops it: when `drop` returns, no file gets its name any more. What is
    /// left are whole files and, in a directory `.mlfetch-…`, what arrived of big ones, unless
    /// [`resume`](FetchSettings::resume) is off: the next fetch of the same continues them.
    ///
    /// # Errors
    /// [`FetchError`]: what was asked for or the destination cannot be used, a file failed, or
    /// some files failed while the others arrived. Whatever it is, what is left is whole.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use mlfetch_core::engine::{Engine, FetchError, FetchSettings, NoObserver, Overwrite};
    /// use mlfetch_core::resolve::{ResolveContext, Target, resolve};
    /// # use mlfetch_local::LocalBackend;
    /// # use mlfetch_store::Backends;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), FetchError> {
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let destination = directory.path().join("copy");
    /// let engine = Engine::new(Backends::new().with(LocalBackend));
    /// let parts = resolve(&ResolveContext::new(), Target::new("src")).await?;
    /// let mut settings = FetchSettings::new();
    /// settings.overwrite = Overwrite::Error;
    /// settings.keep_going = true;
    /// let progress = Arc::default();
    /// match engine.fetch(&parts, &destination, settings, Arc::new(NoObserver), progress).await {
    ///     Ok(report) => println!("all {} files", report.files),
    ///     Err(FetchError::Some(report)) => println!("not {:?}", report.failures),
    ///     Err(error) => return Err(error),
    /// }
    /// # assert!(destination.join("lib.rs").is_file());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn fetch(
        &self,
        parts: &[Resolved],
        destination: &Path,
        settings: FetchSettings,
        observer: Arc<dyn Observer>,
        progress: Arc<Progress>,
    ) -> Result<Report, FetchError> {
        let mut fetch = Fetch::begin(destination, settings, observer, progress)?
            .witnessed_by(self.witness.clone());
        let mut missing = None;
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            match fetch.part(self, part, is_last).await {
                Ok(()) => {}
                Err(FetchError::Source(error))
                    if part.target.optional && error.kind() == ErrorKind::NotFound =>
                {
                    missing.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        match missing {
            Some(error) if !fetch.has_arrived() => Err(error.into()),
            _ => fetch.finish().await,
        }
    }
}

/// Settings may say where the bytes of a location really are: an account, a cluster, a server. A store
/// that was opened was not asked for anything yet.
fn permit_opened(gate: &dyn Gate, opened: &Opened, below: &Key) -> StoreResult<()> {
    let info = opened.store.info();
    for server in &info.servers {
        gate.permit_server(&Location::parse(server.as_str())?)?;
    }
    let root = Location::parse(info.root.as_str())?;
    if root.scheme().is_empty() {
        // A path, which is the location itself, or words.
        return Ok(());
    }
    gate.permit(&root, &at(&opened.key, below))
}
