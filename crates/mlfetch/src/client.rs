//! The calls.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::BoxStream;
use mlfetch_core::Layout;
use mlfetch_core::engine::{
    Engine, ExpectedTree, FetchError, FetchSettings, Listed, NoObserver, Observer, Progress, Report,
};
use mlfetch_core::resolve::{ResolveContext, Resolved, Target, resolve};
use mlfetch_local::local_path;
use mlfetch_mlflow::asked_for;
use mlfetch_store::{Depth, Error, ErrorKind, Object, Result};

use crate::MlfetchBuilder;

/// Resolves artifact URIs, lists what lies there, and brings it to disk. Cheap to clone; clones
/// share connections and opened stores.
#[derive(Debug, Clone)]
pub struct Mlfetch {
    engine: Engine,
    context: ResolveContext,
    tracking_user: Option<String>,
}

impl Mlfetch {
    /// Begins to put one together.
    pub fn builder() -> MlfetchBuilder {
        MlfetchBuilder::default()
    }

    pub(crate) fn new(
        engine: Engine,
        context: ResolveContext,
        tracking_user: Option<String>,
    ) -> Self {
        Self { engine, context, tracking_user }
    }

    /// Whom the tracking server sees, where a user signs in with it.
    pub fn tracking_user(&self) -> Option<&str> {
        self.tracking_user.as_deref()
    }

    /// Brings what `uri` names to the directory `destination`, with the usual settings: all files,
    /// laid out as MLflow lays them, unchanged files left alone, checksums where there are any.
    ///
    /// # Errors
    /// [`FetchError`].
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let from = tempfile::tempdir().unwrap();
    /// std::fs::write(from.path().join("MLmodel"), "flavors: {}").unwrap();
    /// let to = tempfile::tempdir().unwrap();
    /// let mlfetch = mlfetch::Mlfetch::builder().build()?;
    /// let uri = format!("{}/", from.path().display());
    /// let report = mlfetch.fetch(&uri, to.path()).await?;
    /// assert_eq!(report.files, 1);
    /// assert_eq!(std::fs::read(to.path().join("MLmodel")).unwrap(), b"flavors: {}");
    /// # Ok::<(), mlfetch::FetchError>(())
    /// # }).unwrap();
    /// ```
    pub async fn fetch(
        &self,
        uri: &str,
        destination: impl AsRef<Path>,
    ) -> Result<Report, FetchError> {
        let parts = self.resolve(asked_for(uri)?).await?;
        let settings = FetchSettings::new();
        let observer = Arc::new(NoObserver);
        self.fetch_resolved(&parts, destination, settings, observer, Arc::default()).await
    }

    /// Follows a target to the places where its bytes lie.
    ///
    /// # Errors
    /// Kinds of looking up and reaching; `Refused` for a place that a server may not name.
    pub async fn resolve(&self, target: Target) -> Result<Vec<Resolved>> {
        resolve(&self.context, target).await
    }

    /// Brings resolved parts to disk, telling `observer` what happens.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch_resolved(
        &self,
        parts: &[Resolved],
        destination: impl AsRef<Path>,
        settings: FetchSettings,
        observer: Arc<dyn Observer>,
        progress: Arc<Progress>,
    ) -> Result<Report, FetchError> {
        self.engine.fetch(parts, destination.as_ref(), settings, observer, progress).await
    }

    /// What a fetch of resolved parts would bring now, to be compared with a directory
    /// ([`compare_tree`](crate::compare_tree)).
    ///
    /// # Errors
    /// Kinds of opening and listing; `NotFound` if nothing of that name is there.
    ///
    /// ```
    /// use mlfetch::{CompareSettings, FetchError, Layout, Mlfetch, asked_for, compare_tree};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let from = tempfile::tempdir().unwrap();
    /// # std::fs::write(from.path().join("MLmodel"), "flavors: {}").unwrap();
    /// # let to = tempfile::tempdir().unwrap();
    /// # let uri = format!("{}/", from.path().display());
    /// let mlfetch = Mlfetch::builder().build()?;
    /// mlfetch.fetch(&uri, to.path()).await?;
    /// let parts = mlfetch.resolve(asked_for(&uri)?).await?;
    /// let expected = mlfetch.expected(&parts, Layout::Mlflow).await?;
    /// let settings = CompareSettings::new();
    /// let found = compare_tree(to.path(), expected, &settings, |_| ()).await?;
    /// assert!(found.is_same());
    /// # Ok::<(), FetchError>(())
    /// # }).unwrap();
    /// ```
    pub async fn expected(&self, parts: &[Resolved], layout: Layout) -> Result<ExpectedTree> {
        self.engine.expected(parts, layout).await
    }

    /// The rows of one resolved part.
    ///
    /// # Errors
    /// Kinds of opening and listing.
    pub async fn list(
        &self,
        part: &Resolved,
        depth: Depth,
    ) -> Result<BoxStream<'static, Result<Listed>>> {
        self.engine.list(&part.target, depth).await
    }

    /// Begins to read the one file that a resolved part names. The body ends with an `Integrity`
    /// error if its bytes are not what the store's checksum says.
    ///
    /// # Errors
    /// `IsDirectory` if it is not a file; kinds of opening and reading.
    pub async fn read(&self, part: &Resolved) -> Result<Object> {
        self.engine.read(&part.target).await
    }

    /// The path at which resolved parts lie on this machine's own disk, if they are one place there.
    ///
    /// # Errors
    /// `NotFound` if nothing is there; kinds of opening and listing.
    pub async fn path_on_this_disk(&self, parts: &[Resolved]) -> Result<Option<PathBuf>> {
        let [part] = parts else { return Ok(None) };
        let location = part.target.location()?;
        if !matches!(location.scheme(), "" | "file") {
            return Ok(None);
        }
        // Listing finds out whether it is there, also where it is a file.
        drop(self.list(part, Depth::One).await?);
        let root = local_path(&location)?;
        let below = OsStr::from_bytes(part.target.path.as_bytes());
        let path = if below.is_empty() { root } else { root.join(below) };
        let absolute = std::path::absolute(&path).map_err(|cause| {
            Error::new(ErrorKind::Io, "find", part.target.display()).with_source(cause)
        })?;
        // Component by component: no `/` stays at the end.
        Ok(Some(absolute.components().collect()))
    }
}
