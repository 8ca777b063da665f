//! The MinIO of the tests, and what MLflow and boto3 put into it.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use mlfetch_tests::{repository, variable};
use serde_json::{Value, json};

/// Variables for one command.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// A variable that describes MinIO.
pub(crate) fn minio(name: &str) -> String {
    variable(&format!("MLFETCH_TEST_MINIO_{name}"))
}

/// A place in the bucket that no other test uses: `prefix/`.
pub(crate) fn fresh_prefix() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("end-to-end-{}-{number}/", std::process::id())
}

/// The URI of a key in the bucket.
pub(crate) fn uri(key: &str) -> String {
    format!("s3://{}/{key}", minio("BUCKET"))
}

/// MinIO, with the keys of somebody.
pub(crate) fn signed_in(key: &str, secret: &str) -> Environment {
    let mut environment = nobody();
    environment.push(("AWS_ACCESS_KEY_ID", key.to_owned()));
    environment.push(("AWS_SECRET_ACCESS_KEY", secret.to_owned()));
    environment
}

/// MinIO, with its owner's keys.
pub(crate) fn owner() -> Environment {
    signed_in(&minio("ACCESS_KEY"), &minio("SECRET_KEY"))
}

/// MinIO, with no keys, and nobody to ask for some.
pub(crate) fn nobody() -> Environment {
    vec![("MLFLOW_S3_ENDPOINT_URL", minio("URL")), ("AWS_EC2_METADATA_DISABLED", "true".to_owned())]
}

/// MinIO, with the keys of somebody who may do what these statements say.
pub(crate) fn permitted(statements: &Value) -> Environment {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    let keys = seed("sign_in", &policy);
    let text = |at: usize| keys[at].as_str().expect("a key").to_owned();
    let mut environment = signed_in(&text(0), &text(1));
    environment.push(("AWS_SESSION_TOKEN", text(2)));
    environment
}

/// As [`mlfetch_tests::Desk::run`] takes it.
pub(crate) fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The bytes of an object of this size.
pub(crate) fn body(size: usize) -> Vec<u8> {
    (0..=250).cycle().take(size).collect()
}

/// Puts small objects without checksums.
pub(crate) fn put(keys: &[String]) {
    let objects: Vec<Value> = keys.iter().map(|key| json!({ "key": key, "size": 10 })).collect();
    seed("put", &json!(objects));
}

/// Lets `s3_seed.py` do something.
pub(crate) fn seed(action: &str, arguments: &Value) -> Value {
    let output = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(repository().join("tests/data/s3_seed.py"))
        .args([action, &arguments.to_string()])
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("GIT_PYTHON_REFRESH", "quiet")
        .stdin(Stdio::null())
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
