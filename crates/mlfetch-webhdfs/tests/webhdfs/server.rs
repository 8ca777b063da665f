//! What HDFS says, for a server that answers as a test tells it to.

pub(crate) use mlfetch_scripted::{Answer, Request, Server};
use mlfetch_webhdfs::{WebHdfsConfig, WebHdfsStore};

/// Requests as WebHDFS's clients write them.
pub(crate) trait HdfsRequest {
    /// What is asked for.
    fn operation(&self) -> &str;
}

impl HdfsRequest for Request {
    fn operation(&self) -> &str {
        self.parameter("op").unwrap_or_default()
    }
}

/// What a server was asked for so far.
pub(crate) fn operations(server: &Server) -> Vec<String> {
    server.seen().iter().map(|request| request.operation().to_owned()).collect()
}

/// Answers as HDFS writes them.
pub(crate) trait HdfsAnswer {
    /// A refusal.
    fn exception(status: &str, exception: &str, message: &str) -> Self;

    /// On to another place.
    fn redirect(location: &str) -> Self;

    /// The facts of a file of this length.
    fn status(length: usize) -> Self;
}

impl HdfsAnswer for Answer {
    fn exception(status: &str, exception: &str, message: &str) -> Self {
        let body = serde_json::json!({
            "RemoteException": { "exception": exception, "message": message }
        });
        Self::new(status, &["Content-Type: application/json"], body.to_string())
    }

    fn redirect(location: &str) -> Self {
        Self::new("307 Temporary Redirect", &[&format!("Location: {location}")], "")
    }

    fn status(length: usize) -> Self {
        Self::ok(format!(
            r#"{{"FileStatus":{{"pathSuffix":"","type":"FILE","length":{length},
                "modificationTime":1795546266497,"fileId":7}}}}"#
        ))
    }
}

/// A cluster whose NameNodes are these servers.
pub(crate) fn open(servers: &[&Server]) -> WebHdfsStore {
    open_with(WebHdfsConfig::new(), servers)
}

/// The same with settings; the user is `alice` unless another is set.
pub(crate) fn open_with(config: WebHdfsConfig, servers: &[&Server]) -> WebHdfsStore {
    let user = config.user.clone().unwrap_or_else(|| "alice".to_owned());
    let config = config.with_addresses(servers.iter().map(|server| server.url())).with_user(user);
    WebHdfsStore::open(&config, "hdfs://cluster").expect("a store")
}
