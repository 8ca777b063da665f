//! The store: each call is one hop to a blocking thread.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_store::{
    Capabilities, Error, ErrorKind, Key, ListRequest, Listing, Object, ObjectInfo, Page,
    ReadRequest, Result, StatRequest, Store, StoreInfo, escape,
};

use crate::LocalConfig;
use crate::error::Problem;
use crate::list::list_page;
use crate::location::open_error;
use crate::names::split;
use crate::places::Place;
use crate::root::{Root, require_file};

/// The files below one directory, the artifact root.
///
/// ```
/// use mlfetch_local::{LocalConfig, LocalStore};
/// use mlfetch_store::Store;
/// let store = LocalStore::open("src", LocalConfig::default())?;
/// assert_eq!(store.info().backend, "local");
/// # Ok::<(), mlfetch_store::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LocalStore {
    info: StoreInfo,
    root: Arc<Root>,
}

impl LocalStore {
    /// Opens the artifact root. Links in `root` itself are followed, links below it as `config`
    /// says. Blocks for as long as the file system takes.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with the nearest directory that exists; [`ErrorKind::InvalidInput`]
    /// if it is a file; [`ErrorKind::PermissionDenied`] with the user.
    pub fn open(root: impl AsRef<Path>, config: LocalConfig) -> Result<Self> {
        let path = root.as_ref();
        let root = Root::open(path, config).map_err(|errno| open_error(path, errno))?;
        let shown = escape(path.as_os_str().as_bytes());
        let info = StoreInfo::new("local", shown, Capabilities::new(Listing::Tree).with_files());
        Ok(Self { info, root: Arc::new(root) })
    }
}

#[async_trait]
impl Store for LocalStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        let root = Arc::clone(&self.root);
        blocking("list", request.prefix.to_string(), move || list_page(&root, &request)).await
    }

    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        let (root, key) = (Arc::clone(&self.root), key.clone());
        blocking("stat", key.to_string(), move || stat(&root, &key, &request)).await
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        let (root, key) = (Arc::clone(&self.root), key.clone());
        blocking("read", key.to_string(), move || crate::read::open(&root, &key, &request)).await
    }
}

fn stat(root: &Root, key: &Key, request: &StatRequest) -> Result<ObjectInfo> {
    no_versions("stat", key, request.version.as_ref())?;
    let fail = |problem: Problem| problem.into_error("stat", key);
    let segments = split(key).map_err(fail)?;
    let other = match root.find(&segments.names).map_err(fail)? {
        Place::Directory(_) => return Err(fail(Problem::IsDirectory)),
        Place::Other(_) if segments.directory => return Err(fail(Problem::NotDirectory)),
        Place::Other(other) => other,
    };
    require_file(&other.facts).map_err(fail)?;
    Ok(other.facts.info(key.clone()))
}

pub(crate) fn no_versions(
    operation: &'static str,
    key: &Key,
    version: Option<&String>,
) -> Result<()> {
    match version {
        None => Ok(()),
        Some(_) => Err(Error::new(ErrorKind::Unsupported, operation, key.to_string())
            .with_message("a file system keeps no versions")),
    }
}

/// Does work that blocks on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    subject: String,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let stopped = match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => return outcome,
        Err(stopped) => stopped,
    };
    match stopped.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(cancelled) => Err(Error::new(ErrorKind::Other, operation, subject)
            .with_message("the runtime is shutting down")
            .with_source(cancelled)),
    }
}
