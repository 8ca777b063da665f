//! Objects through the tracking server.

use std::sync::atomic::{AtomicBool, Ordering};

use mlfetch_http::header::{ACCEPT_RANGES, CONTENT_LENGTH, ETAG};
use mlfetch_http::{HttpResponse, StatusCode};
use mlfetch_store::{Error, ErrorKind, Key, Object, ReadRequest, Result};
use tokio::sync::OnceCell;

use super::answer::{Tie, asking, copied_twice, is_file_tag, object};
use super::error::{is_directory, missing, refuse_page, success};
use super::listing::Found;
use super::names::{Carried, carried, not_carried};
use super::server::Server;

/// What was learned of a server by its answers.
#[derive(Debug, Default)]
pub(super) struct Proxied {
    /// Seen to copy objects out of a bucket: no length, no tag, no ranges.
    copies: AtomicBool,
    /// Whether its tags are those of temporary copies; asked once, when the first such tag comes.
    passing_tags: OnceCell<bool>,
}

impl Proxied {
    /// Reads an object through the server.
    pub(super) async fn read(
        &self,
        server: &Server,
        key: &Key,
        read: &ReadRequest,
    ) -> Result<Object> {
        if read.range.is_some() && self.copies.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unsupported, "read", key.to_string())
                .with_message("the server gives its objects only as a whole"));
        }
        let response = self.ask(server, key, read).await?;
        if is_copied(&response) {
            self.copies.store(true, Ordering::Relaxed);
            return copied(server, key, read, response).await;
        }
        let mut object = object(key, read, response, None)?;
        if let Some(tag) = object.info.etag.take_if(|tag| is_file_tag(tag)) {
            let passing = self.passing_tags.get_or_init(|| self.passes(server, key, &tag)).await;
            if *passing {
                // The copy's time is no more the object's than its tag.
                object.info.modified = None;
            } else {
                object.info.etag = Some(tag);
            }
        }
        Ok(object)
    }

    async fn ask(&self, server: &Server, key: &Key, read: &ReadRequest) -> Result<HttpResponse> {
        let slash = if carried(key) == Carried::WithSlash { "/" } else { "" };
        let request = server.get(server.object_url(key, slash), "read", key);
        let response = server.send(asking(request, read, Tie::ByAnswer)?).await?;
        let status = response.status();
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(response);
        }
        let response = match success(response).await {
            Ok(response) => response,
            Err(error) => return Err(truth(server, key, status, error).await),
        };
        refuse_page(&response)?;
        Ok(response)
    }

    /// Whether another answer has another temporary file's tag. An answer that does not come proves
    /// nothing: then no tag is relied on.
    async fn passes(&self, server: &Server, key: &Key, tag: &str) -> bool {
        let first = ReadRequest::new().with_range(0..1);
        match self.ask(server, key, &first).await.map(|response| response.etag()) {
            Ok(Some(other)) => copied_twice(tag, &other),
            // An empty file has no first byte, and nothing that a tag could tie together.
            _ => true,
        }
    }
}

/// A whole answer without length, tag and ranges: the server made a copy of an object of a bucket.
fn is_copied(response: &HttpResponse) -> bool {
    let headers = response.headers();
    let known = [CONTENT_LENGTH, ETAG, ACCEPT_RANGES];
    response.status() == StatusCode::OK && !known.iter().any(|name| headers.contains_key(name))
}

/// MLflow 3.17: an object that is missing in a bucket is a 500, which would be retried for minutes,
/// and so is a name that this route does not carry; the listing tells which it is.
async fn truth(server: &Server, key: &Key, status: StatusCode, error: Error) -> Error {
    let with_slash = carried(key) == Carried::WithSlash;
    if status != StatusCode::INTERNAL_SERVER_ERROR && !(with_slash && status == 404) {
        return error;
    }
    match server.look(key).await {
        Ok(Found::Nothing) => missing("read", key),
        Ok(Found::Directory) => is_directory("read", key),
        Ok(Found::File(_)) if with_slash => not_carried("read", key),
        _ => error,
    }
}

/// MLflow 3.17 with a bucket behind it: a directory is a 200 without bytes, and an object is a 200
/// without a length. The listing tells them apart, and its size proves the end.
async fn copied(
    server: &Server,
    key: &Key,
    read: &ReadRequest,
    response: HttpResponse,
) -> Result<Object> {
    let mut object = object(key, read, response, None)?;
    match server.look_lately(key).await {
        Ok(Found::Directory) => return Err(is_directory("read", key)),
        Ok(Found::Nothing) => return Err(missing("read", key)),
        Ok(Found::File(_)) if carried(key) == Carried::WithSlash => {
            return Err(not_carried("read", key));
        }
        Ok(Found::File(size)) => object.info.size = size,
        Err(_) => {}
    }
    Ok(object)
}
