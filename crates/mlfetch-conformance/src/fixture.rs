//! What a backend brings to the suite.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mlfetch_store::{BoxError, Key, Store};

use crate::Quirk;

/// How objects get into a server, and what that server is known to do differently.
///
/// See the [crate's documentation](crate) for an example.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Puts exactly these objects into a fresh namespace, through a client that is not ours, and
    /// opens it. Each key is below the prefix that is returned.
    ///
    /// # Errors
    /// If the server cannot hold one of the keys, or refuses it. A fixture must not put the bytes
    /// under another name instead.
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError>;

    /// What this server cannot hold or does differently, each with a reason.
    fn quirks(&self) -> &[Quirk] {
        &[]
    }

    /// Texts that no message may hold: passwords, keys, tokens.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An opened store with objects in it.
#[non_exhaustive]
pub struct Seeded {
    /// The store under test.
    pub store: Arc<dyn Store>,
    /// What stands before each key: empty, or ending in `/`.
    pub prefix: Key,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Seeded {
    /// A store, and the prefix under which the objects are in it.
    ///
    /// # Panics
    /// If the prefix is neither empty nor ends in `/`.
    pub fn new(store: Arc<dyn Store>, prefix: Key) -> Self {
        assert!(prefix.is_prefix(), "the prefix `{prefix}` must be empty or end in `/`");
        Self { store, prefix, guard: None }
    }

    /// Keeps `guard` alive as long as the store is used: a temporary directory, a server.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }
}

impl fmt::Debug for Seeded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Seeded")
            .field("store", &self.store)
            .field("prefix", &self.prefix)
            .field("guarded", &self.guard.is_some())
            .finish()
    }
}
