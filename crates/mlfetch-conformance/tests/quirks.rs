//! The suite itself: a quirk is checked, not believed.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{
    Behaviour, Bytes, Fixture, KeyClass, Quirk, Seeded, cases, conformance_suite,
};
use mlfetch_store::{
    BoxError, Entry, Error, ErrorKind, Key, ListRequest, MemoryStore, Object, ObjectInfo, Page,
    ReadRequest, Result, StatRequest, Store, StoreInfo,
};

/// What a clumsy server does with a `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clumsy {
    RefusesToHold,
    HidesAndDenies,
    PoisonsListing,
    CutsTheName,
}

#[derive(Debug)]
struct ClumsyStore(MemoryStore, Clumsy);

#[async_trait]
impl Store for ClumsyStore {
    fn info(&self) -> &StoreInfo {
        self.0.info()
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        let mut page = self.0.list_page(request.clone()).await?;
        let odd = |entry: &Entry| matches!(entry, Entry::Object(info) if has_hash(&info.key));
        if self.1 == Clumsy::PoisonsListing && page.entries.iter().any(odd) {
            return Err(Error::new(ErrorKind::Protocol, "list", request.prefix.to_string()));
        }
        page.entries.retain(|entry| !odd(entry));
        Ok(page)
    }

    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        self.0.stat(&self.seen(key)?, request).await
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        self.0.read(&self.seen(key)?, request).await
    }
}

impl ClumsyStore {
    fn seen(&self, key: &Key) -> Result<Key> {
        if self.1 == Clumsy::CutsTheName {
            let whole = key.as_bytes();
            return Ok(Key::new(whole.split(|byte| *byte == b'#').next().unwrap_or(whole)));
        }
        let denied = || Error::new(ErrorKind::InvalidKey, "ask for", key.to_string());
        if has_hash(key) { Err(denied()) } else { Ok(key.clone()) }
    }
}

fn has_hash(key: &Key) -> bool {
    key.as_bytes().contains(&b'#')
}

struct ClumsyServer(Clumsy, &'static [Quirk]);

#[async_trait]
impl Fixture for ClumsyServer {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        if self.0 == Clumsy::RefusesToHold && objects.iter().any(|(key, _)| has_hash(key)) {
            return Err("no hash signs here".into());
        }
        let store = objects
            .iter()
            .fold(MemoryStore::new(), |store, (key, bytes)| store.with(key.clone(), bytes.clone()));
        Ok(Seeded::new(Arc::new(ClumsyStore(store, self.0)), Key::root()))
    }

    fn quirks(&self) -> &[Quirk] {
        self.1
    }
}

async fn check(clumsy: Clumsy, quirks: &'static [Quirk], class: KeyClass) {
    cases::names::exact(&ClumsyServer(clumsy, quirks), class).await;
}

const NO_KEY: &[Quirk] = &[Quirk::no_key(KeyClass::Hash, "it says so")];
const UNSERVED: &[Quirk] = &[Quirk::unserved_key(KeyClass::Hash, "its URLs end there")];
const POISONED: &[Quirk] = &[Quirk::poisoned_listing(KeyClass::Hash, "it answers 500")];

#[tokio::test]
async fn a_quirk_that_is_as_it_says_passes() {
    check(Clumsy::RefusesToHold, NO_KEY, KeyClass::Hash).await;
    check(Clumsy::HidesAndDenies, UNSERVED, KeyClass::Hash).await;
    check(Clumsy::PoisonsListing, POISONED, KeyClass::Hash).await;
}

#[tokio::test]
#[should_panic(expected = "listed:")]
async fn a_key_that_vanishes_without_a_quirk_fails() {
    check(Clumsy::HidesAndDenies, &[], KeyClass::Hash).await;
}

#[tokio::test]
#[should_panic(expected = "something answers for")]
async fn a_look_alike_that_answers_is_no_quirk() {
    check(Clumsy::CutsTheName, UNSERVED, KeyClass::Hash).await;
}

#[tokio::test]
#[should_panic(expected = "not poisoned")]
async fn a_quirk_that_says_too_much_fails() {
    check(Clumsy::HidesAndDenies, POISONED, KeyClass::Hash).await;
}

#[tokio::test]
#[should_panic(expected = "the quirk is out of date")]
async fn a_quirk_that_is_gone_fails() {
    const GONE: &[Quirk] = &[Quirk::unserved_key(KeyClass::Tilde, "it was so once")];
    check(Clumsy::HidesAndDenies, GONE, KeyClass::Tilde).await;
}

/// The whole suite passes with its quirks named, one key at a time where that is so.
mod with_quirks {
    use super::{Behaviour, Clumsy, ClumsyServer, KeyClass, Quirk, conformance_suite};

    const QUIRKS: &[Quirk] = &[
        Quirk::no_key(KeyClass::Hash, "it says so").only(&["a#b", "#"]),
        Quirk::no_key(KeyClass::Hash, "it says so").only(&["#begins", "in/#begins/file.txt"]),
        Quirk::no_key(KeyClass::Hash, "it says so").only(&["in/a#b/file.txt", "in/#/file.txt"]),
        Quirk::behaviour(Behaviour::BodyInOneChunk, "the bytes are in memory already"),
    ];

    conformance_suite!(ClumsyServer(Clumsy::RefusesToHold, QUIRKS));
}
