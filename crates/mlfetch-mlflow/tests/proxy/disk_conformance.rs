//! The conformance suite, through a server that keeps its artifacts on its own disk.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mlfetch_conformance::{Fixture, KeyClass, Quirk, Seeded, conformance_suite};
use mlfetch_store::{BoxError, Key};

use crate::support::{fresh_prefix, open, variable};

const READ_AS_ANOTHER: &str = "MLflow 3.17 decodes, escapes or deletes parts of the path";
const NO_FILE: &str = "a file system has no such name";

const QUIRKS: &[Quirk] = &[
    Quirk::unserved_key(KeyClass::Percent, READ_AS_ANOTHER).only(&[
        "%41.txt",
        "a%2Fb",
        "a%20b",
        "%25",
        "in/%41.txt/file.txt",
        "in/a%2Fb/file.txt",
        "in/a%20b/file.txt",
        "in/%25/file.txt",
    ]),
    Quirk::unserved_key(KeyClass::Hash, "MLflow 3.17 refuses `#`, and drops it at the end"),
    Quirk::unserved_key(KeyClass::Whitespace, READ_AS_ANOTHER),
    Quirk::unserved_key(KeyClass::Control, READ_AS_ANOTHER).only(&[
        "a\u{1}b",
        "a\u{1b}[31mb",
        "a\u{7f}b",
        "in/a\u{1}b/file.txt",
        "in/a\u{1b}[31mb/file.txt",
        "in/a\u{7f}b/file.txt",
    ]),
    Quirk::poisoned_listing(KeyClass::NotUtf8, "MLflow 3.17 answers 500: it cannot write the name"),
    Quirk::no_key(KeyClass::EmptySegments, NO_FILE),
    Quirk::no_key(KeyClass::LeadingSlash, NO_FILE),
    Quirk::no_key(KeyClass::TrailingSlash, NO_FILE),
    Quirk::no_key(KeyClass::DotSegments, NO_FILE),
    Quirk::no_key(KeyClass::ObjectBesideDirectory, NO_FILE),
];

/// Files written straight into the server's destination.
struct Disk;

/// Removes what was seeded.
struct Remove(PathBuf);

impl Drop for Remove {
    fn drop(&mut self) {
        // What cannot be removed goes with the server's own directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[async_trait]
impl Fixture for Disk {
    async fn seed(&self, objects: &[(Key, Bytes)]) -> Result<Seeded, BoxError> {
        let root = PathBuf::from(variable("MLFETCH_TEST_MLFLOW_PROXIED_ROOT"));
        let prefix = fresh_prefix();
        let directory = root.join(prefix.to_str()?);
        for (key, bytes) in objects {
            write(&directory, key, bytes)?;
        }
        let run = directory.parent().unwrap_or(&directory).to_owned();
        let store = Arc::new(open(&variable("MLFETCH_TEST_MLFLOW_PROXIED")));
        Ok(Seeded::new(store, prefix).with_guard(Remove(run)))
    }

    fn quirks(&self) -> &[Quirk] {
        QUIRKS
    }
}

fn write(directory: &Path, key: &Key, bytes: &[u8]) -> Result<(), BoxError> {
    let mut path = directory.to_owned();
    for segment in key.as_bytes().split(|byte| *byte == b'/') {
        if matches!(segment, b"" | b"." | b"..") {
            return Err(format!("a file system cannot hold `{key}`").into());
        }
        path.push(OsStr::from_bytes(segment));
    }
    std::fs::create_dir_all(path.parent().ok_or("a file lies in a directory")?)?;
    Ok(std::fs::write(path, bytes)?)
}

conformance_suite!(Disk);
