//! What a web server says, for one that answers as a test tells it to.

use mlfetch_http::{ClientConfig, HttpClient, HttpStore, Url};
pub(crate) use mlfetch_scripted::{Answer, Request, Server};

/// Answers as web servers write them.
pub(crate) trait WebAnswer {
    /// On to another place.
    fn redirect(status: u16, location: &str) -> Self;
}

impl WebAnswer for Answer {
    fn redirect(status: u16, location: &str) -> Self {
        Self::new(&format!("{status} Redirect"), &[&format!("Location: {location}")], "")
    }
}

/// A server as our client sees it.
pub(crate) trait WebServer {
    /// The URL of a path, which begins with `/`.
    fn at(&self, path: &str) -> Url;

    /// A store of everything below the root.
    fn store(&self) -> HttpStore;
}

impl WebServer for Server {
    fn at(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.url())).expect("a URL")
    }

    fn store(&self) -> HttpStore {
        HttpStore::new(client(), &self.at("/")).expect("a root")
    }
}

/// A client as everybody has it.
pub(crate) fn client() -> HttpClient {
    HttpClient::new(&ClientConfig::new()).expect("a client")
}
