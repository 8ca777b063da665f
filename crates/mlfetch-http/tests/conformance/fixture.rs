//! Files in nginx's root, by the file system, and what nginx is known to do with them.

use async_trait::async_trait;
use mlfetch_conformance::{Behaviour, Bytes, Fixture, KeyClass, Quirk, Seeded};
use mlfetch_store::{BoxError, Key, Options};

use crate::nginx::{Directory, open, signed_in, variable};

const FILE_SYSTEM: &str = "files below a directory cannot have this name";

const COMMON: [Quirk; 6] = [
    Quirk::no_key(KeyClass::EmptySegments, FILE_SYSTEM),
    Quirk::no_key(KeyClass::LeadingSlash, FILE_SYSTEM),
    Quirk::no_key(KeyClass::TrailingSlash, FILE_SYSTEM),
    Quirk::no_key(KeyClass::DotSegments, FILE_SYSTEM),
    Quirk::no_key(KeyClass::ObjectBesideDirectory, FILE_SYSTEM),
    Quirk::unserved_key(KeyClass::Dots, "nginx leaves names that begin with a dot out of indexes")
        .only(&[
            "...",
            ".hidden",
            "..a",
            "in/.../file.txt",
            "in/.hidden/file.txt",
            "in/..a/file.txt",
        ]),
];

const JSON: &[Quirk] = &COMMON;

const HTML: &[Quirk] = &[
    COMMON[0],
    COMMON[1],
    COMMON[2],
    COMMON[3],
    COMMON[4],
    COMMON[5],
    Quirk::behaviour(Behaviour::ListingWithoutSizes, "sizes in HTML are for people"),
];

/// One way of asking nginx for the same files.
pub(crate) struct NginxFixture {
    url: String,
    options: Options,
    quirks: &'static [Quirk],
    secrets: Vec<String>,
}

impl NginxFixture {
    /// With indexes in HTML.
    pub(crate) fn html() -> Self {
        let url = variable("MLFETCH_TEST_NGINX_URL");
        Self { url, options: Options::new(), quirks: HTML, secrets: Vec::new() }
    }

    /// With indexes in JSON.
    pub(crate) fn json() -> Self {
        let url = variable("MLFETCH_TEST_NGINX_JSON_URL");
        Self { url, quirks: JSON, ..Self::html() }
    }

    /// With indexes in HTML, for those who sign in.
    pub(crate) fn basic() -> Self {
        let password = variable("MLFETCH_TEST_NGINX_PASSWORD");
        let url = variable("MLFETCH_TEST_NGINX_AUTH_URL");
        Self { url, options: signed_in(&password), secrets: vec![password], ..Self::html() }
    }
}

#[async_trait]
impl Fixture for NginxFixture {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let directory = Directory::with(objects)?;
        let url = format!("{}/{}/", self.url, directory.name());
        let opened = open(&url, &self.options).await?;
        Ok(Seeded::new(opened.store, opened.key).with_guard(directory))
    }

    fn quirks(&self) -> &[Quirk] {
        self.quirks
    }

    fn secrets(&self) -> Vec<String> {
        self.secrets.clone()
    }
}
