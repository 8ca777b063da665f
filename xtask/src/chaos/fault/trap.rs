//! Another host, which nobody should be led to with a credential.

use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::chaos::proxy::{Answer, Head, Request, lock};
use crate::chaos::site::Site;
use crate::chaos::tree::Tree;

/// Another of this machine's own addresses, so another host to everybody.
const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];

/// Headers that say who is asking.
const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "x-amz-security-token"];

/// A server that has the tree's files for everybody, and notes who came.
pub(crate) struct Trap {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    site: Arc<Site>,
    tree: Arc<Tree>,
    stopped: AtomicBool,
    visits: Mutex<Visits>,
}

/// Who came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visits {
    pub(crate) count: u32,
    pub(crate) with_credential: Vec<String>,
}

impl Trap {
    pub(super) fn set(site: &Arc<Site>, tree: &Arc<Tree>) -> Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((ELSEWHERE, 0)))
            .context("127.0.0.2 is no address of this machine")?;
        let address = listener.local_addr().context("a listener without an address")?;
        let shared = Arc::new(Shared {
            site: Arc::clone(site),
            tree: Arc::clone(tree),
            stopped: AtomicBool::new(false),
            visits: Mutex::default(),
        });
        let own = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                if own.stopped.load(Ordering::Relaxed) {
                    return;
                }
                // A visitor that goes away early was here all the same.
                let _ = own.receive(&visitor);
            }
        });
        Ok(Self { address, shared, thread: Some(thread) })
    }

    pub(crate) fn visits(&self) -> Visits {
        lock(&self.shared.visits).clone()
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn receive(&self, mut visitor: &TcpStream) -> io::Result<()> {
        visitor.set_read_timeout(Some(Duration::from_secs(2)))?;
        let Some(request) = Request::read(&mut BufReader::new(visitor))? else { return Ok(()) };
        self.note(&request);
        let path = request.target.split('?').next().unwrap_or_default().replace("%2F", "/");
        let file = self.tree.file_of(&path).and_then(|name| self.tree.files.get(name));
        let answer = match file {
            Some(bytes) => Answer::new(Head::new(200, "OK"), bytes.clone()),
            None => Answer::new(Head::new(404, "Not Found"), "nothing here"),
        };
        visitor.write_all(&answer.head.with("Connection", "close").bytes())?;
        if request.method != "HEAD" {
            visitor.write_all(&answer.body)?;
        }
        Ok(())
    }

    fn note(&self, request: &Request) {
        let mut visits = lock(&self.visits);
        visits.count += 1;
        let raw = String::from_utf8_lossy(request.raw());
        let shown = CREDENTIALS.iter().filter(|name| request.header(name).is_some());
        let named = shown.map(|name| (*name).to_owned());
        let secrets = self.site.secrets().into_iter().filter(|secret| raw.contains(secret));
        let spoken = secrets.map(|_| "a secret in plain words".to_owned());
        visits.with_credential.extend(named.chain(spoken));
    }
}
