//! The suite, with a ticket.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{Bytes, Fixture, Quirk, Seeded};
use mlfetch_store::{BoxError, Key};

use crate::hadoop;
use crate::quirks::HDFS;
use crate::realm::{keeper, open, realm};

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
