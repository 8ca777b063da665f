//! The suite, through HttpFS.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{Bytes, Fixture, Quirk, Seeded};
use mlfetch_store::{BoxError, Key};

use crate::hadoop;
use crate::quirks::HDFS;

struct GatewayFixture;

#[async_trait]
impl Fixture for GatewayFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let prefix = hadoop::fresh_prefix();
        hadoop::put(&prefix, objects)?;
        Ok(Seeded::new(Arc::new(super::open()), prefix))
    }

    fn quirks(&self) -> &[Quirk] {
        HDFS
    }
}

mlfetch_conformance::conformance_suite!(GatewayFixture);
