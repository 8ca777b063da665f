//! A server that answers what a test tells it to, and remembers what it was asked.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET` or another.
    pub method: String,
    /// Path and query.
    pub target: String,
    head: String,
}

impl Asked {
    /// A header's value; the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// An answer, and how it is given.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    pace: Pace,
}

#[derive(Debug, Clone, Copy)]
enum Pace {
    /// All at once.
    AtOnce,
    /// So many bytes, then a pause, and so on.
    Slowly(usize, Duration),
    /// The head and so many bytes, and then nothing more.
    StopAfter(usize),
    /// Nothing at all.
    Silent,
}

impl Answer {
    /// A status and a body; its length is said.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), pace: Pace::AtOnce }
    }

    /// 200 with JSON.
    pub fn json(body: &serde_json::Value) -> Self {
        Self::new(200, body.to_string()).with("content-type", "application/json")
    }

    /// An error as MLflow's server writes it.
    pub fn mlflow_error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "error_code": code, "message": message });
        Self { status, ..Self::json(&body) }
    }

    /// No answer at all: the connection is taken and stays silent.
    pub fn silence() -> Self {
        Self { pace: Pace::Silent, ..Self::new(200, "") }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body in pieces of `bytes`, with a pause between them.
    #[must_use]
    pub fn slowly(self, bytes: usize, pause: Duration) -> Self {
        Self { pace: Pace::Slowly(bytes, pause), ..self }
    }

    /// The body stops after `bytes`; the connection stays.
    #[must_use]
    pub fn stopping_after(self, bytes: usize) -> Self {
        Self { pace: Pace::StopAfter(bytes), ..self }
    }

    fn head(&self) -> String {
        let lines: Vec<String> =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!(
            "HTTP/1.1 {} x\r\nconnection: close\r\n{}content-length: {}\r\n\r\n",
            self.status,
            lines.concat(),
            self.body.len()
        )
    }
}

type Script = dyn Fn(&Asked, usize) -> Answer + Send + Sync;

/// The server; it ends with the test.
#[derive(Debug)]
pub struct ScriptedServer {
    /// Its address.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    ended: Arc<AtomicBool>,
}

impl ScriptedServer {
    /// Answers each request as `script` says; the second argument counts from 0.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start(script: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Self { url, asked: Arc::default(), ended: Arc::default() };
        let (asked, ended) = (Arc::clone(&server.asked), Arc::clone(&server.ended));
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let (script, asked, ended) =
                    (Arc::clone(&script), Arc::clone(&asked), Arc::clone(&ended));
                // A client that went away is no trouble.
                thread::spawn(move || drop(serve(stream, script.as_ref(), &asked, &ended)));
            }
        });
        server
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

fn serve(
    mut stream: TcpStream,
    script: &Script,
    asked: &Mutex<Vec<Asked>>,
    ended: &AtomicBool,
) -> std::io::Result<()> {
    let Some(request) = request(&mut stream)? else { return Ok(()) };
    let number = {
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(request.clone());
        asked.len() - 1
    };
    let answer = script(&request, number);
    match answer.pace {
        Pace::AtOnce => stream.write_all(&[answer.head().into_bytes(), answer.body].concat()),
        Pace::Silent => wait(ended),
        Pace::StopAfter(bytes) => {
            stream.write_all(answer.head().as_bytes())?;
            stream.write_all(&answer.body[..bytes])?;
            wait(ended)
        }
        Pace::Slowly(bytes, pause) => {
            stream.write_all(answer.head().as_bytes())?;
            for piece in answer.body.chunks(bytes) {
                stream.write_all(piece)?;
                thread::sleep(pause);
            }
            Ok(())
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one of the ways in which a request ends")]
fn wait(ended: &AtomicBool) -> std::io::Result<()> {
    while !ended.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Head and body; `None` for a connection without a request.
fn request(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let asked = Asked { method: method.to_owned(), target: target.to_owned(), head: head.clone() };
    // Read to its end: a body left lying resets the connection and takes the answer with it.
    let length = asked.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    stream.read_exact(&mut vec![0; length])?;
    Ok(Some(asked))
}
