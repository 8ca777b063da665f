//! How answers come through.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// What is copied at once: a system call each way for so much.
const BUFFER_BYTES: usize = 256 * 1024;

/// What may be on the way at once where answers come late: 64 times a buffer of this size.
const LATE_BYTES: usize = 64 * 1024;
const LATE_BUFFERS: usize = 64;

/// So much of its rate a connection may have in one go.
const BURST: Duration = Duration::from_millis(20);

/// A kind of network.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) enum Pace {
    /// As fast as it goes.
    Free,
    /// Each byte comes so much later, as from far away; how many come in a second is not touched.
    Late(Duration),
    /// Each connection has so many bytes a second.
    Narrow(u64),
}

impl Pace {
    /// Passes on what the server says until it has nothing more to say.
    pub(super) async fn pass(
        self,
        server: OwnedReadHalf,
        client: OwnedWriteHalf,
    ) -> io::Result<()> {
        match self {
            Self::Free => narrow(server, client, u64::MAX).await,
            Self::Narrow(rate) => narrow(server, client, rate).await,
            Self::Late(delay) => late(server, client, delay).await,
        }
    }
}

/// A bucket of tokens that is kept as the time at which it is full again.
async fn narrow(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    rate: u64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut paid = Instant::now();
    loop {
        let size = server.read(&mut buffer).await?;
        if size == 0 {
            return client.shutdown().await;
        }
        client.write_all(&buffer[..size]).await?;
        if rate == u64::MAX {
            continue;
        }
        paid = paid.max(Instant::now() - BURST) + time_of(size, rate);
        if paid > Instant::now() {
            sleep_until(paid).await;
        }
    }
}

/// How long so many bytes take.
fn time_of(size: usize, rate: u64) -> Duration {
    let nanoseconds = size as u64 * 1_000_000_000 / rate;
    Duration::from_nanos(nanoseconds)
}

async fn late(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    delay: Duration,
) -> io::Result<()> {
    let (sender, mut on_the_way) = mpsc::channel::<(Instant, Vec<u8>)>(LATE_BUFFERS);
    let arriving = async move {
        loop {
            let mut buffer = Vec::with_capacity(LATE_BYTES);
            let size = server.read_buf(&mut buffer).await?;
            // Nobody takes it any more when the client has gone.
            if size == 0 || sender.send((Instant::now() + delay, buffer)).await.is_err() {
                return io::Result::Ok(());
            }
        }
    };
    let leaving = async move {
        while let Some((due, bytes)) = on_the_way.recv().await {
            sleep_until(due).await;
            client.write_all(&bytes).await?;
        }
        client.shutdown().await
    };
    tokio::try_join!(arriving, leaving).map(drop)
}
