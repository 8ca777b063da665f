//! A server that speaks every protocol, and says again what it was told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_tests::{Answer, Asked};
use serde_json::json;

use crate::support::{Purpose, usual};

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    S3,
    Azure,
    Gcs,
    WebHdfs,
    Tracking,
    Http,
}

/// Ten bytes, whatever the protocol.
const BYTES: &str = "0123456789";

impl Speaks {
    /// There is one file: `a` in `d/`.
    pub(crate) fn success(self, asked: &Asked) -> Answer {
        let target = asked.target.as_str();
        match self {
            Self::S3 if target.contains("list-type=2") => Answer::new(
                200,
                "<ListBucketResult><Contents><Key>d/a</Key><Size>10</Size><ETag>\"e\"</ETag>\
                 </Contents></ListBucketResult>",
            ),
            Self::Azure if target.contains("comp=list") => Answer::new(
                200,
                "<EnumerationResults><Blobs><Blob><Name>d/a</Name><Properties><Etag>e</Etag>\
                 <Content-Length>10</Content-Length></Properties></Blob></Blobs>\
                 </EnumerationResults>",
            ),
            Self::Gcs if target.starts_with("/token") => Answer::json(
                &json!({ "access_token": "planted-token-of-google", "expires_in": 3600 }),
            ),
            Self::Gcs if !target.contains("/o/") => {
                let file = json!({ "name": "d/a", "size": "10", "generation": "1764000000000001" });
                Answer::json(&json!({ "kind": "storage#objects", "items": [file] }))
            }
            Self::WebHdfs => hdfs(asked),
            Self::Tracking if !target.starts_with("http://files") => {
                let mut asked = asked.clone();
                asked.target = target.replacen("http://tracking.example", "", 1);
                match Purpose::of(&asked) {
                    Purpose::Other => page(&asked),
                    purpose => usual(purpose, &[("a", 10)]),
                }
            }
            Self::Http => page(asked),
            _ => Answer::new(200, BYTES)
                .with("etag", "\"e\"")
                .with("x-ms-blob-type", "BlockBlob")
                .with("x-goog-generation", "1764000000000001"),
        }
    }

    /// A refusal whose words are all that the request held.
    pub(crate) fn refusal(self, status: u16, asked: &Asked) -> Answer {
        let words = echo(asked);
        let xml = words.replace('&', "&amp;").replace('<', "&lt;");
        match self {
            Self::S3 => Answer::new(
                status,
                format!("<Error><Code>Odd</Code><Message>{xml}</Message></Error>"),
            ),
            Self::Azure => Answer::new(
                status,
                format!(
                    "<Error><Code>Odd</Code><Message>{xml}</Message>\
                     <AuthenticationErrorDetail>{xml}</AuthenticationErrorDetail></Error>"
                ),
            )
            .with("x-ms-error-code", "Odd"),
            Self::Gcs => {
                let errors = json!([{ "reason": "odd", "message": words }]);
                refused(status, &json!({ "error": { "message": words, "errors": errors } }))
            }
            Self::WebHdfs => refused(
                status,
                &json!({ "RemoteException": { "exception": "IOException", "message": words } }),
            ),
            Self::Tracking => Answer::mlflow_error(status, "ODD", &words),
            Self::Http => Answer::new(status, words),
        }
    }
}

fn refused(status: u16, body: &serde_json::Value) -> Answer {
    Answer::new(status, body.to_string()).with("content-type", "application/json")
}

/// A web server's directory, and the file in it.
fn page(asked: &Asked) -> Answer {
    let path = asked.target.split('?').next().unwrap_or_default();
    if path.ends_with('/') {
        let page = "<title>Index of /d/</title><a href=\"../\">..</a><a href=\"a\">a</a></html>";
        return Answer::new(200, page).with("content-type", "text/html");
    }
    Answer::new(200, BYTES).with("etag", "\"e\"")
}

fn hdfs(asked: &Asked) -> Answer {
    let row = |name: &str, kind: &str| json!({ "pathSuffix": name, "type": kind, "length": 10, "modificationTime": 1, "fileId": 7 });
    if asked.target.contains("LISTSTATUS_BATCH") {
        let rows = json!({ "FileStatuses": { "FileStatus": [row("a", "FILE")] } });
        let listing = json!({ "partialListing": rows, "remainingEntries": 0 });
        return Answer::json(&json!({ "DirectoryListing": listing }));
    }
    if asked.target.contains("GETFILESTATUS") {
        let is_file = asked.target.contains("/d/a?");
        let row = if is_file { row("", "FILE") } else { row("", "DIRECTORY") };
        return Answer::json(&json!({ "FileStatus": row }));
    }
    Answer::new(200, BYTES)
}

/// What was asked, as it was sent and decoded; first what is most worth a look, because words are
/// cut.
fn echo(asked: &Asked) -> String {
    let names = ["authorization", "proxy-authorization", "x-amz-security-token"];
    let headers: Vec<&str> = names.iter().filter_map(|name| asked.header(name)).collect();
    let logins = headers.iter().filter_map(|header| header.strip_prefix("Basic "));
    let logins = logins.filter_map(|login| STANDARD.decode(login).ok());
    let logins: Vec<String> =
        logins.map(|login| String::from_utf8_lossy(&login).into_owned()).collect();
    let query = asked.target.split_once('?').map_or("", |(_, query)| query);
    [&logins.join(" "), &headers.join(" "), query, &decoded(query)].join(" ")
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
