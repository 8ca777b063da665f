//! A server that answers each request with what a test tells it to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, as they were sent.
    pub(crate) target: String,
    pub(crate) body: String,
    head: String,
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = fields.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
    }
}

/// What a server sends, byte for byte.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    closes: bool,
}

impl Answer {
    /// These bytes, and the connection is closed.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), closes: true }
    }

    /// A well-formed answer. `status` is `200 OK`.
    pub(crate) fn new(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
        for line in headers {
            head.extend([line, "\r\n"]);
        }
        head.push_str("\r\n");
        Self { bytes: [head.as_bytes(), body].concat(), closes: false }
    }

    /// JSON.
    pub(crate) fn json(status: &str, json: &serde_json::Value) -> Self {
        Self::new(status, &["Content-Type: application/json; charset=UTF-8"], json.to_string())
    }

    /// The bytes of an object, with the headers that Cloud Storage sends.
    pub(crate) fn object(body: impl AsRef<[u8]>, headers: &[&str]) -> Self {
        let generation = ["x-goog-generation: 1764000000000001"];
        Self::new("200 OK", &[&generation, headers].concat(), body)
    }

    /// A refusal as the JSON API writes it.
    pub(crate) fn error(status: &str, reason: &str, message: &str) -> Self {
        let errors = [serde_json::json!({ "reason": reason, "message": message })];
        let error = serde_json::json!({ "message": message, "errors": errors });
        Self::json(status, &serde_json::json!({ "error": error }))
    }

    /// The same with one more header.
    pub(crate) fn with_header(mut self, line: &str) -> Self {
        let at = self.bytes.windows(2).position(|pair| pair == b"\r\n").expect("a status line");
        let line = format!("\r\n{line}");
        self.bytes.splice(at..at, line.into_bytes());
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
        let (script, seen): (Script, _) = (Arc::new(script), Arc::default());
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&noted)));
            }
        });
        Self { address, seen, task }
    }

    /// `127.0.0.1:port`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no test panicked").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers until there is nothing more to do; `None` when the other side has gone.
async fn serve(
    mut stream: TcpStream,
    script: Script,
    seen: Arc<Mutex<Vec<Request>>>,
) -> Option<()> {
    loop {
        let request = read_request(&mut stream).await?;
        seen.lock().expect("no test panicked").push(request.clone());
        let answer = script(&request);
        stream.write_all(&answer.bytes).await.ok()?;
        if answer.closes {
            return stream.shutdown().await.ok();
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut request = Request { method, target, body: String::new(), head };
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}
