//! Clusters of a test's own, of which it stops a part.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use mlfetch_store::{Key, ReadRequest, RetryPolicy, RetryingStore, StatRequest, Store as _};
use mlfetch_webhdfs::{WebHdfsConfig, WebHdfsStore};
use tempfile::TempDir;

use crate::hadoop;
use crate::support::{noise, variable};

/// A running cluster. It ends with the value.
struct Cluster {
    directory: TempDir,
    launcher: Child,
}

impl Cluster {
    /// Starts one and waits until it can be written to.
    fn start(namenodes: usize, datanodes: usize) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let ports: Vec<String> = free_ports(2 * namenodes);
        let launcher = Command::new(variable("MLFETCH_TEST_PYTHON"))
            .arg(hadoop::script())
            .arg(directory.path())
            .arg(hadoop::libraries())
            .args(["--ports", &ports.join(","), "--datanodes", &datanodes.to_string()])
            .env("HADOOP_USER_NAME", hadoop::superuser())
            .stdin(Stdio::null())
            .spawn()
            .expect("the launcher starts");
        let mut cluster = Self { directory, launcher };
        let deadline = Instant::now() + Duration::from_secs(100);
        while !cluster.path("state").exists() {
            let ended = cluster.launcher.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < deadline, "no cluster: {ended:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn conf(&self) -> PathBuf {
        self.path("conf")
    }

    fn store(&self) -> WebHdfsStore {
        let config = WebHdfsConfig::new().with_conf_dir(Some(self.conf()));
        let config = config.with_user(hadoop::superuser()).with_checksums(false);
        WebHdfsStore::open(&config, "hdfs:///").expect("a store")
    }

    /// Puts a file by Hadoop's own client.
    fn put(&self, path: &str, bytes: &[u8]) {
        let local = self.path("local");
        std::fs::write(&local, bytes).expect("written");
        hadoop::shell(&self.conf(), &["-put", &local.display().to_string(), path]);
    }

    fn kill(&self, name: &str) {
        let pid = std::fs::read_to_string(self.path(&format!("{name}.pid"))).expect("a number");
        let killed = Command::new("kill").args(["-9", pid.trim()]).status().expect("kill runs");
        assert!(killed.success());
    }

    /// Starts a server again that was stopped.
    fn start_again(&self, name: &str) {
        let mut script = Command::new(self.path(&format!("{name}.sh")));
        let again = script.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let file = self.path(&format!("{name}.pid"));
        std::fs::write(file, again.id().to_string()).expect("written");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for name in ["namenode-1", "namenode-2", "datanode-1", "datanode-2"] {
            if let Ok(pid) = std::fs::read_to_string(self.path(&format!("{name}.pid"))) {
                let _ = Command::new("kill").args(["-9", pid.trim()]).status();
            }
        }
        let _ = self.launcher.kill();
        let _ = self.launcher.wait();
    }
}

fn free_ports(count: usize) -> Vec<String> {
    let bind = |_| std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let held: Vec<std::net::TcpListener> = (0..count).map(bind).collect();
    held.iter().map(|held| held.local_addr().expect("an address").port().to_string()).collect()
}

/// Patience for half a minute, in steps of half a second.
fn patient(store: WebHdfsStore) -> RetryingStore {
    let policy = RetryPolicy::default();
    RetryingStore::new(Arc::new(store), policy)
}

const LARGE_BYTES: usize = 64 << 20;

#[test]
fn a_read_outlives_its_datanode() {}

fn _unused(_: &Path) {}
