//! What happens for each object and each page, for `benches/` alone. Nothing of it is promised.

use std::sync::Arc;

use http::Method;
use mlfetch_store::{Key, Result, Secret};

use crate::credentials::Keys;
use crate::endpoint::Endpoint;
use crate::request::{Call, Signing};
use crate::sign::{Scope, Signer};
use crate::wire;

const TIMESTAMP: &str = "20260101T000000Z";

/// Somebody who signs questions to one bucket.
#[derive(Debug)]
pub struct Asker {
    endpoint: Endpoint,
    keys: Arc<Keys>,
    signer: Signer,
}

impl Asker {
    /// One at Amazon.
    ///
    /// # Errors
    /// None that anybody has seen.
    pub fn new() -> Result<Self> {
        let endpoint = Endpoint {
            base: "https://bucket.s3.us-east-1.amazonaws.com".to_owned(),
            host: "bucket.s3.us-east-1.amazonaws.com".to_owned(),
            path: String::new(),
            scope: Scope::Region("us-east-1".to_owned()),
            service: "s3".to_owned(),
            session: false,
        };
        let (id, secret) = ("AKIAIOSFODNN7EXAMPLE".to_owned(), Secret::new("a secret"));
        let keys = Arc::new(Keys { id, secret, token: None, expires: None });
        let signer = Signer::new(Arc::clone(&keys), &TIMESTAMP[..8], &endpoint.scope, "s3")?;
        Ok(Self { endpoint, keys, signer })
    }

    /// The signed request for an object; how many headers it has.
    pub fn ask(&self, key: &Key) -> Result<usize> {
        let call = Call::of_object("read", Method::GET, key).header("if-match", Some("\"tag\""))?;
        let signing = Signing { signer: &self.signer, keys: &self.keys, timestamp: TIMESTAMP };
        Ok(call.assemble(&self.endpoint, Some(signing))?.headers().len())
    }
}

/// How many objects a page of a listing has.
pub fn listed(xml: &[u8]) -> Option<usize> {
    wire::list_page(xml).map(|page| page.objects.len())
}
