//! The suite, twice: Azurite signs off what real servers check, a container in memory holds the keys that
//! Azurite cannot.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{Bytes, Fixture, KeyClass, Quirk, Seeded};
use mlfetch_store::{BoxError, Key};

use crate::azurite::{Azurite, fresh_container};
use crate::container::MemoryContainer;
use crate::server::Server;
use crate::support;

const TEXT: &str = "a blob's name is text";
const BACKSLASH: &str = "Azure takes `\\` for `/`";

const AZURITE: &[Quirk] = &[
    Quirk::no_key(KeyClass::NotUtf8, TEXT),
    Quirk::no_key(KeyClass::Backslash, BACKSLASH),
    Quirk::poisoned_listing(KeyClass::Control, "Azurite cannot write them into XML").only(CONTROL),
];

/// Those that XML cannot hold.
const CONTROL: &[&str] =
    &["a\u{1}b", "a\u{1b}[31mb", "in/a\u{1}b/file.txt", "in/a\u{1b}[31mb/file.txt"];

const MEMORY: &[Quirk] =
    &[Quirk::no_key(KeyClass::NotUtf8, TEXT), Quirk::no_key(KeyClass::Backslash, BACKSLASH)];

/// Blobs in Azurite.
struct AzuriteFixture;

#[async_trait]
impl Fixture for AzuriteFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let container = fresh_container();
        Azurite::Plain.put(&container, objects)?;
        Ok(Seeded::new(Arc::new(Azurite::Plain.open(&container)), Key::root()))
    }

    fn quirks(&self) -> &[Quirk] {
        AZURITE
    }

    fn secrets(&self) -> Vec<String> {
        vec![Azurite::Plain.key(), format!("SharedKey {}:", Azurite::Plain.account())]
    }
}

/// Blobs in memory, behind HTTP.
struct MemoryFixture;

#[async_trait]
impl Fixture for MemoryFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        for (key, _) in objects {
            if key.to_str()?.contains('\\') {
                return Err(BACKSLASH.into());
            }
        }
        let container = MemoryContainer::with(objects);
        let server = Server::start(move |request| container.answer(request)).await;
        let store = support::open(&server.url());
        Ok(Seeded::new(Arc::new(store), Key::root()).with_guard(server))
    }

    fn quirks(&self) -> &[Quirk] {
        MEMORY
    }

    fn secrets(&self) -> Vec<String> {
        vec![support::ACCESS_KEY.to_owned(), "SharedKey account:".to_owned()]
    }
}

/// A real server.
mod in_azurite {
    use super::AzuriteFixture;

    mlfetch_conformance::conformance_suite!(AzuriteFixture);
}

/// A server that holds every name that Azure can hold.
mod in_memory {
    use super::MemoryFixture;

    mlfetch_conformance::conformance_suite!(MemoryFixture);
}
