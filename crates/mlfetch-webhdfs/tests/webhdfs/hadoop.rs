//! The HDFS that the tests run against, and files that come into it without us.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_store::{BoxError, Key};
use mlfetch_webhdfs::{WebHdfsConfig, WebHdfsStore};
use serde_json::{Value, json};

use crate::support::variable;

/// The variables that describe it.
fn server(name: &str) -> String {
    variable(&format!("MLFETCH_TEST_HDFS_{name}"))
}

/// The URL of the NameNode's HTTP side.
pub(crate) fn url() -> String {
    server("URL")
}

/// Who may do everything.
pub(crate) fn superuser() -> String {
    server("USER")
}

/// The directory of its configuration.
pub(crate) fn conf() -> String {
    server("CONF")
}

/// Hadoop's jars.
pub(crate) fn libraries() -> String {
    server("LIBRARIES")
}

/// A directory that no other test uses.
pub(crate) fn fresh_prefix() -> Key {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Key::from(format!("test-{}-{number}/", std::process::id()))
}

/// The cluster as its superuser, found by Hadoop's own configuration.
pub(crate) fn open() -> WebHdfsStore {
    open_as(&superuser())
}

/// The same as somebody.
pub(crate) fn open_as(user: &str) -> WebHdfsStore {
    open_with(WebHdfsConfig::new().with_user(user.to_owned()))
}

/// The same with settings.
pub(crate) fn open_with(config: WebHdfsConfig) -> WebHdfsStore {
    let config = config.with_conf_dir(Some(conf().into()));
    WebHdfsStore::open(&config, "hdfs:///").expect("a store")
}

/// Puts files below a prefix, under exactly these names or not at all.
pub(crate) fn put<B: AsRef<[u8]>>(prefix: &Key, objects: &[(Key, B)]) -> Result<(), BoxError> {
    put_at(&url(), &format!("user.name={}", superuser()), prefix, objects)
}

/// The same in any cluster; `identity` is the part of a query that says who asks.
pub(crate) fn put_at<B: AsRef<[u8]>>(
    url: &str,
    identity: &str,
    prefix: &Key,
    objects: &[(Key, B)],
) -> Result<(), BoxError> {
    let objects = objects.iter().map(|(key, bytes)| {
        json!({ "key": STANDARD.encode(key.as_bytes()), "body": STANDARD.encode(bytes) })
    });
    let objects: Vec<Value> = objects.collect();
    let root = format!("/{}", prefix.to_str()?.trim_end_matches('/'));
    let asked = json!({ "url": url, "identity": identity, "root": root, "objects": objects });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhdfs/seed.py");
    let mut child = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(script)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("a pipe")?.write_all(asked.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}

/// Runs Hadoop's own client with a cluster's configuration.
pub(crate) fn shell(conf: &Path, arguments: &[&str]) -> String {
    let classpath = format!("{}:{}/*", conf.display(), libraries());
    let output = Command::new("java")
        .args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", &classpath])
        .arg("org.apache.hadoop.fs.FsShell")
        .args(arguments)
        .env("HADOOP_USER_NAME", superuser())
        .output()
        .expect("java runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
