//! The suite, twice: fake-gcs-server signs off what real servers do, a bucket in memory what it does
//! otherwise than Google's.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{Behaviour, Bytes, Fixture, KeyClass, Quirk, Seeded};
use mlfetch_store::{BoxError, Key};

use crate::bucket::MemoryBucket;
use crate::server::Server;
use crate::{emulator, support};

const TEXT: Quirk = Quirk::no_key(KeyClass::NotUtf8, "a name of Cloud Storage is text");

const EMULATOR: &[Quirk] = &[
    TEXT,
    Quirk::behaviour(
        Behaviour::DirectoriesBesidePages,
        "maxResults counts objects alone there, and each page has all prefixes behind its token",
    ),
];

const MEMORY: &[Quirk] = &[TEXT];

/// Objects in fake-gcs-server.
struct EmulatorFixture;

#[async_trait]
impl Fixture for EmulatorFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let prefix = emulator::fresh_prefix();
        let below = objects.iter().map(|(key, bytes)| (prefix.append(key.as_bytes()), bytes));
        emulator::put(&below.collect::<Vec<_>>())?;
        Ok(Seeded::new(Arc::new(emulator::open().await), prefix))
    }

    fn quirks(&self) -> &[Quirk] {
        EMULATOR
    }
}

/// Objects in memory, behind HTTP.
struct MemoryFixture;

#[async_trait]
impl Fixture for MemoryFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let bucket = MemoryBucket::with(objects)?;
        let server = Server::start(move |request| bucket.answer(request)).await;
        let store = support::open(&server.url()).await;
        Ok(Seeded::new(Arc::new(store), Key::root()).with_guard(server))
    }

    fn quirks(&self) -> &[Quirk] {
        MEMORY
    }
}

/// A real server.
mod in_the_emulator {
    use super::EmulatorFixture;

    mlfetch_conformance::conformance_suite!(EmulatorFixture);
}

/// A server that pages and checks conditions as Google's does.
mod in_memory {
    use super::MemoryFixture;

    mlfetch_conformance::conformance_suite!(MemoryFixture);
}
