//! What a store tells about its objects.

use std::fmt;
use std::fs::File;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::{Checksum, Error, Key, Result};

/// What is known of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// Its exact name.
    pub key: Key,
    /// Size in bytes; `None` where the store does not say before the read.
    pub size: Option<u64>,
    /// The entity tag as the store writes it, quotes included: what a conditional read names.
    pub etag: Option<String>,
    /// The version or generation that this is.
    pub version: Option<String>,
    /// When it was last written.
    pub modified: Option<SystemTime>,
    /// What the store keeps to prove the bytes; empty unless it was asked for or costs nothing.
    pub checksums: Vec<Checksum>,
}

impl ObjectInfo {
    /// An object of which only the name is known.
    pub fn new(key: Key) -> Self {
        Self { key, size: None, etag: None, version: None, modified: None, checksums: Vec::new() }
    }

    /// With its size in bytes.
    #[must_use]
    pub fn with_size(mut self, size: impl Into<Option<u64>>) -> Self {
        self.size = size.into();
        self
    }

    /// With its entity tag.
    #[must_use]
    pub fn with_etag(mut self, etag: impl Into<Option<String>>) -> Self {
        self.etag = etag.into();
        self
    }

    /// With its version or generation.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<Option<String>>) -> Self {
        self.version = version.into();
        self
    }

    /// With the time of its last change.
    #[must_use]
    pub fn with_modified(mut self, modified: impl Into<Option<SystemTime>>) -> Self {
        self.modified = modified.into();
        self
    }

    /// With what proves its bytes.
    #[must_use]
    pub fn with_checksums(mut self, checksums: Vec<Checksum>) -> Self {
        self.checksums = checksums;
        self
    }
}

/// One row of a listing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Entry {
    /// An object.
    Object(ObjectInfo),
    /// A directory, by its prefix (it ends in `/`). A listing of [`Depth::One`](crate::Depth)
    /// gives these to be listed in turn; one of [`Depth::All`](crate::Depth) gives them only where
    /// a directory can exist without objects.
    Directory(Key),
    /// Something that is there and cannot be fetched: a dangling link, a name the protocol cannot
    /// carry. It never hides its neighbours.
    Refused(Refused),
}

/// Something that is listed and cannot be fetched.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refused {
    /// Its name.
    pub key: Key,
    /// Why.
    pub error: Error,
}

impl Refused {
    /// Names what cannot be fetched, and why.
    pub fn new(key: Key, error: Error) -> Self {
        Self { key, error }
    }
}

/// Where the next page begins. Opaque: the store that gave it reads it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageToken(String);

impl PageToken {
    /// Wraps a store's own token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The store's own token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tokens may carry signatures: only their length is shown.
impl fmt::Debug for PageToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PageToken({} bytes)", self.0.len())
    }
}

/// One page of a listing.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Page {
    /// The rows, in the store's order.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one. A page may be empty and still have a next one.
    pub next: Option<PageToken>,
}

impl Page {
    /// A page and where the next begins.
    pub fn new(entries: Vec<Entry>, next: Option<PageToken>) -> Self {
        Self { entries, next }
    }
}

/// The bytes of an object as they arrive.
pub type ObjectBody = BoxStream<'static, Result<Bytes>>;

/// An object being read.
#[non_exhaustive]
pub struct Object {
    /// What the answer said of the object: the size is that of the whole object, not of the range.
    pub info: ObjectInfo,
    /// The first byte of this body within the object; 0 unless a range was asked for and given.
    pub start: u64,
    /// The bytes. A store ends it with an error when it is shorter than it said.
    pub body: ObjectBody,
    /// The file of this machine whose bytes, all of them, are the object's. Whoever copies it instead
    /// of taking the body sees for himself whether it is still as [`info`](Self::info) says when that
    /// is done.
    pub file: Option<Arc<File>>,
    /// What the store computed over the bytes of this body, all of them, if it [was asked
    /// for](crate::ReadRequest::checksum). Whoever takes the body compares.
    pub checksum: Option<Checksum>,
}

impl Object {
    /// An object's facts and its bytes, from byte `start` on.
    pub fn new(info: ObjectInfo, start: u64, body: ObjectBody) -> Self {
        Self { info, start, body, file: None, checksum: None }
    }

    /// The same with the file that the object is.
    #[must_use]
    pub fn with_file(mut self, file: impl Into<Option<Arc<File>>>) -> Self {
        self.file = file.into();
        self
    }

    /// The same with what the store computed over the bytes of this body.
    #[must_use]
    pub fn with_checksum(mut self, checksum: impl Into<Option<Checksum>>) -> Self {
        self.checksum = checksum.into();
        self
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Object")
            .field("info", &self.info)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}
