//! The HDFS of the tests, and Hadoop's own client.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use mlfetch_tests::variable;

/// Variables for one command.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// A variable that describes the cluster.
pub(crate) fn hdfs(name: &str) -> String {
    variable(&format!("MLFETCH_TEST_HDFS_{name}"))
}

/// A directory in the cluster that no other test uses: `/name`.
pub(crate) fn fresh_path() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("/end-to-end-{}-{number}", std::process::id())
}

/// Hadoop's configuration, and somebody's name.
pub(crate) fn as_user(user: &str) -> Environment {
    vec![("HADOOP_CONF_DIR", hdfs("CONF")), ("HADOOP_USER_NAME", user.to_owned())]
}

/// The same for who may do everything.
pub(crate) fn owner() -> Environment {
    as_user(&hdfs("USER"))
}

/// As [`mlfetch_tests::Desk::run`] takes it.
pub(crate) fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// Runs `hdfs dfs`.
pub(crate) fn shell(arguments: &[&str]) {
    shell_at(&hdfs("CONF"), arguments);
}

/// The same with the configuration of another cluster.
pub(crate) fn shell_at(conf: &str, arguments: &[&str]) {
    let classpath = format!("{conf}:{}/*", hdfs("LIBRARIES"));
    let output = Command::new("java")
        .args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8"])
        .args(["-Dsun.jnu.encoding=UTF-8", "-cp", &classpath, "org.apache.hadoop.fs.FsShell"])
        .args(arguments)
        .env("HADOOP_USER_NAME", hdfs("USER"))
        // Java takes the letters of local names from it.
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("java runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
}

/// Puts a local directory's contents under a path that is not there yet.
pub(crate) fn put(local: &Path, path: &str) {
    shell(&["-put", &local.display().to_string(), path]);
}
