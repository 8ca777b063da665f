//! The suite, twice: MinIO signs off what real servers check, a bucket in memory holds the keys that
//! MinIO cannot.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{Bytes, Fixture, KeyClass, Quirk, Seeded};
use mlfetch_store::{BoxError, Key};

use crate::bucket::MemoryBucket;
use crate::minio;
use crate::server::Server;
use crate::support;

const FOLDED: &str = "MinIO keeps objects as files and folds such names or refuses them";
const TEXT: &str = "an S3 key is text";

const MINIO: &[Quirk] = &[
    Quirk::no_key(KeyClass::EmptySegments, FOLDED),
    Quirk::no_key(KeyClass::LeadingSlash, FOLDED),
    Quirk::no_key(KeyClass::DotSegments, FOLDED),
    Quirk::no_key(KeyClass::ObjectBesideDirectory, FOLDED),
    Quirk::no_key(KeyClass::NotUtf8, TEXT),
];

const MEMORY: &[Quirk] = &[Quirk::no_key(KeyClass::NotUtf8, TEXT)];

/// Objects in MinIO.
struct MinioFixture;

#[async_trait]
impl Fixture for MinioFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let prefix = minio::fresh_prefix();
        let below = objects.iter().map(|(key, bytes)| (prefix.append(key.as_bytes()), bytes));
        minio::put(&below.collect::<Vec<_>>())?;
        let store = minio::open(&minio::test_bucket()).await;
        Ok(Seeded::new(Arc::new(store), prefix))
    }

    fn quirks(&self) -> &[Quirk] {
        MINIO
    }

    fn secrets(&self) -> Vec<String> {
        vec![minio::secret_key(), "Signature=".to_owned()]
    }
}

/// Objects in memory, behind HTTP.
struct MemoryFixture;

#[async_trait]
impl Fixture for MemoryFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        for (key, _) in objects {
            key.to_str()?;
        }
        let bucket = MemoryBucket::with(objects);
        let server = Server::start(move |request| bucket.answer(request)).await;
        let store = support::open(&server.url()).await;
        Ok(Seeded::new(Arc::new(store), Key::root()).with_guard(server))
    }

    fn quirks(&self) -> &[Quirk] {
        MEMORY
    }

    fn secrets(&self) -> Vec<String> {
        vec![support::SECRET_KEY.to_owned(), "Signature=".to_owned()]
    }
}

/// A real server.
mod in_minio {
    use super::MinioFixture;

    mlfetch_conformance::conformance_suite!(MinioFixture);
}

/// A server that holds every key.
mod in_memory {
    use super::MemoryFixture;

    mlfetch_conformance::conformance_suite!(MemoryFixture);
}
