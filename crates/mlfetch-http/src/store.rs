//! The store: asks, checks, and nothing clever.

use std::ops::Range;

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use mlfetch_store::{
    Capabilities, Error, ErrorKind, Key, ListRequest, Listing, Object, ObjectInfo, Page,
    ReadRequest, Result, StatRequest, Store, StoreInfo,
};
use reqwest::header::{ACCEPT_ENCODING, HeaderValue, IF_MATCH, RANGE};
use reqwest::{Method, StatusCode, Url};

use crate::address::Address;
use crate::answer::{
    beyond_the_end, check_etag, check_place, check_range, exactly, info_of, unsatisfied_size,
};
use crate::folding::{differ, folded, not_apart};
use crate::index::IndexCache;
use crate::{Credential, HttpClient, HttpRequest, HttpResponse, digest};

mod list;

/// The objects below a URL.
///
/// Keys are percent-encoded exactly once per segment onto the root. Listing works where the server
/// shows directory indexes ([`Listing::Tree`]); reading and stat work everywhere.
///
/// ```no_run
/// use mlfetch_http::{ClientConfig, HttpClient, HttpStore, Url};
/// use mlfetch_store::{Key, StatRequest, Store};
/// # async fn run() -> Result<(), mlfetch_store::Error> {
/// let root = Url::parse("https://models.example/fraud/").expect("a URL");
/// let store = HttpStore::new(HttpClient::new(&ClientConfig::new())?, &root)?;
/// let info = store.stat(&Key::from("v7/MLmodel"), StatRequest::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HttpStore {
    info: StoreInfo,
    client: HttpClient,
    address: Address,
    credential: Option<Credential>,
    indexes: IndexCache,
}

impl HttpStore {
    /// The objects below `root`, whose path must end in `/`. Its query is sent with each request;
    /// its user and password are not: give [`with_credential`](Self::with_credential).
    ///
    /// # Errors
    /// `InvalidInput` if the root is not of that shape.
    pub fn new(client: HttpClient, root: &Url) -> Result<Self> {
        Address::new(root).map(|address| Self::at(client, address))
    }

    pub(crate) fn at(client: HttpClient, address: Address) -> Self {
        let info = StoreInfo::new("http", address.root(), Capabilities::new(Listing::Tree));
        let client = client.with_secrets(address.secrets());
        Self { info, client, address, credential: None, indexes: IndexCache::default() }
    }

    /// With who is asking; it is sent to the root's origin only.
    #[must_use]
    pub fn with_credential(mut self, credential: impl Into<Option<Credential>>) -> Self {
        self.credential = credential.into();
        self
    }

    fn request(&self, method: Method, operation: &'static str, key: &Key) -> Result<HttpRequest> {
        let url = self.address.url_of(operation, key)?;
        let subject = if key.is_root() { self.info.root.clone() } else { key.to_string() };
        Ok(HttpRequest::new(method, url)
            // Without it a server may send what it compressed for the way (RFC 9110, 12.5.3).
            .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .with_credential(self.credential.clone())
            .named(operation, subject))
    }

    /// Sends, and makes an error of every status that is one.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let answer = self.client.send(request).await?;
        answer.error_for_status().await.map_err(|error| self.explain(error))
    }

    fn explain(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Unauthenticated || error.hint().is_some() {
            return error;
        }
        error.with_hint(match &self.credential {
            None => "give `http-username` and `http-password`, or `http-token`",
            Some(_) => "the server does not accept this user and password, or this token",
        })
    }

    async fn stat_one(
        &self,
        operation: &'static str,
        key: &Key,
        digests: bool,
    ) -> Result<ObjectInfo> {
        let request = self.request(Method::HEAD, operation, key)?;
        let asked = request.url.clone();
        let request = if digests { with_digests(request) } else { request };
        let answer = self.client.send(request).await?;
        if self.needs_get(answer.status()) {
            return self.stat_by_get(operation, key, digests).await;
        }
        let answer = answer.error_for_status().await.map_err(|error| self.explain(error))?;
        check_place(&answer, &asked)?;
        Ok(info_of(&answer, key))
    }

    /// Servers without HEAD say so; a signature in the query is mostly one for GET alone, and the
    /// server then forbids HEAD. What is wrong with a bad request is said in a body, which the answer
    /// to HEAD has not.
    fn needs_get(&self, status: StatusCode) -> bool {
        match status {
            StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED
            | StatusCode::BAD_REQUEST => true,
            StatusCode::FORBIDDEN => self.address.has_query(),
            _ => false,
        }
    }

    async fn stat_by_get(
        &self,
        operation: &'static str,
        key: &Key,
        digests: bool,
    ) -> Result<ObjectInfo> {
        let request = self.request(Method::GET, operation, key)?;
        let asked = request.url.clone();
        let request = request.with_header(RANGE, HeaderValue::from_static("bytes=0-0"));
        let request = if digests { with_digests(request) } else { request };
        let answer = self.client.send(request).await?;
        if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE
            && unsatisfied_size(&answer) == Some(0)
        {
            // An empty object has no first byte.
            return Ok(info_of(&answer, key).with_size(0));
        }
        let answer = answer.error_for_status().await.map_err(|error| self.explain(error))?;
        check_place(&answer, &asked)?;
        Ok(info_of(&answer, key))
    }

    /// Refuses a key with empty segments where the server does not keep it apart from the key
    /// without them.
    async fn check_folding(&self, operation: &'static str, info: &ObjectInfo) -> Result<()> {
        let Some(folded) = folded(&info.key) else { return Ok(()) };
        match self.stat_one(operation, &folded, false).await {
            Ok(other) if differ(info, &other) => Ok(()),
            Ok(_) => Err(not_apart(operation, &info.key, &folded)),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::IsDirectory => Ok(()),
                _ => Err(error),
            },
        }
    }

    async fn read_bytes(&self, key: &Key, request: &ReadRequest) -> Result<Object> {
        let asked = request.range.as_ref();
        let sent = with_digests(self.request(Method::GET, "read", key)?);
        let url = sent.url.clone();
        let sent = with_conditions(sent, asked, request.if_match.as_deref())?;
        let answer = self.client.send(sent).await?;
        let size = unsatisfied_size(&answer);
        let answer = answer.error_for_status().await.map_err(|error| match asked {
            Some(asked) => beyond_the_end(self.explain(error), size, asked),
            None => self.explain(error),
        })?;
        check_place(&answer, &url)?;
        check_etag(&answer, request.if_match.as_deref())?;
        let given = check_range(&answer, asked)?;
        let info = info_of(&answer, key);
        self.check_folding("read", &info).await?;
        Ok(match given {
            Some(range) => {
                let body = exactly(answer.body(), range.end - range.start, key);
                Object::new(info, range.start, body)
            }
            None => Object::new(info, 0, answer.body()),
        })
    }

    /// No bytes at all: HTTP has no words for an empty range (RFC 9110, 14.1.1), so only the
    /// conditions are looked at.
    async fn read_nothing(&self, key: &Key, start: u64, request: &ReadRequest) -> Result<Object> {
        let info = self.stat_one("read", key, false).await?;
        if request.if_match.is_some() && request.if_match != info.etag {
            return Err(Error::new(ErrorKind::Changed, "read", key.to_string()));
        }
        self.check_folding("read", &info).await?;
        Ok(Object::new(info, start, stream::empty().boxed()))
    }
}

#[async_trait]
impl Store for HttpStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        self.list(request).await
    }

    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        no_versions("stat", key, request.version.as_deref())?;
        let info = self.stat_one("stat", key, request.wants_checksums()).await?;
        self.check_folding("stat", &info).await?;
        Ok(info)
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        no_versions("read", key, request.version.as_deref())?;
        match &request.range {
            Some(range) if range.start == range.end => {
                self.read_nothing(key, range.start, &request).await
            }
            Some(range) if range.start > range.end => {
                Err(Error::new(ErrorKind::InvalidInput, "read", key.to_string())
                    .with_message("the range ends before it begins"))
            }
            _ => self.read_bytes(key, &request).await,
        }
    }
}

fn no_versions(operation: &'static str, key: &Key, version: Option<&str>) -> Result<()> {
    if version.is_none() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, operation, key.to_string())
        .with_message("HTTP servers keep no versions"))
}

fn with_digests(request: HttpRequest) -> HttpRequest {
    let (name, value) = digest::WANT_REPR_DIGEST;
    request.with_header(name, value)
}

fn with_conditions(
    mut request: HttpRequest,
    range: Option<&Range<u64>>,
    if_match: Option<&str>,
) -> Result<HttpRequest> {
    if let Some(range) = range {
        let text = format!("bytes={}-{}", range.start, range.end - 1);
        let value = HeaderValue::try_from(text).expect("digits are a header's value");
        request = request.with_header(RANGE, value);
    }
    if let Some(etag) = if_match {
        let value = HeaderValue::try_from(etag).map_err(|cause| {
            Error::new(ErrorKind::InvalidInput, "read", request.subject.clone())
                .with_message("the entity tag holds characters that a header cannot carry")
                .with_source(cause)
        })?;
        request = request.with_header(IF_MATCH, value);
    }
    Ok(request)
}
