//! The MinIO that the tests run against, and objects that boto3 puts into it.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_s3::{S3Config, S3Store};
use mlfetch_store::{BoxError, Key};
use serde_json::{Value, json};

use crate::support::{signed_in, variable};

/// The variables that describe MinIO.
fn server(name: &str) -> String {
    variable(&format!("MLFETCH_TEST_MINIO_{name}"))
}

/// Its URL.
pub(crate) fn url() -> String {
    server("URL")
}

/// Its owner's access key.
pub(crate) fn access_key() -> String {
    server("ACCESS_KEY")
}

/// The secret key, for what must not be shown.
pub(crate) fn secret_key() -> String {
    server("SECRET_KEY")
}

/// A prefix that no other test uses.
pub(crate) fn fresh_prefix() -> Key {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Key::from(format!("s3-{}-{number}/", std::process::id()))
}

/// A bucket as its owner.
pub(crate) async fn open(bucket: &str) -> S3Store {
    open_with(S3Config::new(), bucket).await
}

/// The same with settings.
pub(crate) async fn open_with(config: S3Config, bucket: &str) -> S3Store {
    let config = config.with_endpoint_url(url());
    let sdk = signed_in(&access_key(), &secret_key());
    S3Store::open_with_sdk(config, &sdk, bucket).await.expect("a store")
}

/// The bucket of the tests.
pub(crate) fn test_bucket() -> String {
    server("BUCKET")
}

/// Puts objects into the bucket of the tests, under exactly these names or not at all.
pub(crate) fn put<B: AsRef<[u8]>>(objects: &[(Key, B)]) -> Result<(), BoxError> {
    let objects = objects.iter().map(|(key, bytes)| {
        json!({
            "key": STANDARD.encode(key.as_bytes()),
            "body": STANDARD.encode(bytes),
        })
    });
    let objects: Vec<Value> = objects.collect();
    script(&json!({ "bucket": test_bucket(), "objects": objects })).map(drop)
}

/// Runs `seed_bucket.py`; its input says what it does.
pub(crate) fn script(input: &Value) -> Result<Value, BoxError> {
    for name in ["URL", "ACCESS_KEY", "SECRET_KEY"] {
        server(name);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/s3/seed_bucket.py");
    let mut child = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(script)
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
