//! Our questions, as URLs.

use std::fmt::Write as _;

use mlfetch_http::{Method, Url};
use mlfetch_store::{Error, ErrorKind, Key, Result};

use crate::encode;

/// The operations that are asked for (WebHDFS REST API, "Operations").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    ListBatch,
    List,
    Status,
    Open,
    Checksum,
    Blocks,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::ListBatch => "LISTSTATUS_BATCH",
            Self::List => "LISTSTATUS",
            Self::Status => "GETFILESTATUS",
            Self::Open => "OPEN",
            Self::Checksum => "GETFILECHECKSUM",
            Self::Blocks => "GETFILEBLOCKLOCATIONS",
        }
    }
}

/// One question about one path.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The verb for errors.
    pub(crate) verb: &'static str,
    /// The thing for errors, safe to show.
    pub(crate) subject: String,
    pub(crate) method: Method,
    /// The path, escaped.
    pub(crate) path: String,
    query: String,
}

impl Call {
    /// # Errors
    /// `InvalidKey` for a name that HDFS cannot hold.
    pub(crate) fn new(operation: Operation, verb: &'static str, key: &Key) -> Result<Self> {
        Ok(Self {
            verb,
            subject: if key.is_root() { "/".to_owned() } else { key.to_string() },
            method: Method::GET,
            path: encode::path(verb, key)?,
            query: format!("op={}", operation.name()),
        })
    }

    /// With a parameter more.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let value = encode::query(value.as_ref());
        write!(self.query, "&{name}={value}").expect("a String takes all text");
        self
    }

    /// The URL at a server, with who is asking.
    pub(crate) fn url(&self, base: &Url, identity: &str) -> Result<Url> {
        let root = base.as_str().trim_end_matches('/');
        Url::parse(&format!("{root}{}?{}{identity}", self.path, self.query))
            .map_err(|cause| self.error(ErrorKind::InvalidKey).with_source(cause))
    }

    /// Whether its path has letters that have more than one form in Unicode.
    pub(crate) fn has_other_letters(&self) -> bool {
        // Bytes above 127 begin with `%8` to `%F` once they are escaped.
        self.path.as_bytes().windows(2).any(|pair| pair[0] == b'%' && pair[1] >= b'8')
    }

    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.verb, self.subject.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_escaped_once() {
        let base = Url::parse("http://nn:9870/webhdfs/v1").expect("a URL");
        let call = Call::new(Operation::ListBatch, "list", &Key::from("a b/c;d/")).expect("a call");
        let url = call.with("startAfter", "e&f+").url(&base, "&user.name=me").expect("a URL");
        assert_eq!(
            url.as_str(),
            "http://nn:9870/webhdfs/v1/a%20b/c%3Bd?op=LISTSTATUS_BATCH&startAfter=e%26f%2B&user.name=me"
        );
    }

    #[test]
    fn the_root_is_a_path_too() {
        let base = Url::parse("https://gateway/x/webhdfs/v1/").expect("a URL");
        let url = Call::new(Operation::Status, "stat", &Key::root()).expect("a call");
        let url = url.url(&base, "").expect("a URL");
        assert_eq!(url.as_str(), "https://gateway/x/webhdfs/v1/?op=GETFILESTATUS");
    }
}
