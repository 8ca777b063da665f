//! A server that answers each request with what a test tells it to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, as they were sent.
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

    /// A parameter of the query, as it was sent.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// What a server sends, byte for byte.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// The next request on the same connection.
    Next,
    Close,
    /// Nothing, and the connection stays open.
    Stall,
}

impl Answer {
    /// These bytes, and the connection is closed.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::Close }
    }

    /// A well-formed answer. `status` is `200 OK`.
    pub(crate) fn new(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let length = [format!("Content-Length: {}", body.len())];
        Self::with_head(
            status,
            length.iter().map(String::as_str).chain(headers.iter().copied()),
            body,
        )
    }

    /// The answer to a HEAD: a length, and no body.
    pub(crate) fn head(status: &str, length: usize, headers: &[&str]) -> Self {
        let length = [format!("Content-Length: {length}")];
        Self::with_head(
            status,
            length.iter().map(String::as_str).chain(headers.iter().copied()),
            b"",
        )
    }

    /// A refusal as Azure writes it.
    pub(crate) fn error(status: &str, code: &str, headers: &[&str]) -> Self {
        let words = "the words of the server";
        let body = format!(
            "\u{feff}<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{words}\nTime:now\
             </Message></Error>"
        );
        let code = format!("x-ms-error-code: {code}");
        let all: Vec<&str> = headers.iter().copied().chain([code.as_str()]).collect();
        Self::new(status, &all, body)
    }

    fn with_head<'a>(status: &str, headers: impl Iterator<Item = &'a str>, body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\n");
        headers.for_each(|line| head.extend([line, "\r\n"]));
        head.push_str("\r\n");
        Self { bytes: [head.as_bytes(), body].concat(), then: Then::Next }
    }

    /// The same, and then silence.
    pub(crate) fn then_stall(mut self) -> Self {
        self.then = Then::Stall;
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
        let seen = Arc::default();
        let connection = Connection { script, seen: Arc::clone(&seen) };
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (connection, acceptor) = (connection.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => connection.serve(stream).await,
                        Some(acceptor) => {
                            connection.serve(acceptor.accept(stream).await.ok()?).await
                        }
                    }
                });
            }
        });
        Self { address, seen, task }
    }

    /// `http://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `https://localhost:port`.
    pub(crate) fn tls_url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
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

#[derive(Clone)]
struct Connection {
    script: Script,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Connection {
    /// Answers until there is nothing more to do; `None` when the other side has gone.
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        loop {
            let request = read_request(&mut stream).await?;
            self.seen.lock().expect("no test panicked").push(request.clone());
            let answer = (self.script)(&request);
            stream.write_all(&answer.bytes).await.ok()?;
            stream.flush().await.ok()?;
            match answer.then {
                Then::Next => {}
                Then::Close => return stream.shutdown().await.ok(),
                Then::Stall => std::future::pending().await,
            }
        }
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
