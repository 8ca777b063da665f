//! A bucket that speaks S3's protocol and holds nothing: its keys and bytes are made up as they are
//! asked for, so that there can be more of them than a disk or another server takes.

mod answer;
mod request;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use answer::Answer;
use request::Request;

/// Its name.
pub(super) const NAME: &str = "made-up";

/// What is sent at once of a body. All bytes are zero.
const ZEROS: &[u8] = &[0; 1 << 20];

/// Objects that are all as long: `TREE/d00000/f00000000.bin` and so on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree {
    pub(super) name: &'static str,
    pub(super) count: u64,
    pub(super) size_bytes: u64,
}

/// A bucket that listens. It ends with the value.
pub(super) struct Bucket {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    runtime: Option<Runtime>,
}

impl Bucket {
    /// Listens with one thread, which leaves the processors to those who are measured.
    pub(super) fn start(trees: Vec<Tree>) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.context("cannot start the bucket")?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.context("no port is free for the bucket")?;
        let address = listener.local_addr().context("cannot ask for the bucket's port")?;
        let requests = Arc::new(AtomicU64::new(0));
        let (trees, counter) = (Arc::new(trees), Arc::clone(&requests));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A connection that breaks is for its two ends to speak of.
                tokio::spawn(serve(stream, Arc::clone(&trees), Arc::clone(&counter)));
            }
        });
        Ok(Self { address, requests, runtime: Some(runtime) })
    }

    /// How many requests there were since it was asked last.
    pub(super) fn take_requests(&self) -> u64 {
        self.requests.swap(0, Ordering::Relaxed)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A program that finds it. Keys are not looked at.
    pub(super) fn with_keys(&self, mut command: Command) -> Command {
        command
            .env("AWS_ENDPOINT_URL", self.url())
            .env("AWS_ACCESS_KEY_ID", "made")
            .env("AWS_SECRET_ACCESS_KEY", "up")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    trees: Arc<Vec<Tree>>,
    counter: Arc<AtomicU64>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let Some(end) = buffer.windows(4).position(|end| end == b"\r\n\r\n") else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let head: Vec<u8> = buffer.drain(..end + 4).collect();
        counter.fetch_add(1, Ordering::Relaxed);
        let request = Request::parse(&String::from_utf8_lossy(&head));
        let answer = Answer::to(&request, &trees);
        stream.write_all(&answer.head_and_text).await?;
        let mut left = answer.zeros;
        while left > 0 {
            let size = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
            stream.write_all(&ZEROS[..size]).await?;
            left -= size as u64;
        }
    }
}
