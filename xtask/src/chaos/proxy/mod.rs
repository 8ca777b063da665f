//! A proxy between a program and a real server, which may change what the server answers.
//!
//! Requests go through byte for byte, with the `Host` that the program wrote: signatures stay good.
//! Where an answer redirects to another port of this machine, a second front is put before that port
//! and the program is led through it.

mod exchange;
mod pace;
mod wire;

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};
use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};

pub(crate) use exchange::{Answer, Exchange};
pub(crate) use pace::Pace;
pub(crate) use wire::{Head, Request};

use exchange::Upstream;

/// Bytes that are read from a server in one go.
const BUFFER_BYTES: usize = 128 * 1024;

/// Bytes on their way that the program may never see: few, so that what is counted was received.
const SEND_BUFFER_BYTES: usize = 128 * 1024;

/// What is done with each request.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Answers a request: [`Exchange::pass`], or something else.
    fn handle(&self, request: &Request, exchange: &mut Exchange<'_>) -> io::Result<Fate>;
}

/// What becomes of the program's connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Keep,
    Close,
    /// Ended by a reset instead of an orderly end.
    Reset,
}

/// A running proxy; dropping it ends its connections.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// What all connections of a proxy share.
pub(crate) struct Shared {
    handler: Arc<dyn Handler>,
    stopped: AtomicBool,
    /// Bytes of bodies that were passed to the program.
    body_bytes: AtomicU64,
    /// Where the program finds each server.
    fronts: Mutex<BTreeMap<SocketAddr, SocketAddr>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    sockets: Mutex<Vec<Arc<TcpStream>>>,
}

impl Proxy {
    /// Puts a proxy before a server.
    pub(crate) fn start(server: SocketAddr, handler: Arc<dyn Handler>) -> Result<Self> {
        let shared = Arc::new(Shared {
            handler,
            stopped: AtomicBool::new(false),
            body_bytes: AtomicU64::new(0),
            fronts: Mutex::default(),
            threads: Mutex::default(),
            sockets: Mutex::default(),
        });
        let address = shared.front(server).context("cannot start a proxy")?;
        Ok(Self { shared, address })
    }

    /// Where the program finds the server.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes of bodies that were passed to the program until now.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.shared.body_bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Shared {
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The front before a server; a new one for a server that has none.
    fn front(self: &Arc<Self>, server: SocketAddr) -> io::Result<SocketAddr> {
        let mut fronts = lock(&self.fronts);
        if let Some(front) = fronts.get(&server) {
            return Ok(*front);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let front = listener.local_addr()?;
        fronts.insert(server, front);
        let shared = Arc::clone(self);
        self.spawn(move || shared.listen(&listener, server));
        Ok(front)
    }

    fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        lock(&self.threads).push(thread::spawn(work));
    }

    fn listen(self: &Arc<Self>, listener: &TcpListener, server: SocketAddr) {
        for client in listener.incoming() {
            if self.is_stopped() {
                return;
            }
            let Ok(client) = client else { continue };
            let shared = Arc::clone(self);
            self.spawn(move || {
                // Either side may go away at any time; that is no news.
                let _ = shared.serve(client, server);
            });
        }
    }

    fn serve(self: &Arc<Self>, client: TcpStream, server: SocketAddr) -> io::Result<()> {
        client.set_nodelay(true)?;
        setsockopt(&client, sockopt::SndBuf, &SEND_BUFFER_BYTES)?;
        let client = self.keep(client);
        let mut upstream = Upstream::new(Arc::clone(self), server);
        let fate = self.converse(&client, &mut upstream);
        upstream.close();
        let ended = match fate {
            Ok(Fate::Reset) => {
                // What was sent and not yet read is lost with it.
                let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
                setsockopt(&*client, sockopt::Linger, &at_once).map_err(io::Error::from)
            }
            _ => client.shutdown(Shutdown::Both),
        };
        self.let_go(client);
        ended
    }

    /// Answers the requests of one connection; says how it is to end.
    fn converse(self: &Arc<Self>, client: &TcpStream, upstream: &mut Upstream) -> io::Result<Fate> {
        let mut reader = BufReader::with_capacity(16 * 1024, client);
        while let Some(request) = Request::read(&mut reader)? {
            let mut exchange = Exchange::new(self, client, upstream, &request);
            let fate = self.handler.handle(&request, &mut exchange)?;
            if fate != Fate::Keep {
                return Ok(fate);
            }
        }
        Ok(Fate::Close)
    }

    /// Keeps a connection in sight, so that it can be ended from outside.
    fn keep(&self, stream: TcpStream) -> Arc<TcpStream> {
        let stream = Arc::new(stream);
        lock(&self.sockets).push(Arc::clone(&stream));
        if self.is_stopped() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        stream
    }

    /// The last handle of a connection closes it.
    fn let_go(&self, stream: Arc<TcpStream>) {
        lock(&self.sockets).retain(|other| !Arc::ptr_eq(other, &stream));
        drop(stream);
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        for front in lock(&self.fronts).values() {
            // Wakes the thread that waits for a connection.
            let _ = TcpStream::connect(front);
        }
        loop {
            for socket in lock(&self.sockets).drain(..) {
                let _ = socket.shutdown(Shutdown::Both);
            }
            // A thread may start another one until it sees the flag.
            let Some(thread) = lock(&self.threads).pop() else { return };
            let _ = thread.join();
        }
    }
}

/// A thread that panicked has left nothing half done in what is shared.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    /// What becomes of each request, by its path.
    struct Script;

    impl Handler for Script {
        fn handle(&self, request: &Request, exchange: &mut Exchange<'_>) -> io::Result<Fate> {
            match request.target.as_str() {
                "/reset" => Ok(Fate::Reset),
                "/half" => {
                    let answer = exchange.ask()?;
                    exchange.begin(&answer)?;
                    exchange.piece(&answer, &answer.body[..2])?;
                    Ok(Fate::Close)
                }
                _ => {
                    exchange.counts = true;
                    exchange.pass()
                }
            }
        }
    }

    /// A server that answers each request with what it was asked, or leads on.
    fn server() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
                while let Ok(Some(request)) = Request::read(&mut reader) {
                    let head = match request.target.as_str() {
                        "/away" => Head::new(307, "Away").with(
                            "Location",
                            format!("http://{}/there", request.header("to").unwrap_or_default()),
                        ),
                        _ => Head::new(200, "OK"),
                    };
                    let answer = Answer::new(head, request.raw());
                    stream.write_all(&answer.head.bytes()).expect("sent");
                    stream.write_all(&answer.body).expect("sent");
                }
            }
        });
        address
    }

    fn ask(proxy: SocketAddr, request: &str) -> io::Result<(Head, Vec<u8>)> {
        let mut stream = TcpStream::connect(proxy)?;
        stream.write_all(request.as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        let mut reader = BufReader::new(stream);
        let closed = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let head = Head::read(&mut reader)?.ok_or_else(closed)?;
        let mut body = Vec::new();
        reader.read_to_end(&mut body)?;
        Ok((head, body))
    }

    #[test]
    fn a_request_goes_through_byte_for_byte_and_its_answer_is_counted() {
        let proxy = Proxy::start(server(), Arc::new(Script)).expect("a proxy");
        let request = "GET /a%2fb?x HTTP/1.1\r\nHOST:  signed.example\r\nAccept:*/*\r\n\r\n";
        let (head, body) = ask(proxy.address(), request).expect("answered");
        assert_eq!((head.status, body.as_slice()), (200, request.as_bytes()));
        assert_eq!(proxy.body_bytes(), request.len() as u64);
    }

    #[test]
    fn a_redirect_within_the_machine_leads_through_another_front() {
        let (first, second) = (server(), server());
        let proxy = Proxy::start(first, Arc::new(Script)).expect("a proxy");
        let away = format!("GET /away HTTP/1.1\r\nto: {second}\r\n\r\n");
        let (head, _) = ask(proxy.address(), &away).expect("answered");
        let place = head.get("location").and_then(|text| text.strip_prefix("http://"));
        let front: SocketAddr = place
            .and_then(|rest| rest.strip_suffix("/there"))
            .expect("a place")
            .parse()
            .expect("one");
        assert!(front != second && front != proxy.address());
        let (head, _) = ask(front, "GET /there HTTP/1.1\r\n\r\n").expect("answered");
        assert_eq!(head.status, 200);
        let outside = "GET /away HTTP/1.1\r\nto: 192.0.2.1\r\n\r\n";
        let (head, _) = ask(proxy.address(), outside).expect("answered");
        assert_eq!(head.get("location"), Some("http://192.0.2.1/there"));
    }

    #[test]
    fn a_reset_is_no_orderly_end_and_a_cut_is_one() {
        let proxy = Proxy::start(server(), Arc::new(Script)).expect("a proxy");
        let reset = ask(proxy.address(), "GET /reset HTTP/1.1\r\n\r\n").expect_err("reset");
        assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
        let (_, body) = ask(proxy.address(), "GET /half HTTP/1.1\r\n\r\n").expect("cut");
        assert_eq!(body, b"GE");
    }
}
