//! A server that answers each request with what a test tells it to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use mlfetch_http::{ClientConfig, HttpClient, HttpStore, Url};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    head: String,
}

impl Request {
    fn parse(head: &str) -> Self {
        let mut words = head.split(' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        Self { method, target: words.next().unwrap_or_default(), head: head.to_owned() }
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = fields.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }
}

/// What a server sends, byte for byte.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    after: After,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum After {
    /// The next request on the same connection.
    #[default]
    Next,
    Close,
    /// Nothing, and the connection stays open.
    Stall,
    /// So many bytes more, or as many as are taken.
    Flood(u64),
}

impl Answer {
    /// These bytes, and the connection is closed.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), after: After::Close }
    }

    /// A well-formed answer. `status` is `200 OK`.
    pub(crate) fn new(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
        for line in headers {
            head.extend([line, "\r\n"]);
        }
        head.push_str("\r\n");
        Self { bytes: [head.as_bytes(), body].concat(), after: After::Next }
    }

    /// A `200` with a body.
    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::new("200 OK", &[], body)
    }

    /// On to another place.
    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::new(&format!("{status} Redirect"), &[&format!("Location: {location}")], "")
    }

    /// The same, and then silence.
    pub(crate) fn then_stall(mut self) -> Self {
        self.after = After::Stall;
        self
    }

    /// The same, and then so many bytes.
    pub(crate) fn then_flood(mut self, bytes: u64) -> Self {
        self.after = After::Flood(bytes);
        self
    }
}

type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// A listening server. It ends with the value.
pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<Request>>>,
    flooded: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers every request with what the script says.
    pub(crate) async fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(script), None).await
    }

    /// The same over TLS, under the name `localhost`.
    pub(crate) async fn start_tls(
        acceptor: TlsAcceptor,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Arc::new(script), Some(acceptor)).await
    }

    async fn listen(script: Script, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let (seen, flooded) = (Arc::default(), Arc::default());
        let connection =
            Connection { script, seen: Arc::clone(&seen), flooded: Arc::clone(&flooded) };
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (connection, acceptor) = (connection.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => connection.serve(stream).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => connection.serve(stream).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, scheme, seen, flooded, task }
    }

    /// The URL of a path, which begins with `/`.
    pub(crate) fn url(&self, path: &str) -> Url {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        let text = format!("{}://{host}:{}{path}", self.scheme, self.address.port());
        Url::parse(&text).expect("a URL")
    }

    /// A store of everything below the root.
    pub(crate) fn store(&self) -> HttpStore {
        HttpStore::new(client(), &self.url("/")).expect("a root")
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no test panicked").clone()
    }

    /// How many bytes of a flood were sent.
    pub(crate) fn flooded(&self) -> u64 {
        self.flooded.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client as everybody has it.
pub(crate) fn client() -> HttpClient {
    HttpClient::new(&ClientConfig::new()).expect("a client")
}

#[derive(Clone)]
struct Connection {
    script: Script,
    seen: Arc<Mutex<Vec<Request>>>,
    flooded: Arc<AtomicU64>,
}

impl Connection {
    /// Answers until there is nothing more to do; `None` when the other side has gone.
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        loop {
            let request = read_request(&mut stream).await?;
            let answer = (self.script)(&request);
            self.seen.lock().expect("no test panicked").push(request);
            stream.write_all(&answer.bytes).await.ok()?;
            stream.flush().await.ok()?;
            match answer.after {
                After::Next => {}
                After::Close => return stream.shutdown().await.ok(),
                After::Stall => std::future::pending().await,
                After::Flood(bytes) => self.flood(&mut stream, bytes).await?,
            }
        }
    }

    async fn flood(&self, stream: &mut (impl AsyncWrite + Unpin), bytes: u64) -> Option<()> {
        let chunk = vec![b'x'; 64 * 1024];
        for _ in 0..bytes / chunk.len() as u64 {
            stream.write_all(&chunk).await.ok()?;
            self.flooded.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        Some(())
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let request = Request::parse(&String::from_utf8_lossy(&head));
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    stream.read_exact(&mut vec![0; length]).await.ok()?;
    Some(request)
}
