//! The conformance suite, through a server that keeps its artifacts in S3 and signs URLs, fetching
//! the files of a logged model.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mlfetch_conformance::{Fixture, KeyClass, Quirk, Seeded, conformance_suite};
use mlfetch_mlflow::{ProxyStore, Transfer};
use mlfetch_store::{BoxError, Key};

use crate::bucket::{s3, seed};
use crate::support::variable;

const NO_DIRECTORY: &str = "MLflow 3.17 lists a directory of such a name as another one";
const FOLDED: &str = "MinIO keeps objects as files and folds such names or refuses them";

const QUIRKS: &[Quirk] = &[
    Quirk::unserved_key(KeyClass::Percent, NO_DIRECTORY).only(&[
        "in/%41.txt/file.txt",
        "in/a%2Fb/file.txt",
        "in/a%20b/file.txt",
        "in/%25/file.txt",
    ]),
    Quirk::unserved_key(KeyClass::Hash, "MLflow 3.17 refuses `#` with something behind it")
        .only(&["a#b", "#begins", "in/a#b/file.txt", "in/#/file.txt", "in/#begins/file.txt"]),
    Quirk::unserved_key(KeyClass::Whitespace, NO_DIRECTORY).only(&[
        "in/a\tb/file.txt",
        "in/a\nb/file.txt",
        "in/a\rb/file.txt",
        "a\nb",
        "a\rb",
    ]),
    Quirk::unserved_key(
        KeyClass::Control,
        "MLflow 3.17 escapes them, or writes them into a header",
    )
    .only(&[
        "a\u{1}b",
        "a\u{1b}[31mb",
        "a\u{7f}b",
        "in/a\u{1}b/file.txt",
        "in/a\u{1b}[31mb/file.txt",
        "in/a\u{7f}b/file.txt",
    ]),
    Quirk::no_key(KeyClass::EmptySegments, FOLDED),
    Quirk::no_key(KeyClass::LeadingSlash, FOLDED),
    Quirk::unserved_key(KeyClass::TrailingSlash, "MLflow 3.17 lists such an object without `/`"),
    Quirk::no_key(KeyClass::DotSegments, FOLDED),
    Quirk::no_key(KeyClass::ObjectBesideDirectory, FOLDED),
    Quirk::no_key(KeyClass::NotUtf8, "an S3 key is text"),
];

/// Objects of a logged model in MinIO.
struct Bucket;

#[async_trait]
impl Fixture for Bucket {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let model = seed(objects)?;
        let prefix = model.root.clone();
        let store = ProxyStore::open(s3(Transfer::Auto).with_model(model));
        Ok(Seeded::new(Arc::new(store), prefix))
    }

    fn quirks(&self) -> &[Quirk] {
        QUIRKS
    }

    fn secrets(&self) -> Vec<String> {
        vec![variable("MLFETCH_TEST_MINIO_SECRET_KEY"), "X-Amz-Signature".to_owned()]
    }
}

conformance_suite!(Bucket);
