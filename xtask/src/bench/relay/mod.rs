//! A relay between a client and a server: counts what is asked, and can be a slow network.

mod heads;
mod pace;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use heads::Heads;
pub(super) use pace::Pace;

/// What is read of requests at once.
const REQUEST_BYTES: usize = 16 * 1024;

/// A relay that listens. It ends with the value.
pub(super) struct Relay {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    /// One thread, which is enough to copy and leaves the processors to those who are measured.
    runtime: Option<Runtime>,
}

impl Relay {
    /// Listens, and passes everything on to `target`.
    pub(super) fn start(target: SocketAddr, pace: Pace) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.context("cannot start the relay")?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.context("no port is free for the relay")?;
        let address = listener.local_addr().context("cannot ask for the relay's port")?;
        let requests = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&requests);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A connection that breaks is for its two ends to speak of.
                tokio::spawn(connect(client, target, pace, Arc::clone(&counter)));
            }
        });
        Ok(Self { address, requests, runtime: Some(runtime) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests there were since it was asked last.
    pub(super) fn take_requests(&self) -> u64 {
        self.requests.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn connect(
    client: TcpStream,
    target: SocketAddr,
    pace: Pace,
    counter: Arc<AtomicU64>,
) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(ask(from_client, to_server, &counter), pace.pass(from_server, to_client))?;
    Ok(())
}

/// Passes requests on, and counts them.
async fn ask(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    counter: &AtomicU64,
) -> io::Result<()> {
    let mut heads = Heads::default();
    let mut buffer = vec![0; REQUEST_BYTES];
    loop {
        let size = client.read(&mut buffer).await?;
        if size == 0 {
            return server.shutdown().await;
        }
        counter.fetch_add(heads.count(&buffer[..size]), Ordering::Relaxed);
        server.write_all(&buffer[..size]).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    const SIZE: usize = 1 << 20;

    /// Answers each request with `SIZE` bytes.
    fn server() -> SocketAddr {
        let listener = net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                thread::spawn(move || {
                    let mut request = [0; 4];
                    while stream.read_exact(&mut request).is_ok() {
                        stream.write_all(&vec![b'x'; SIZE]).expect("written");
                    }
                });
            }
        });
        address
    }

    fn ask_twice(relay: &Relay) -> Duration {
        let begun = Instant::now();
        let mut stream = net::TcpStream::connect(relay.address()).expect("connected");
        let mut answer = vec![0; SIZE];
        for _ in 0..2 {
            stream.write_all(b"\r\n\r\n").expect("asked");
            stream.read_exact(&mut answer).expect("answered");
        }
        begun.elapsed()
    }

    #[test]
    fn requests_are_counted_once() {
        let relay = Relay::start(server(), Pace::Free).expect("it starts");
        ask_twice(&relay);
        assert_eq!(relay.take_requests(), 2);
        assert_eq!(relay.take_requests(), 0);
    }

    #[test]
    fn an_answer_is_late_by_the_delay_and_no_more_than_once() {
        let delay = Duration::from_millis(50);
        let relay = Relay::start(server(), Pace::Late(delay)).expect("it starts");
        let time = ask_twice(&relay);
        assert!(time >= 2 * delay && time < 10 * delay, "{time:?}");
    }

    #[test]
    fn a_connection_has_the_rate_that_it_is_given() {
        let rate = 8 * SIZE as u64;
        let relay = Relay::start(server(), Pace::Narrow(rate)).expect("it starts");
        let time = ask_twice(&relay);
        assert!(time > Duration::from_millis(200) && time < Duration::from_secs(1), "{time:?}");
    }
}
