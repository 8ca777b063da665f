//! The fake-gcs-server of the tests, and what MLflow and Google's client put into it.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use mlfetch_tests::{repository, variable};
use serde_json::Value;

/// Variables for one command.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// A variable that describes the server.
pub(crate) fn gcs(name: &str) -> String {
    variable(&format!("MLFETCH_TEST_GCS_{name}"))
}

/// A place in the bucket that no other test uses: `prefix/`.
pub(crate) fn fresh_prefix() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("end-to-end-{}-{number}/", std::process::id())
}

/// The URI of a key in the bucket.
pub(crate) fn uri(key: &str) -> String {
    format!("gs://{}/{key}", gcs("BUCKET"))
}

/// The emulator.
pub(crate) fn emulator() -> Environment {
    at(&gcs("URL"))
}

/// Another emulator.
pub(crate) fn at(url: &str) -> Environment {
    vec![("STORAGE_EMULATOR_HOST", url.to_owned())]
}

/// As [`mlfetch_tests::Desk::run`] takes it.
pub(crate) fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The bytes of an object of this size.
pub(crate) fn body(size: usize) -> Vec<u8> {
    (0..=250).cycle().take(size).collect()
}

/// Lets `gcs_seed.py` do something.
pub(crate) fn seed(action: &str, arguments: &Value) -> Value {
    let output = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(repository().join("tests/data/gcs_seed.py"))
        .args([action, &arguments.to_string()])
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("GIT_PYTHON_REFRESH", "quiet")
        .stdin(Stdio::null())
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
