//! A server that answers as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status line and headers, each with its line end, and the body.
    Whole(String, String),
    /// Takes the request and says nothing.
    Silence,
}

impl Answer {
    /// An answer with a type of content.
    pub(crate) fn new(status: &str, content_type: &str, body: &str) -> Self {
        Self::Whole(format!("{status}\r\ncontent-type: {content_type}\r\n"), body.to_owned())
    }

    /// MLflow's kind of answer.
    pub(crate) fn json(status: &str, body: &str) -> Self {
        Self::new(status, "application/json", body)
    }

    /// With one more header.
    pub(crate) fn with_header(self, header: &str) -> Self {
        match self {
            Self::Whole(head, body) => Self::Whole(format!("{head}{header}\r\n"), body),
            Self::Silence => Self::Silence,
        }
    }
}

/// A server on a free port. It closes every connection behind its answer.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request with what `script` makes of its head, as sent, and its number, from 0.
    pub(crate) async fn start(
        script: impl Fn(&str, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, script) = (Arc::clone(&requests), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
                tokio::spawn(async move { serve(stream, &seen, script.as_ref()).await });
            }
        });
        Self { url, requests }
    }

    /// The requests so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("not poisoned").clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    script: &(impl Fn(&str, usize) -> Answer + ?Sized),
) {
    let Some(request) = read_request(&mut stream).await else { return };
    let number = {
        let mut seen = seen.lock().expect("not poisoned");
        seen.push(request.clone());
        seen.len() - 1
    };
    match script(&request, number) {
        Answer::Whole(head, body) => {
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {head}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            // The client may have gone.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Answer::Silence => tokio::time::sleep(Duration::from_mins(10)).await,
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
