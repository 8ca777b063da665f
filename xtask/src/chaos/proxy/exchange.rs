//! One request and its answer.

use std::io::{self, BufReader, ErrorKind, Read, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::wire::{self, Framing, Head, Request};
use super::{BUFFER_BYTES, Fate, Pace, Shared};

/// A server that is silent for so long is broken, and the run with it.
const SERVER_PATIENCE: Duration = Duration::from_mins(1);

/// A request on its way to an answer.
pub(crate) struct Exchange<'a> {
    shared: &'a Arc<Shared>,
    client: &'a TcpStream,
    upstream: &'a mut Upstream,
    request: &'a Request,
    /// Whether the bytes of this answer's body are counted.
    pub(crate) counts: bool,
    /// Once so many bytes were counted, nothing more is passed on.
    pub(crate) silent_after: u64,
    /// How fast this answer's body passes.
    pub(crate) pace: Option<Arc<Pace>>,
}

/// A whole answer in memory.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    framing: Framing,
}

impl Answer {
    /// An answer of our own.
    pub(crate) fn new(head: Head, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len() as u64;
        let head = head.with("Content-Length", length);
        Self { head, body, framing: Framing::Length(length) }
    }

    /// With another head and body, framed as before: nothing but their bytes tells of the change.
    #[must_use]
    pub(crate) fn changed(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        if let Framing::Length(length) = &mut self.framing {
            *length = self.body.len() as u64;
            self.head = self.head.with("Content-Length", *length);
        }
        self
    }
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        shared: &'a Arc<Shared>,
        client: &'a TcpStream,
        upstream: &'a mut Upstream,
        request: &'a Request,
    ) -> Self {
        let (counts, silent_after, pace) = (false, u64::MAX, None);
        Self { shared, client, upstream, request, counts, silent_after, pace }
    }

    /// Passes the server's answer on as it comes.
    pub(crate) fn pass(&mut self) -> io::Result<Fate> {
        let (head, framing) = self.ask_for_head()?;
        self.write(&head.bytes())?;
        let (shared, counts, mut client) = (self.shared, self.counts, self.client);
        let (limit, pace) = (self.silent_after, self.pace.clone());
        let mut is_silent = false;
        let passed = wire::read_body(self.upstream.reader()?, framing, |piece| {
            if counts && shared.body_bytes.load(Ordering::Relaxed) >= limit {
                is_silent = true;
                return Err(ErrorKind::Interrupted.into());
            }
            wire::write_piece(&mut client, framing, piece)?;
            if let Some(pace) = &pace {
                pace.pass(piece.len());
            }
            if counts {
                shared.body_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
            }
            Ok(())
        });
        if is_silent {
            return self.fall_silent();
        }
        passed?;
        wire::write_end(&mut client, framing)?;
        Ok(self.fate(&head, framing))
    }

    /// The server's whole answer.
    pub(crate) fn ask(&mut self) -> io::Result<Answer> {
        let (head, framing) = self.ask_for_head()?;
        let mut body = Vec::new();
        wire::read_body(self.upstream.reader()?, framing, |piece| {
            body.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(Answer { head, body, framing })
    }

    /// Sends an answer.
    pub(crate) fn send(&mut self, answer: &Answer) -> io::Result<Fate> {
        self.begin(answer)?;
        self.piece(answer, &answer.body)?;
        self.end(answer)
    }

    /// Sends an answer's head.
    pub(crate) fn begin(&mut self, answer: &Answer) -> io::Result<()> {
        self.write(&answer.head.bytes())
    }

    /// Sends some bytes of its body, or of another's.
    pub(crate) fn piece(&mut self, answer: &Answer, bytes: &[u8]) -> io::Result<()> {
        if answer.framing != Framing::Nothing && self.request.method != "HEAD" {
            wire::write_piece(&mut self.client, answer.framing, bytes)?;
        }
        if self.counts {
            self.shared.body_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Sends what stands behind its body.
    pub(crate) fn end(&mut self, answer: &Answer) -> io::Result<Fate> {
        wire::write_end(&mut self.client, answer.framing)?;
        Ok(self.fate(&answer.head, answer.framing))
    }

    /// Sends bytes, whatever they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.client.write_all(bytes)
    }

    /// Says nothing more until the program goes away.
    pub(crate) fn fall_silent(&mut self) -> io::Result<Fate> {
        self.client.set_read_timeout(Some(Duration::from_millis(50)))?;
        while !self.shared.is_stopped() {
            match self.client.read(&mut [0; 64]) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Fate::Close)
    }

    /// Waits, unless the proxy is stopped.
    pub(crate) fn pause(&self, time: Duration) {
        if !self.shared.is_stopped() {
            thread::sleep(time);
        }
    }

    fn ask_for_head(&mut self) -> io::Result<(Head, Framing)> {
        let head = self.upstream.ask(self.request)?;
        let framing = head.framing(&self.request.method)?;
        let Some(location) = head.get("location").and_then(|place| self.led_here(place)) else {
            return Ok((head, framing));
        };
        Ok((head.with("Location", location), framing))
    }

    /// A redirect to a server of this machine, led through the proxy.
    fn led_here(&self, location: &str) -> Option<String> {
        let rest = location.strip_prefix("http://")?;
        let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let mut addresses = place.to_socket_addrs().ok()?;
        let server = addresses.find(|address| address.is_ipv4() && address.ip().is_loopback())?;
        let front = self.shared.front(server).ok()?;
        Some(format!("http://{front}{path}"))
    }

    fn fate(&mut self, head: &Head, framing: Framing) -> Fate {
        if framing == Framing::Close || head.closes() {
            self.upstream.close();
            return Fate::Close;
        }
        Fate::Keep
    }
}

/// The connection to a server that belongs to one of the program.
pub(super) struct Upstream {
    shared: Arc<Shared>,
    server: SocketAddr,
    reader: Option<BufReader<Socket>>,
}

impl Upstream {
    pub(super) fn new(shared: Arc<Shared>, server: SocketAddr) -> Self {
        Self { shared, server, reader: None }
    }

    /// Sends a request and reads the answer's head. A kept connection that the server closed
    /// meanwhile is no fault of anybody: it is opened anew.
    fn ask(&mut self, request: &Request) -> io::Result<Head> {
        if self.reader.is_some()
            && let Ok(Some(head)) = self.try_ask(request)
        {
            return Ok(head);
        }
        self.close();
        let closed = || io::Error::new(ErrorKind::UnexpectedEof, "the server said nothing");
        self.try_ask(request)?.ok_or_else(closed)
    }

    fn try_ask(&mut self, request: &Request) -> io::Result<Option<Head>> {
        if self.reader.is_none() {
            let stream = TcpStream::connect(self.server)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(SERVER_PATIENCE))?;
            let socket = Socket(self.shared.keep(stream));
            self.reader = Some(BufReader::with_capacity(BUFFER_BYTES, socket));
        }
        let reader = self.reader()?;
        (&*reader.get_ref().0).write_all(request.raw())?;
        Head::read(reader)
    }

    fn reader(&mut self) -> io::Result<&mut BufReader<Socket>> {
        self.reader.as_mut().ok_or_else(|| io::Error::from(ErrorKind::NotConnected))
    }

    pub(super) fn close(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.shared.let_go(reader.into_inner().0);
        }
    }
}

/// A connection that others may end.
struct Socket(Arc<TcpStream>);

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}
