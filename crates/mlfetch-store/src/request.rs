//! What is asked of a store.

use std::num::NonZeroUsize;
use std::ops::Range;

use crate::{Key, PageToken};

/// How far a listing reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// One directory: objects in it, and the prefixes of directories in it.
    One,
    /// Everything below the prefix, at once. Only for stores whose listing is
    /// [`Listing::Flat`](crate::Listing).
    All,
}

/// Asks for one page of names.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListRequest {
    /// Exact beginning of the names: empty, or ending in `/` for [`Depth::One`].
    pub prefix: Key,
    /// How far it reaches.
    pub depth: Depth,
    /// Where to begin: the `next` of the page before; `None` for the first page.
    pub token: Option<PageToken>,
    /// At most so many rows; `None` leaves it to the store. A store may give fewer.
    pub max_entries: Option<NonZeroUsize>,
}

impl ListRequest {
    /// The first page of what lies below `prefix`.
    pub fn new(prefix: Key, depth: Depth) -> Self {
        Self { prefix, depth, token: None, max_entries: None }
    }

    /// The page that begins at `token`.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<Option<PageToken>>) -> Self {
        self.token = token.into();
        self
    }

    /// At most so many rows.
    #[must_use]
    pub fn with_max_entries(mut self, max_entries: impl Into<Option<NonZeroUsize>>) -> Self {
        self.max_entries = max_entries.into();
        self
    }
}

/// Asks what is known of one object.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct StatRequest {
    /// Of this version; the current one if `None`.
    pub version: Option<String>,
    /// Which checksums are asked for.
    pub checksums: WantedChecksums,
}

/// Which checksums are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WantedChecksums {
    /// Those that cost nothing.
    #[default]
    Free,
    /// Those that the store keeps, also where they cost a request of their own.
    Kept,
    /// The same, and nothing is taken for granted that a request more can tell. A store may otherwise
    /// take the parts of an upload for equally long if the first, the last and their number say so,
    /// instead of asking for each. Whoever finds that the bytes do not agree asks again with this
    /// before saying so.
    Exact,
}

impl StatRequest {
    /// The current version, without checksums that cost extra.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of this version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<Option<String>>) -> Self {
        self.version = version.into();
        self
    }

    /// With the checksums that the store keeps.
    #[must_use]
    pub fn with_checksums(mut self) -> Self {
        self.checksums = WantedChecksums::Kept;
        self
    }

    /// With the checksums that the store keeps, and nothing about them taken for granted.
    #[must_use]
    pub fn with_exact_checksums(mut self) -> Self {
        self.checksums = WantedChecksums::Exact;
        self
    }

    /// Whether checksums are wanted that cost extra.
    pub fn wants_checksums(&self) -> bool {
        self.checksums != WantedChecksums::Free
    }
}

/// Asks for the bytes of one object, or of a range of it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ReadRequest {
    /// These bytes only (end exclusive). A store without ranges answers
    /// [`Unsupported`](crate::ErrorKind::Unsupported); one that is given a range never answers
    /// with another.
    pub range: Option<Range<u64>>,
    /// Only if the object still has this entity tag, else [`Changed`](crate::ErrorKind::Changed).
    pub if_match: Option<String>,
    /// This version; the current one if `None`.
    pub version: Option<String>,
    /// With [a checksum of these bytes](crate::Object::checksum), where the store computes one. It
    /// has no effect without a range, and on one longer than
    /// [`checksum_bytes`](crate::Capabilities::checksum_bytes).
    pub checksum: bool,
}

impl ReadRequest {
    /// The whole current object.
    pub fn new() -> Self {
        Self::default()
    }

    /// These bytes only, end exclusive.
    #[must_use]
    pub fn with_range(mut self, range: impl Into<Option<Range<u64>>>) -> Self {
        self.range = range.into();
        self
    }

    /// Only if it still has this entity tag.
    #[must_use]
    pub fn with_if_match(mut self, etag: impl Into<Option<String>>) -> Self {
        self.if_match = etag.into();
        self
    }

    /// This version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<Option<String>>) -> Self {
        self.version = version.into();
        self
    }

    /// With a checksum of these bytes, where the store computes one.
    #[must_use]
    pub fn with_checksum(mut self) -> Self {
        self.checksum = true;
        self
    }
}
