//! A running cluster of a test's own.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mlfetch_store::{Depth, Key, ListRequest, Store as _};
use mlfetch_webhdfs::{WebHdfsConfig, WebHdfsStore};
use tempfile::TempDir;

use crate::hadoop;
use crate::support::variable;

/// Each takes the memory of four Java machines.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A running cluster. It ends with the value.
pub(crate) struct Cluster {
    directory: TempDir,
    ports: Vec<u16>,
    launcher: Child,
    /// Servers that were started again.
    again: Vec<Child>,
    _turn: MutexGuard<'static, ()>,
}

impl Cluster {
    /// Starts one and waits until it can be written to.
    pub(crate) fn start(namenodes: usize, datanodes: usize, settings: &[&str]) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = tempfile::tempdir().expect("a directory");
        let ports = free_ports(2 * namenodes);
        let texts: Vec<String> = ports.iter().map(u16::to_string).collect();
        let launcher = Command::new(variable("MLFETCH_TEST_PYTHON"))
            .arg(variable("MLFETCH_TEST_HDFS_SCRIPT"))
            .arg(directory.path())
            .arg(hadoop::libraries())
            .args(["--ports", &texts.join(","), "--datanodes", &datanodes.to_string()])
            .args(settings.iter().flat_map(|setting| ["--set", setting]))
            .env("HADOOP_USER_NAME", hadoop::superuser())
            .stdin(Stdio::null())
            .spawn()
            .expect("the launcher starts");
        let mut cluster = Self { directory, ports, launcher, again: Vec::new(), _turn: turn };
        cluster.wait();
        cluster
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(100);
        while !self.path("state").exists() {
            let ended = self.launcher.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < deadline, "no cluster: {ended:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A file of it, or one beside them.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.path("conf")
    }

    /// The address for HTTP of a NameNode.
    pub(crate) fn address(&self, namenode: usize) -> String {
        format!("127.0.0.1:{}", self.ports[2 * namenode - 2])
    }

    /// Its files as its superuser, found by Hadoop's own configuration.
    pub(crate) fn store(&self, config: WebHdfsConfig) -> WebHdfsStore {
        let config = config.with_conf_dir(Some(self.conf())).with_user(hadoop::superuser());
        WebHdfsStore::open(&config, "hdfs:///").expect("a store")
    }

    /// Puts a file by Hadoop's own client.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        hadoop::shell(&self.conf(), &["-put", &self.write("local", bytes), path]);
    }

    /// Writes a file beside its own, and gives its path.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("written");
        path.display().to_string()
    }

    /// HttpFS in front of it.
    pub(crate) fn gateway(&self) -> Gateway {
        let port = free_ports(1)[0];
        let mut script = Command::new(variable("MLFETCH_TEST_PYTHON"));
        script.arg(variable("MLFETCH_TEST_HTTPFS_SCRIPT")).arg(self.path("gateway"));
        script.arg(hadoop::libraries()).arg(self.conf()).args(["--port", &port.to_string()]);
        script.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Gateway { port, process: script.spawn().expect("it starts") }
    }

    /// Runs a tool of Hadoop's.
    pub(crate) fn tool(&self, class: &str, arguments: &[&str]) {
        let classpath = format!("{}:{}/*", self.conf().display(), hadoop::libraries());
        let output = Command::new("java")
            .args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", &classpath, class])
            .args(arguments)
            .env("HADOOP_USER_NAME", hadoop::superuser())
            .output()
            .expect("java runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
    }

    /// Stops a server at once, without a word to its clients.
    pub(crate) fn kill(&self, name: &str) {
        let pid = std::fs::read_to_string(self.path(&format!("{name}.pid"))).expect("a number");
        let killed = Command::new("kill").args(["-9", pid.trim()]).status().expect("kill runs");
        assert!(killed.success());
    }

    /// Starts a server again that was stopped.
    pub(crate) fn start_again(&mut self, name: &str) {
        let mut script = Command::new(self.path(&format!("{name}.sh")));
        script.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.again.push(script.spawn().expect("it starts"));
    }
}

/// Waits for a server that was started: a Java machine needs some seconds.
pub(crate) async fn wait_for_answer(store: &WebHdfsStore) {
    let deadline = Instant::now() + Duration::from_mins(1);
    let root = || ListRequest::new(Key::root(), Depth::One);
    while let Err(error) = store.list_page(root()).await {
        assert!(Instant::now() < deadline, "{error:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A running gateway. It ends with the value.
pub(crate) struct Gateway {
    port: u16,
    process: Child,
}

impl Gateway {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for name in ["namenode-1", "namenode-2", "datanode-1", "datanode-2"] {
            if let Ok(pid) = std::fs::read_to_string(self.path(&format!("{name}.pid"))) {
                let mut kill = Command::new("kill");
                let _ = kill.args(["-9", pid.trim()]).stderr(Stdio::null()).status();
            }
        }
        for child in self.again.iter_mut().chain([&mut self.launcher]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_ports(count: usize) -> Vec<u16> {
    let bind = |_| std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let held: Vec<std::net::TcpListener> = (0..count).map(bind).collect();
    held.iter().map(|held| held.local_addr().expect("an address").port()).collect()
}
