//! The artifact proxy as a store.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use mlfetch_store::{
    Capabilities, Depth, Error, ErrorKind, Key, ListRequest, Listing, Object, ObjectInfo, Page,
    ReadRequest, Result, StatRequest, Store, StoreInfo, Taken, escape,
};

use super::config::{ProxyConfig, Transfer};
use super::error::{is_directory, missing};
use super::listing::{Found, page, page_start};
use super::model_route;
use super::names::{Carried, carried, not_carried};
use super::proxied::Proxied;
use super::server::{Server, shown};
use super::signed::{Failure, Signed};

/// How long a stat waits for an object's first byte. A server that copies the object out of a
/// bucket first may take longer: then the listing's facts are all there is.
const FIRST_BYTE_WITHIN: Duration = Duration::from_secs(5);

/// How the last object came: an index into [`WAYS`].
const NOTHING: usize = 0;
const PRESIGNED: usize = 1;
const PROXY: usize = 2;
const WAYS: [Option<&str>; 3] = [None, Some("presigned"), Some("proxy")];

/// A tracking server's artifact proxy, opened.
///
/// It says that it has ranges and conditional reads. A server that copies each object out of a
/// bucket before it answers has neither, and is only known by its first answer: a read then answers
/// `Unsupported`, never the whole for a part.
#[derive(Debug)]
pub struct ProxyStore {
    info: StoreInfo,
    server: Server,
    signed: Signed,
    proxied: Proxied,
    taken: AtomicUsize,
}

impl ProxyStore {
    /// Opens a proxy; nothing is asked yet.
    pub fn open(config: ProxyConfig) -> Self {
        let root = match &config.run_id {
            Some(run_id) => {
                format!("{} (run {})", config.address.server(), escape(run_id.as_bytes()))
            }
            None => config.address.artifacts.as_str().to_owned(),
        };
        Self {
            info: StoreInfo::new("mlflow-artifacts", root, Capabilities::new(Listing::Tree)),
            server: Server::new(config),
            signed: Signed::default(),
            proxied: Proxied::default(),
            taken: AtomicUsize::new(NOTHING),
        }
    }

    fn took(&self, way: usize) {
        self.taken.store(way, Ordering::Relaxed);
    }

    async fn wants_signed(&self) -> bool {
        match self.server.config.transfer {
            Transfer::Presigned => true,
            Transfer::Proxy => false,
            Transfer::Auto => self.signed.wanted(&self.server).await,
        }
    }

    /// Through the bucket or the server, whichever was chosen or works.
    async fn read_carried(&self, key: &Key, read: &ReadRequest) -> Result<Object> {
        let transfer = self.server.config.transfer;
        if self.wants_signed().await {
            match self.signed.read(&self.server, key, read).await {
                Err(Failure::NotOffered(_)) if transfer == Transfer::Auto => self.signed.give_up(),
                Ok(object) => {
                    self.took(PRESIGNED);
                    return Ok(object);
                }
                Err(failure) => return Err(self.named(key, failure.into()).await),
            }
        }
        self.read_proxied(key, read).await
    }

    async fn read_proxied(&self, key: &Key, read: &ReadRequest) -> Result<Object> {
        let object = self.proxied.read(&self.server, key, read).await?;
        self.took(PROXY);
        Ok(object)
    }

    /// A bucket knows no directories: what it calls missing may be one.
    async fn named(&self, key: &Key, error: Error) -> Error {
        let operation = error.operation();
        if error.kind() == ErrorKind::NotFound
            && let Ok(Found::Directory) = self.server.look_lately(key).await
        {
            return is_directory(operation, key);
        }
        error
    }

    /// The first byte's answer has the object's size, time, tag and checksums; MLflow's answer to
    /// `HEAD` has another tag than that to `GET` (3.17).
    async fn first_byte(&self, key: &Key) -> Result<ObjectInfo> {
        let first = ReadRequest::new().with_range(0..1);
        let object = tokio::time::timeout(FIRST_BYTE_WITHIN, self.read_carried(key, &first)).await;
        match object {
            Ok(object) => Ok(object?.info),
            Err(_) => Err(Error::new(ErrorKind::Timeout, "stat", key.to_string())),
        }
    }

    async fn stat_carried(&self, key: &Key) -> Result<ObjectInfo> {
        // A bucket says by itself what is missing; the server does so only on its own disk.
        let asked_first = self.wants_signed().await;
        if asked_first {
            match self.first_byte(key).await {
                Err(error) if listing_is_enough(&error) => {}
                answer => return answer,
            }
        }
        let listed = match self.server.look(key).await {
            Ok(Found::File(size)) => Some(ObjectInfo::new(key.clone()).with_size(size)),
            Ok(Found::Directory) => return Err(is_directory("stat", key)),
            // Listings leave these out, and the server gives them all the same (MLflow 3.17).
            Ok(Found::Nothing) if is_unfinished_upload(key) => None,
            Ok(Found::Nothing) => return Err(missing("stat", key)),
            Err(error) if error.kind() == ErrorKind::Unauthenticated => return Err(error),
            // What cannot be listed, by permission or for a dangling link, may still be read.
            Err(_) => None,
        };
        match (listed, asked_first) {
            (Some(listed), true) => Ok(listed),
            (Some(listed), false) => match self.first_byte(key).await {
                Err(error) if listing_is_enough(&error) => Ok(listed),
                answer => answer,
            },
            (None, _) => self.first_byte(key).await,
        }
    }

    /// Whether a row of a listing can be fetched.
    fn carries(&self, key: &Key, model: bool) -> Result<()> {
        let by_model = || model && model_route::relative(&self.server, key).is_some();
        if carried(key) == Carried::Never && !by_model() {
            return Err(not_carried("read", key));
        }
        Ok(())
    }

    async fn has_model_route(&self) -> bool {
        self.server.config.model.is_some() && self.signed.offered(&self.server).await
    }
}

#[async_trait]
impl Store for ProxyStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    /// `presigned` or `proxy`, as `--via` calls them.
    fn taken(&self) -> Option<Taken> {
        let way = WAYS[self.taken.load(Ordering::Relaxed)]?;
        let chosen = self.server.config.transfer == Transfer::Auto;
        Some(Taken { way, why: chosen.then(|| self.signed.why()) })
    }

    fn identity(&self) -> Option<String> {
        self.server.config.credential.as_ref()?.user().map(str::to_owned)
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        let prefix = &request.prefix;
        if request.depth == Depth::All {
            return Err(Error::new(ErrorKind::Unsupported, "list", shown(prefix))
                .with_message("the server lists one directory at a time"));
        }
        let known = request.token.as_ref().and_then(|_| self.server.listings.known(prefix));
        let rows = match known {
            Some(rows) => rows,
            None => self.server.list(prefix).await?,
        };
        let start = match &request.token {
            Some(token) => page_start(token, prefix, &rows)?,
            None => 0,
        };
        let max = request.max_entries.map_or(usize::MAX, NonZeroUsize::get);
        let model = self.has_model_route().await;
        Ok(page(prefix, &rows, start, max, |key| self.carries(key, model)))
    }

    async fn stat(&self, key: &Key, _request: StatRequest) -> Result<ObjectInfo> {
        if key.is_prefix() {
            return Err(is_directory("stat", key));
        }
        if carried(key) == Carried::Plain {
            return self.stat_carried(key).await;
        }
        if model_route::below_model(&self.server, &self.signed, key).await.is_some() {
            return model_route::stat(&self.server, key, "stat").await;
        }
        match carried(key) {
            Carried::Never => Err(not_carried("stat", key)),
            _ => self.stat_carried(key).await,
        }
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        if key.is_prefix() {
            return Err(is_directory("read", key));
        }
        if let Some(range) = &request.range
            && range.is_empty()
        {
            let info = self.stat(key, StatRequest::new()).await?;
            return Ok(Object::new(info, range.start, stream::empty().boxed()));
        }
        if carried(key) == Carried::Plain {
            return self.read_carried(key, &request).await;
        }
        let relative = model_route::below_model(&self.server, &self.signed, key).await;
        if let Some(relative) = relative {
            let object = model_route::read(&self.server, key, relative, &request).await?;
            self.took(PROXY);
            return Ok(object);
        }
        match carried(key) {
            Carried::Never => Err(not_carried("read", key)),
            _ => self.read_proxied(key, &request).await,
        }
    }
}

/// What MLflow takes for a file that is still being logged.
fn is_unfinished_upload(key: &Key) -> bool {
    key.split_last().1.starts_with(b".artifact.uploading.")
}

/// The first byte cannot be had, or not soon: what the listing says is all there is.
fn listing_is_enough(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Timeout)
}
