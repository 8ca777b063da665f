//! The suite against the store in memory, flat and tree.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{Behaviour, Bytes, Fixture, Quirk, Seeded};
use mlfetch_store::{BoxError, Key, Listing, MemoryStore};

struct InMemory(Listing);

#[async_trait]
impl Fixture for InMemory {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let prefix = Key::from("space-7/");
        let stranger = MemoryStore::with_listing(self.0).with(Key::from("space-70/x"), "x");
        let store = objects.iter().fold(stranger, |store, (key, bytes)| {
            store.with(prefix.append(key.as_bytes()), bytes.clone())
        });
        Ok(Seeded::new(Arc::new(store), prefix))
    }

    fn quirks(&self) -> &[Quirk] {
        const QUIRKS: &[Quirk] =
            &[Quirk::behaviour(Behaviour::BodyInOneChunk, "the bytes are in memory already")];
        QUIRKS
    }

    fn secrets(&self) -> Vec<String> {
        vec!["hunter2".to_owned()]
    }
}

mod flat {
    use super::{InMemory, Listing};
    mlfetch_conformance::conformance_suite!(InMemory(Listing::Flat));
}

mod tree {
    use super::{InMemory, Listing};
    mlfetch_conformance::conformance_suite!(InMemory(Listing::Tree));
}
