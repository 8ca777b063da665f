//! The trait that every storage implements.

use std::fmt;

use async_trait::async_trait;

use crate::{Key, ListRequest, Object, ObjectInfo, Page, ReadRequest, Result, StatRequest};

/// An opened bucket, container, namespace or directory. Read only.
///
/// Each call is **one attempt**: an implementation turns off retries of its own, because the loop
/// stands once above the seam ([`RetryingStore`](crate::RetryingStore)). Dropping a future or a
/// body cancels the request.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// What this store is and can do. Free: no request.
    fn info(&self) -> &StoreInfo;

    /// One page of names below a prefix. A prefix with nothing below it is an empty page, not an
    /// error, unless the store can tell that the directory is missing.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind); `NotFound` where the store or directory is missing.
    async fn list_page(&self, request: ListRequest) -> Result<Page>;

    /// What is known of one object.
    ///
    /// # Errors
    /// `NotFound` if there is none; `IsDirectory` if the store knows the name as a directory.
    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo>;

    /// Begins to read one object.
    ///
    /// # Errors
    /// As [`stat`](Self::stat); `Changed` if a condition does not hold; `Unsupported` for a range
    /// that the store cannot give.
    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object>;

    /// How the last object that was opened came, for a store that has more than one way and picks
    /// one; `None` where there is only one. Free: no request.
    fn taken(&self) -> Option<Taken> {
        None
    }

    /// Whom the storage saw: an access key's ID, a user, a principal; never a secret, and fit for an
    /// audit log. `None` where the store does not know, or nobody signed in. Free: no request; asked
    /// after the others, when a store that looks for its credentials has found them.
    fn identity(&self) -> Option<String> {
        None
    }
}

/// The way that a store with several took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Its name: one word.
    pub way: &'static str,
    /// Why this one, where the store chose by itself.
    pub why: Option<&'static str>,
}

/// Which listing a store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listing {
    /// Everything below a prefix in one sequence of pages.
    Flat,
    /// One directory at a time.
    Tree,
}

/// What the engine needs to know before it asks. Each field is there because the engine takes
/// another way without it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Capabilities {
    /// Which listing it has.
    pub listing: Listing,
    /// Whether a range of an object can be read.
    pub ranges: bool,
    /// Whether a read can be tied to an entity tag or version.
    pub conditional_reads: bool,
    /// Whether a whole object may come with [the file it lies in](crate::Object::file).
    pub files: bool,
    /// The longest range, in bytes, over which the server may [compute a
    /// checksum](crate::ReadRequest::checksum); `None` where it computes none.
    pub checksum_bytes: Option<u64>,
}

impl Capabilities {
    /// Those of a store with this listing, ranges and conditional reads, and no files.
    pub fn new(listing: Listing) -> Self {
        Self { listing, ranges: true, conditional_reads: true, files: false, checksum_bytes: None }
    }

    /// The same with checksums of ranges of up to so many bytes.
    #[must_use]
    pub fn with_checksum_bytes(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.checksum_bytes = bytes.into();
        self
    }

    /// The same with files of this machine.
    #[must_use]
    pub fn with_files(mut self) -> Self {
        self.files = true;
        self
    }

    /// The same without ranges.
    #[must_use]
    pub fn without_ranges(mut self) -> Self {
        self.ranges = false;
        self
    }

    /// The same without conditional reads.
    #[must_use]
    pub fn without_conditional_reads(mut self) -> Self {
        self.conditional_reads = false;
        self
    }
}

/// What a store is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreInfo {
    /// The backend's name: `s3`, `local`.
    pub backend: &'static str,
    /// The root, safe to show: no user, password or query.
    pub root: String,
    /// What it can do.
    pub capabilities: Capabilities,
    /// The URLs of the servers that are asked, where settings and not the location name them; safe
    /// to show. Empty where the location says it all.
    pub servers: Vec<String>,
}

impl StoreInfo {
    /// Names a store. `root` must be safe to show.
    pub fn new(backend: &'static str, root: impl Into<String>, capabilities: Capabilities) -> Self {
        Self { backend, root: root.into(), capabilities, servers: Vec::new() }
    }

    /// With the URLs of the servers that are asked, where the location does not name them.
    #[must_use]
    pub fn with_servers(mut self, servers: impl IntoIterator<Item = String>) -> Self {
        self.servers = servers.into_iter().collect();
        self
    }
}
