//! The suite that every store passes, against files that the standard library wrote.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_conformance::{Bytes, Fixture, KeyClass, Quirk, Seeded, conformance_suite};
use mlfetch_local::{LocalConfig, LocalStore};
use mlfetch_store::{BoxError, Key};

struct Files;

const QUIRKS: &[Quirk] = &[
    Quirk::no_key(KeyClass::EmptySegments, "a path has no empty segments"),
    Quirk::no_key(KeyClass::LeadingSlash, "a path below a directory is relative"),
    Quirk::no_key(KeyClass::TrailingSlash, "what ends in a slash is a directory"),
    Quirk::no_key(KeyClass::DotSegments, "the file system resolves them"),
    Quirk::no_key(KeyClass::ObjectBesideDirectory, "a name is a file or a directory"),
];

#[async_trait]
impl Fixture for Files {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let directory = tempfile::tempdir()?;
        fs::create_dir(directory.path().join("space"))?;
        for (key, bytes) in objects {
            let odd = |name: &[u8]| matches!(name, b"" | b"." | b"..");
            if key.as_bytes().split(|byte| *byte == b'/').any(odd) {
                return Err(format!("no file can have the name `{key}`").into());
            }
            let path = directory.path().join("space").join(OsStr::from_bytes(key.as_bytes()));
            fs::create_dir_all(path.parent().ok_or("a parent")?)?;
            fs::write(path, bytes)?;
        }
        let store = LocalStore::open(directory.path(), LocalConfig::default())?;
        Ok(Seeded::new(Arc::new(store), Key::from("space/")).with_guard(directory))
    }

    fn quirks(&self) -> &[Quirk] {
        QUIRKS
    }
}

conformance_suite!(Files);
