//! Putting objects to each server, with plain requests.

use std::fs::{self, File};
use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};

use super::{Backend, CONTAINER, Site};
use crate::chaos::proxy::Head;

/// A web server tells versions apart by whole seconds.
const HOUR: Duration = Duration::from_hours(1);

/// How old a file looks where that is for us to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Age {
    Old,
    New,
}

impl Site {
    /// Puts an object.
    pub(super) fn put(&self, path: &str, bytes: &[u8], age: Age) -> Result<()> {
        let url = self.url();
        match self.backend {
            Backend::S3 => {
                let place = format!("{url}/{}/{path}", self.bucket());
                ask("PUT", &place, "", bytes).map(drop)
            }
            Backend::Azure => {
                let place = format!("{url}/{CONTAINER}/{path}?{}", self.grant);
                ask("PUT", &place, "x-ms-blob-type: BlockBlob\r\n", bytes).map(drop)
            }
            Backend::Gcs => {
                let name = path.replace('/', "%2F");
                let bucket = self.bucket();
                let place =
                    format!("{url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}");
                ask("POST", &place, "Content-Type: application/octet-stream\r\n", bytes).map(drop)
            }
            Backend::Webhdfs => {
                let user = self.variable("HDFS_USER");
                let query = format!("op=CREATE&overwrite=true&user.name={user}");
                let answer = ask("PUT", &format!("{url}/webhdfs/v1/{path}?{query}"), "", b"")?;
                let place = answer.get("location").context("it names no DataNode")?;
                ask("PUT", place, "Content-Type: application/octet-stream\r\n", bytes).map(drop)
            }
            Backend::MlflowArtifacts => {
                let place = format!("{url}/api/2.0/mlflow-artifacts/artifacts/{path}");
                ask("PUT", &place, "Content-Type: application/octet-stream\r\n", bytes).map(drop)
            }
            Backend::Http | Backend::HttpJson => self.write(path, bytes, age),
        }
    }

    /// nginx serves a directory.
    fn write(&self, path: &str, bytes: &[u8], age: Age) -> Result<()> {
        let path = std::path::Path::new(self.variable("NGINX_ROOT")).join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).context("cannot make a directory for the web server")?;
        }
        // Another file under the name, as a careful writer would put it there. Two sites share the
        // directory and are seeded side by side; what begins with a dot is in no index of nginx.
        let new = path.with_file_name(format!(".{:?}", std::thread::current().id()));
        let mut file = File::create(&new).context("cannot write a file for the web server")?;
        file.write_all(bytes).context("cannot write a file for the web server")?;
        if age == Age::Old {
            file.set_modified(SystemTime::now() - HOUR).context("cannot make a file look old")?;
        }
        fs::rename(&new, &path).context("cannot name a file for the web server")
    }
}

/// Sends one request; fails unless it succeeds or leads on.
fn ask(method: &str, url: &str, headers: &str, body: &[u8]) -> Result<Head> {
    let rest = url.strip_prefix("http://").context("the server speaks no plain HTTP")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(authority).context("the server cannot be reached")?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n{headers}\r\n"
    )?;
    stream.write_all(body)?;
    let mut reader = BufReader::new(stream);
    let head = Head::read(&mut reader)?.context("the server says nothing")?;
    let mut text = Vec::new();
    // What is wrong stands at the beginning.
    reader.take(1024).read_to_end(&mut text)?;
    if !matches!(head.status, 200..=399) {
        bail!("{method} is answered with {}: {}", head.status, String::from_utf8_lossy(&text));
    }
    Ok(head)
}
