//! The Azurite of the tests, and what MLflow and azure-storage-blob put into it.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use mlfetch_tests::{repository, variable};
use serde_json::{Value, json};

/// Variables for one command.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// A variable that describes Azurite.
pub(crate) fn azurite(name: &str) -> String {
    variable(&format!("MLFETCH_TEST_AZURITE_{name}"))
}

/// The name of a container that no other test uses.
pub(crate) fn fresh_container() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("end-to-end-{}-{number}", std::process::id())
}

/// The URI of a name in a container.
pub(crate) fn uri(container: &str, name: &str) -> String {
    format!("wasbs://{container}@{}.blob.core.windows.net/{name}", azurite("ACCOUNT"))
}

/// Azurite, with its owner's key, as MLflow takes it too.
pub(crate) fn owner() -> Environment {
    signed_in(&azurite("KEY"))
}

/// Azurite, with a key.
pub(crate) fn signed_in(key: &str) -> Environment {
    let (account, url) = (azurite("ACCOUNT"), azurite("URL"));
    let text = format!("AccountName={account};AccountKey={key};BlobEndpoint={url};");
    vec![("AZURE_STORAGE_CONNECTION_STRING", text)]
}

/// Azurite, with nobody who asks.
pub(crate) fn nobody() -> Environment {
    at(&azurite("URL"))
}

/// A server, with nobody who asks.
pub(crate) fn at(url: &str) -> Environment {
    vec![("MLFETCH_AZURE_ENDPOINT", url.to_owned())]
}

/// The same with one more variable.
pub(crate) fn with(mut environment: Environment, name: &'static str, value: &str) -> Environment {
    environment.push((name, value.to_owned()));
    environment
}

/// As [`mlfetch_tests::Desk::run`] takes it.
pub(crate) fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The bytes of a blob of this size.
pub(crate) fn body(size: usize) -> Vec<u8> {
    (0..=250).cycle().take(size).collect()
}

/// Puts small blobs into a container of their own and names it.
pub(crate) fn put(names: &[&str]) -> String {
    let container = fresh_container();
    let blobs: Vec<Value> = names.iter().map(|key| json!({ "key": key, "size": 10 })).collect();
    seed("put", &json!({ "container": container, "blobs": blobs }));
    container
}

/// Lets `azure_seed.py` do something.
pub(crate) fn seed(action: &str, arguments: &Value) -> Value {
    seed_at(&[], action, arguments)
}

/// The same at another Azurite than that of the variables.
pub(crate) fn seed_at(place: &[(&str, String)], action: &str, arguments: &Value) -> Value {
    let output = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(repository().join("tests/data/azure_seed.py"))
        .args([action, &arguments.to_string()])
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("GIT_PYTHON_REFRESH", "quiet")
        .envs(owner())
        .envs(place.iter().map(|(name, value)| (*name, value.as_str())))
        .stdin(Stdio::null())
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
