//! The suite, with a ticket.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{Bytes, Fixture, KeyClass, Quirk, Seeded};
use mlfetch_store::{BoxError, Key};

use crate::hadoop;
use crate::realm::{keeper, open, realm};

const PATH: &str = "names in HDFS are segments of a path, and text";

const HDFS: &[Quirk] = &[
    Quirk::no_key(KeyClass::EmptySegments, PATH),
    Quirk::no_key(KeyClass::LeadingSlash, PATH),
    Quirk::no_key(KeyClass::TrailingSlash, PATH),
    Quirk::no_key(KeyClass::DotSegments, PATH),
    Quirk::no_key(KeyClass::ObjectBesideDirectory, PATH),
    Quirk::no_key(KeyClass::NotUtf8, PATH),
    Quirk::no_key(KeyClass::Reserved, "HDFS has no `:` in its names")
        .only(&["a:b", "in/a:b/file.txt"]),
];

struct SecureFixture;

#[async_trait]
impl Fixture for SecureFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let prefix = hadoop::fresh_prefix();
        hadoop::put_at(&realm("URL"), keeper(), &prefix, objects)?;
        Ok(Seeded::new(Arc::new(open()), prefix))
    }

    fn quirks(&self) -> &[Quirk] {
        HDFS
    }

    fn secrets(&self) -> Vec<String> {
        // Of tokens and tickets, what each of them holds.
        vec!["delegation=".to_owned(), "Negotiate ".to_owned(), "hadoop.auth".to_owned()]
    }
}

mlfetch_conformance::conformance_suite!(SecureFixture);
