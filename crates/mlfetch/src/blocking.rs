//! The same calls for programs without an async runtime.

use std::path::Path;

use mlfetch_core::engine::{FetchError, Report};
use mlfetch_store::{Error, ErrorKind};
use tokio::runtime::{Builder, Runtime};

use crate::MlfetchBuilder;

/// [`Mlfetch`](crate::Mlfetch) with a runtime of its own. Not for use inside another runtime.
#[derive(Debug)]
pub struct Mlfetch {
    inner: crate::Mlfetch,
    runtime: Runtime,
}

impl Mlfetch {
    /// Puts one together from what the builder was told.
    ///
    /// # Errors
    /// `Io` if the system gives no threads or there is no current directory.
    pub fn new(builder: MlfetchBuilder) -> mlfetch_store::Result<Self> {
        let runtime = Builder::new_multi_thread().enable_all().build().map_err(|cause| {
            Error::new(ErrorKind::Io, "start", "the runtime").with_source(cause)
        })?;
        Ok(Self { inner: builder.build()?, runtime })
    }

    /// As [`Mlfetch::fetch`](crate::Mlfetch::fetch).
    ///
    /// # Errors
    /// [`FetchError`].
    ///
    /// ```
    /// let from = tempfile::tempdir().unwrap();
    /// std::fs::write(from.path().join("MLmodel"), "flavors: {}").unwrap();
    /// let to = tempfile::tempdir().unwrap();
    /// let mlfetch = mlfetch::blocking::Mlfetch::new(mlfetch::Mlfetch::builder())?;
    /// let report = mlfetch.fetch(&format!("{}/MLmodel", from.path().display()), to.path())?;
    /// assert_eq!(report.path, to.path().join("MLmodel"));
    /// # Ok::<(), mlfetch::FetchError>(())
    /// ```
    pub fn fetch(&self, uri: &str, destination: impl AsRef<Path>) -> Result<Report, FetchError> {
        self.runtime.block_on(self.inner.fetch(uri, destination))
    }
}
