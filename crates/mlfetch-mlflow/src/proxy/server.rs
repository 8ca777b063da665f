//! Requests to the tracking server.

use mlfetch_http::{HttpRequest, HttpResponse, Url};
use mlfetch_store::{Error, ErrorKind, Key, Result};

use super::address::with_path;
use super::config::{ProxyConfig, Transfer};
use super::error::{refuse_page, success};
use super::listing::{Found, Listings, MAX_LISTING_BYTES, Rows, find};
use super::names::{Carried, carried, encode, encode_path, not_carried};
use super::wire::{FileRow, Files};

/// The tracking server, who asks it, and what it listed a moment ago.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) config: ProxyConfig,
    pub(super) listings: Listings,
}

impl Server {
    /// A credential belongs to one origin, whatever the caller gave.
    pub(super) fn new(mut config: ProxyConfig) -> Self {
        if !config.address.same_origin {
            config.credential = None;
            config.headers.clear();
        }
        if config.run_id.is_some() {
            config.transfer = Transfer::Proxy;
            config.model = None;
        }
        Self { config, listings: Listings::default() }
    }

    /// A request to the server about `key`.
    pub(super) fn get(&self, url: Url, operation: &'static str, key: &Key) -> HttpRequest {
        let mut request = HttpRequest::get(url)
            .named(operation, shown(key))
            .with_credential(self.config.credential.clone());
        request.headers.clone_from(&self.config.headers);
        request
    }

    /// Sends a request to the server; a web page is not an answer of it.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        self.config.client.send(request).await
    }

    /// The URL of an object.
    pub(super) fn object_url(&self, key: &Key, slash: &str) -> Url {
        if let Some(run_id) = &self.config.run_id {
            return self.run_url("/get-artifact", run_id, key.as_bytes(), slash);
        }
        self.below_artifacts(&format!("/{}{slash}", encode_path(key)))
    }

    /// The URL at which the server signs a URL for an object.
    pub(super) fn signing_url(&self, key: &Key) -> Url {
        let artifacts = self.config.address.artifacts.path();
        let service = artifacts.strip_suffix("/artifacts").unwrap_or(artifacts);
        let path = format!("{service}/presigned/{}", encode_path(key));
        with_path(&self.config.address.artifacts, &path)
    }

    /// The URL of a directory's rows.
    fn list_url(&self, prefix: &Key, slash: &str) -> Url {
        let directory = prefix.as_bytes();
        let directory = directory.strip_suffix(b"/").unwrap_or(directory);
        if let Some(run_id) = &self.config.run_id {
            return self.run_url("/api/2.0/mlflow/artifacts/list", run_id, directory, slash);
        }
        let mut url = self.below_artifacts("");
        if !prefix.is_root() {
            url.set_query(Some(&format!("path={}{slash}", encode(directory))));
        }
        url
    }

    fn run_url(&self, route: &str, run_id: &str, path: &[u8], slash: &str) -> Url {
        let mut url = self.config.server_url(route);
        let run_id = encode(run_id.as_bytes());
        let query = if path.is_empty() {
            format!("run_id={run_id}")
        } else {
            format!("run_id={run_id}&path={}{slash}", encode(path))
        };
        url.set_query(Some(&query));
        url
    }

    /// The routes of a run give names from the run's root on. What does not lie in the directory
    /// stays as it is, and is refused for its `/`.
    fn basenames(&self, prefix: &Key, mut files: Vec<FileRow>) -> Rows {
        let directory = prefix.to_str().unwrap_or_default();
        for row in files.iter_mut().filter(|_| self.config.run_id.is_some()) {
            if let Some(name) = row.path.strip_prefix(directory) {
                row.path = name.to_owned();
            }
        }
        files.into()
    }

    fn below_artifacts(&self, path: &str) -> Url {
        let artifacts = &self.config.address.artifacts;
        with_path(artifacts, &format!("{}{path}", artifacts.path()))
    }

    /// Asks for a directory's rows and remembers them.
    pub(super) async fn list(&self, prefix: &Key) -> Result<Rows> {
        let slash = match carried(prefix) {
            Carried::Plain => "",
            Carried::WithSlash => "/",
            Carried::Never => return Err(not_carried("list", prefix)),
        };
        let request = self.get(self.list_url(prefix, slash), "list", prefix);
        let response = self.send(request).await?;
        let response = success(response).await.map_err(poisoned)?;
        refuse_page(&response)?;
        let malformed = response.error(ErrorKind::Protocol);
        let body = response.bytes(MAX_LISTING_BYTES).await?;
        let files: Files = serde_json::from_slice(&body).map_err(|cause| {
            malformed.with_message("the listing is not what MLflow answers").with_source(cause)
        })?;
        let rows = self.basenames(prefix, files.files);
        self.listings.keep(prefix, &rows);
        Ok(rows)
    }

    /// What stands under `key` in its directory now.
    pub(super) async fn look(&self, key: &Key) -> Result<Found> {
        let (prefix, name) = key.split_last();
        Ok(find(&self.list(&prefix).await?, name))
    }

    /// The same, content with a listing of a moment ago if that has the name.
    pub(super) async fn look_lately(&self, key: &Key) -> Result<Found> {
        let (prefix, name) = key.split_last();
        match self.listings.fresh(&prefix).map(|rows| find(&rows, name)) {
            None | Some(Found::Nothing) => self.look(key).await,
            Some(found) => Ok(found),
        }
    }
}

/// MLflow 3.17: one dangling link, or one name that is not UTF-8, and the directory's listing is a
/// 500 for ever.
fn poisoned(error: Error) -> Error {
    if error.kind() != ErrorKind::Unavailable || error.hint().is_some() {
        return error;
    }
    error.with_hint(
        "if this lasts: on a server's own disk a dangling link, or a name that is not UTF-8, makes \
         the listing of its directory fail",
    )
}

/// A key for messages: the top has no name of its own.
pub(super) fn shown(key: &Key) -> String {
    if key.is_root() { "the server's artifacts".to_owned() } else { key.to_string() }
}
