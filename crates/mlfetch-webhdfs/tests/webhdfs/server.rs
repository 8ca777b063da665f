//! A server that answers each request with what a test tells it to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use mlfetch_webhdfs::{WebHdfsConfig, WebHdfsStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Path and query, as they were sent.
    pub(crate) target: String,
    /// The first line and the headers.
    pub(crate) head: String,
}

impl Request {
    fn parse(head: &str) -> Self {
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        Self { target, head: head.to_owned() }
    }

    /// A parameter of the query, as it was sent.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// What is asked for.
    pub(crate) fn operation(&self) -> &str {
        self.parameter("op").unwrap_or_default()
    }
}

/// What a server sends, byte for byte.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    stays: bool,
}

impl Answer {
    /// These bytes, and the connection is closed.
    pub(crate) fn raw(bytes: Vec<u8>) -> Self {
        Self { bytes, stays: false }
    }

    /// A well-formed answer. `status` is `200 OK`.
    pub(crate) fn new(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
        for line in headers {
            head.extend([line, "\r\n"]);
        }
        head.push_str("\r\n");
        Self { bytes: [head.as_bytes(), body].concat(), stays: true }
    }

    /// A `200` with a body.
    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::new("200 OK", &[], body)
    }

    /// A refusal as HDFS writes it.
    pub(crate) fn exception(status: &str, exception: &str, message: &str) -> Self {
        let body = serde_json::json!({
            "RemoteException": { "exception": exception, "message": message }
        });
        Self::new(status, &["Content-Type: application/json"], body.to_string())
    }

    /// On to another place.
    pub(crate) fn redirect(location: &str) -> Self {
        Self::new("307 Temporary Redirect", &[&format!("Location: {location}")], "")
    }

    /// The facts of a file of this length.
    pub(crate) fn status(length: usize) -> Self {
        Self::ok(format!(
            r#"{{"FileStatus":{{"pathSuffix":"","type":"FILE","length":{length},
                "modificationTime":1795546266497,"fileId":7}}}}"#
        ))
    }

    /// The same, cut after so many bytes, and the connection is closed.
    pub(crate) fn cut(mut self, missing: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - missing);
        self.stays = false;
        self
    }
}

type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// A listening server. It ends with the value.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers every request with what the script says.
    pub(crate) async fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::default();
        let connection = Connection { script: Arc::new(script), seen: Arc::clone(&seen) };
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = connection.clone();
                tokio::spawn(async move { connection.serve(stream).await });
            }
        });
        Self { address, seen, task }
    }

    /// `http://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no test panicked").clone()
    }

    /// What was asked for so far.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.seen().iter().map(|request| request.operation().to_owned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Connection {
    script: Script,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Connection {
    /// Answers until there is nothing more to do; `None` when the other side has gone.
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        loop {
            let request = read_request(&mut stream).await?;
            self.seen.lock().expect("no test panicked").push(request.clone());
            let answer = (self.script)(&request);
            stream.write_all(&answer.bytes).await.ok()?;
            stream.flush().await.ok()?;
            if !answer.stays {
                return stream.shutdown().await.ok();
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(Request::parse(&String::from_utf8_lossy(&head)))
}

/// A cluster whose NameNodes are these servers.
pub(crate) fn open(servers: &[&Server]) -> WebHdfsStore {
    open_with(WebHdfsConfig::new(), servers)
}

/// The same with settings; the user is `alice` unless another is set.
pub(crate) fn open_with(config: WebHdfsConfig, servers: &[&Server]) -> WebHdfsStore {
    let user = config.user.clone().unwrap_or_else(|| "alice".to_owned());
    let config = config.with_addresses(servers.iter().map(|server| server.url())).with_user(user);
    WebHdfsStore::open(&config, "hdfs://cluster").expect("a store")
}
