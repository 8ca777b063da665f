//! A way to a server that counts what comes back.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Passes connections on to a server; it ends with the test.
#[derive(Debug)]
pub(crate) struct Forwarder {
    /// Its own address.
    pub(crate) url: String,
    counted: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl Forwarder {
    /// In front of a server, `http://host:port`.
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let forwarder = Self { url, counted: Arc::default(), ended: Arc::default() };
        let (counted, ended) = (Arc::clone(&forwarder.counted), Arc::clone(&forwarder.ended));
        let server = server.trim_start_matches("http://").to_owned();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                // A connection that breaks is the program's matter; the test sees what it makes of it.
                let _ = forward(client, &server, &counted);
            }
        });
        forwarder
    }

    /// The bytes that came from the server so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

fn forward(client: TcpStream, server: &str, counted: &Arc<AtomicU64>) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    let (back_from, back_to) = (server.try_clone()?, client.try_clone()?);
    let counted = Arc::clone(counted);
    thread::spawn(move || pass(client, server, &AtomicU64::new(0)));
    thread::spawn(move || pass(back_from, back_to, &counted));
    Ok(())
}

/// Counts before it passes on: whoever has the bytes finds them counted.
fn pass(mut from: TcpStream, mut to: TcpStream, counted: &AtomicU64) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        counted.fetch_add(length as u64, Ordering::Relaxed);
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    let _ = to.shutdown(Shutdown::Write);
}
