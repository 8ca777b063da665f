//! The suite, against a real NameNode and DataNode.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{Bytes, Fixture, Quirk, Seeded};
use mlfetch_store::{BoxError, Key};

use crate::hadoop;
use crate::quirks::HDFS;

struct HdfsFixture;

#[async_trait]
impl Fixture for HdfsFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let prefix = hadoop::fresh_prefix();
        hadoop::put(&prefix, objects)?;
        Ok(Seeded::new(Arc::new(hadoop::open()), prefix))
    }

    fn quirks(&self) -> &[Quirk] {
        HDFS
    }
}

mlfetch_conformance::conformance_suite!(HdfsFixture);
