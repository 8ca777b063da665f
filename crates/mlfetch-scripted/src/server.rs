//! Who listens, reads and answers.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::answer::Then;
use crate::{Answer, Request};

/// A listening server. It ends with the value.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    is_tls: bool,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    script: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
    seen: Mutex<Vec<Request>>,
    flooded: AtomicU64,
}

impl Server {
    /// Answers every request with what the script says.
    ///
    /// # Panics
    /// If the machine has no free port.
    pub async fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(Box::new(script), None).await
    }

    /// The same over TLS, under the name `localhost`.
    ///
    /// # Panics
    /// If the machine has no free port.
    pub async fn start_tls(
        acceptor: TlsAcceptor,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Box::new(script), Some(acceptor)).await
    }

    async fn listen(
        script: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
        acceptor: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let is_tls = acceptor.is_some();
        let shared =
            Arc::new(Shared { script, seen: Mutex::default(), flooded: AtomicU64::default() });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, acceptor) = (Arc::clone(&serving), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serving.serve(stream).await,
                        Some(acceptor) => serving.serve(acceptor.accept(stream).await.ok()?).await,
                    }
                });
            }
        });
        Self { address, is_tls, shared, task }
    }

    /// Ends it: when this returns, nobody listens at its port.
    pub async fn stop(mut self) {
        self.task.abort();
        // It ends by being aborted, which is what this waits for.
        let _ = (&mut self.task).await;
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:port`, or `https://localhost:port`.
    pub fn url(&self) -> String {
        if self.is_tls {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    /// The requests so far.
    ///
    /// # Panics
    /// If a script panicked.
    pub fn seen(&self) -> Vec<Request> {
        self.shared.seen.lock().expect("no test panicked").clone()
    }

    /// How many bytes of a flood were sent.
    pub fn flooded(&self) -> u64 {
        self.shared.flooded.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// Answers until there is nothing more to do; `None` when the other side has gone.
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        loop {
            let request = Request::read(&mut stream).await?;
            self.seen.lock().expect("no test panicked").push(request.clone());
            let answer = (self.script)(&request);
            stream.write_all(&answer.bytes).await.ok()?;
            stream.flush().await.ok()?;
            match answer.then {
                Then::Next => {}
                Then::Close => return stream.shutdown().await.ok(),
                Then::Stall => std::future::pending().await,
                Then::Flood(bytes) => self.flood(&mut stream, bytes).await?,
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

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("seen", &self.seen).finish_non_exhaustive()
    }
}
