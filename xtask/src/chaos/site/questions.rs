//! What each protocol's requests ask for.

use super::{Backend, Site};
use crate::chaos::fault::{Class, Point};
use crate::chaos::proxy::Request;
use crate::chaos::tree::Tree;

impl Site {
    /// Where in the fetch of a tree a request stands.
    pub(crate) fn point(&self, request: &Request, tree: &Tree) -> Point {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let path = decoded(path);
        let question = Question { path: &path, query, method: &request.method };
        let (offset, is_ranged) = match (request.range(), question.value("offset")) {
            (Some((first, _)), _) => (first, true),
            (None, Some(text)) => (text.parse().unwrap_or_default(), true),
            (None, None) => (0, false),
        };
        let Some(file) = tree.file_of(&path) else {
            let class = if self.lists(&question) { Class::Listing } else { Class::Facts };
            let subject = question.directory();
            return Point { class, subject, offset: 0, is_ranged: false };
        };
        if self.reads(&question) {
            return Point { class: Class::Read, subject: file.to_owned(), offset, is_ranged };
        }
        let subject = format!("{file} {}", question.about());
        Point { class: Class::Facts, subject, offset: 0, is_ranged: false }
    }

    /// Whether a file's bytes are asked for.
    fn reads(&self, question: &Question<'_>) -> bool {
        let is_get = question.method == "GET";
        is_get
            && match self.backend {
                Backend::S3 => !question.has("attributes") && !question.has("partNumber"),
                Backend::Azure => !question.has("comp"),
                Backend::Gcs => question.value("alt") == Some("media"),
                // The NameNode is asked first, and says which DataNode has them.
                Backend::Webhdfs => {
                    question.value("op") == Some("OPEN") && question.has("namenoderpcaddress")
                }
                Backend::MlflowArtifacts | Backend::Http | Backend::HttpJson => true,
            }
    }

    /// Whether it is asked what there is.
    fn lists(&self, question: &Question<'_>) -> bool {
        question.method == "GET"
            && match self.backend {
                Backend::S3 => question.has("list-type"),
                Backend::Azure => question.value("comp") == Some("list"),
                Backend::Gcs => question.path.ends_with("/o"),
                Backend::Webhdfs => {
                    question.value("op").is_some_and(|op| op.starts_with("LISTSTATUS"))
                }
                Backend::MlflowArtifacts => {
                    question.path.ends_with("/artifacts") && question.has("path")
                }
                Backend::Http | Backend::HttpJson => question.path.ends_with('/'),
            }
    }
}

struct Question<'a> {
    path: &'a str,
    query: &'a str,
    method: &'a str,
}

impl Question<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        let mut pairs =
            self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// What is listed: it stands in the query, or in the path.
    fn directory(&self) -> String {
        let listed = ["prefix", "path"].iter().find_map(|name| self.value(name));
        let listed = listed.map_or_else(|| self.path.to_owned(), decoded);
        format!("{listed} {}", self.about()).trim_end().to_owned()
    }

    /// What is asked of a file, where it is not its bytes.
    fn about(&self) -> String {
        let operation = self.value("op").unwrap_or_default();
        let node = if self.has("namenoderpcaddress") { " of a DataNode" } else { "" };
        let attributes = if self.has("attributes") { "attributes" } else { "" };
        let method = if self.method == "GET" { "" } else { self.method };
        [method, operation, attributes, node].concat()
    }
}

/// Percent-encoding undone; our own names have nothing that is not ASCII.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let sign = byte.map_or('%', char::from);
        decoded.push(sign);
        decoded.push_str(if byte.is_some() { &part[2..] } else { part });
    }
    decoded
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::services::Variables;

    #[track_caller]
    fn check(backend: Backend, line: &str, class: Class, subject: &str, offset: u64) {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let site = Site { backend, address, variables: Variables::new(), grant: String::new() };
        let tree = Tree::new("small", &[1, 1]);
        let text = format!("{line}\r\n\r\n");
        let request = Request::read(&mut text.as_bytes()).expect("read").expect("a request");
        let point = site.point(&request, &tree);
        assert_eq!((point.class, point.subject.as_str()), (class, subject), "{line}");
        assert_eq!(point.offset, offset, "{line}");
    }

    #[test]
    fn each_protocol_s_questions_are_told_apart() {
        use Backend::{Azure, Gcs, Http, MlflowArtifacts, S3, Webhdfs};
        use Class::{Facts, Listing, Read};
        let read = "GET /b/chaos/small/d/f01.bin HTTP/1.1\r\nRange: bytes=7-9";
        check(S3, read, Read, "d/f01.bin", 7);
        let list = "GET /b?list-type=2&prefix=chaos%2Fsmall%2F HTTP/1.1";
        check(S3, list, Listing, "chaos/small/", 0);
        check(S3, "HEAD /b/chaos/small/f00.bin HTTP/1.1", Facts, "f00.bin HEAD", 0);
        let list = "GET /a/c?restype=container&comp=list&prefix=chaos%2Fsmall%2F HTTP/1.1";
        check(Azure, list, Listing, "chaos/small/", 0);
        let read = "GET /storage/v1/b/b/o/chaos%2Fsmall%2Ff00.bin?alt=media HTTP/1.1";
        check(Gcs, read, Read, "f00.bin", 0);
        let open = "GET /webhdfs/v1/chaos/small/f00.bin?op=OPEN&offset=3";
        check(Webhdfs, &format!("{open} HTTP/1.1"), Facts, "f00.bin OPEN", 0);
        let open = format!("{open}&namenoderpcaddress=h:1 HTTP/1.1");
        check(Webhdfs, &open, Read, "f00.bin", 3);
        let list = "GET /api/2.0/mlflow-artifacts/artifacts?path=chaos%2Fsmall HTTP/1.1";
        check(MlflowArtifacts, list, Listing, "chaos/small", 0);
        check(Http, "GET /chaos/small/d/ HTTP/1.1", Listing, "/chaos/small/d/", 0);
        check(Http, "GET /chaos/small/d/f01.bin HTTP/1.1", Read, "d/f01.bin", 0);
    }
}
