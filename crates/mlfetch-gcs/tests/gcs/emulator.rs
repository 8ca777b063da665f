//! The fake-gcs-server that the tests run against, and objects in it.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_gcs::{GcsConfig, GcsStore};
use mlfetch_store::{BoxError, Key};
use serde_json::{Value, json};

use crate::support::variable;

/// Its URL.
pub(crate) fn url() -> String {
    variable("MLFETCH_TEST_GCS_URL")
}

/// The bucket of the tests.
pub(crate) fn bucket() -> String {
    variable("MLFETCH_TEST_GCS_BUCKET")
}

/// A prefix that no other test uses.
pub(crate) fn fresh_prefix() -> Key {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Key::from(format!("gcs-{}-{number}/", std::process::id()))
}

/// The bucket of the tests, opened.
pub(crate) async fn open() -> GcsStore {
    open_bucket(&bucket()).await
}

/// Another bucket.
pub(crate) async fn open_bucket(bucket: &str) -> GcsStore {
    let config = GcsConfig::new().with_emulator_host(url());
    GcsStore::open(config, bucket).await.expect("a store")
}

/// Puts objects into the bucket of the tests, under exactly these names or not at all; gives their
/// generations.
pub(crate) fn put<B: AsRef<[u8]>>(objects: &[(Key, B)]) -> Result<Vec<String>, BoxError> {
    let objects = objects.iter().map(|(key, bytes)| object(key, bytes.as_ref(), None));
    seed(&objects.collect::<Vec<_>>())
}

/// Puts one object that is stored compressed.
pub(crate) fn put_encoded(key: &Key, bytes: &[u8], encoding: &str) -> Result<String, BoxError> {
    let mut generations = seed(&[object(key, bytes, Some(encoding))])?;
    generations.pop().ok_or_else(|| "no generation".into())
}

fn object(key: &Key, bytes: &[u8], encoding: Option<&str>) -> Value {
    json!({
        "key": STANDARD.encode(key.as_bytes()),
        "body": STANDARD.encode(bytes),
        "encoding": encoding,
    })
}

fn seed(objects: &[Value]) -> Result<Vec<String>, BoxError> {
    let input = json!({ "url": url(), "bucket": bucket(), "objects": objects });
    let mut child = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gcs/seed.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("a pipe")?.write_all(input.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout)?);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
