//! A store that asks again, and a body that continues where it broke.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout};

use crate::retry::{Attempts, stalled, within};
use crate::{
    Error, ErrorKind, Key, ListRequest, Object, ObjectBody, ObjectInfo, Page, ReadRequest, Result,
    Retry, RetryPolicy, StatRequest, Store, StoreInfo, Taken, retry,
};

/// A break after so many bytes counts as a new beginning, not as one failure more in a row.
const PROGRESS_BYTES: u64 = 64 * 1024;

/// So many new beginnings a body has, and one more for so many bytes that came: a server that falls
/// silent after each morsel of a big file would be waited for a thousand times.
const BEGINNINGS: u64 = 32;
const BYTES_EACH: u64 = 1024 * 1024;

/// Wraps a store: every call goes through the retry loop, and a body that breaks or stalls
/// continues at its offset, tied to the same entity tag or version. Where the store has no ranges,
/// or gave nothing to tie to, the break is passed on as an error that may be retried from the
/// start: two halves are never joined on trust.
///
/// A body that ends too early or too late for the size that was announced is an error.
#[derive(Debug, Clone)]
pub struct RetryingStore {
    inner: Arc<dyn Store>,
    policy: Arc<RetryPolicy>,
}

impl RetryingStore {
    /// Wraps `inner`.
    pub fn new(inner: Arc<dyn Store>, policy: RetryPolicy) -> Self {
        Self { inner, policy: Arc::new(policy) }
    }
}

#[async_trait]
impl Store for RetryingStore {
    fn info(&self) -> &StoreInfo {
        self.inner.info()
    }

    fn taken(&self) -> Option<Taken> {
        self.inner.taken()
    }

    fn identity(&self) -> Option<String> {
        self.inner.identity()
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        retry(&self.policy, || self.inner.list_page(request.clone())).await
    }

    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        retry(&self.policy, || self.inner.stat(key, request.clone())).await
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        let object = retry(&self.policy, || self.inner.read(key, request.clone())).await?;
        let Object { info, start, body, file, checksum } = object;
        let end = match (&request.range, info.size) {
            (Some(range), Some(size)) => Some(range.end.min(size)),
            (Some(range), None) => Some(range.end),
            (None, size) => size,
        };
        let reading = Reading {
            store: Arc::clone(&self.inner),
            policy: Arc::clone(&self.policy),
            key: key.clone(),
            etag: info.etag.clone().or(request.if_match),
            version: info.version.clone().or(request.version),
            position: start,
            end,
            body: Some(body),
            failed: 0,
            began: Instant::now(),
            first: start,
            last_break: start,
            beginnings: 0,
        };
        let body = stream::try_unfold(reading, Reading::step).boxed();
        Ok(Object::new(info, start, body).with_file(file).with_checksum(checksum))
    }
}

/// A body on its way, and what is needed to continue it.
struct Reading {
    store: Arc<dyn Store>,
    policy: Arc<RetryPolicy>,
    key: Key,
    etag: Option<String>,
    version: Option<String>,
    position: u64,
    end: Option<u64>,
    /// `None` once the end was seen.
    body: Option<ObjectBody>,
    failed: u32,
    began: Instant,
    first: u64,
    last_break: u64,
    beginnings: u64,
}

impl Reading {
    async fn step(mut self) -> Result<Option<(Bytes, Self)>> {
        loop {
            let Some(body) = self.body.as_mut() else { return Ok(None) };
            let next = timeout(self.policy.stall, body.next()).await;
            let broken = match next {
                Ok(Some(Ok(chunk))) => {
                    self.position += chunk.len() as u64;
                    if self.end.is_some_and(|end| self.position > end) {
                        return Err(self.wrong_length());
                    }
                    return Ok(Some((chunk, self)));
                }
                Ok(None) if self.end.is_none_or(|end| self.position == end) => return Ok(None),
                Ok(None) => self.wrong_length(),
                Ok(Some(Err(error))) => error,
                Err(_) => stalled("read", &self.key.to_string(), self.policy.stall),
            };
            self.recover(broken).await?;
        }
    }

    /// Too short may pass with another attempt; too long will not.
    fn wrong_length(&self) -> Error {
        let end = self.end.unwrap_or(self.position);
        let error = Error::new(ErrorKind::Integrity, "read", self.key.to_string())
            .with_message(format!("{} bytes were announced and {} arrived", end, self.position));
        if self.position < end { error.with_retry(Retry::Later) } else { error }
    }

    /// Opens the body again at the position it broke at.
    async fn recover(&mut self, mut broken: Error) -> Result<()> {
        if broken.retry() == Retry::Never || !self.can_continue() {
            return Err(broken);
        }
        let came = self.position.saturating_sub(self.last_break);
        let most = BEGINNINGS + self.position.saturating_sub(self.first) / BYTES_EACH;
        if came >= PROGRESS_BYTES && self.beginnings < most {
            self.beginnings += 1;
            self.failed = 0;
            self.began = Instant::now();
        }
        self.last_break = self.position;
        let policy = Arc::clone(&self.policy);
        let mut attempts = Attempts::continued(&policy, self.began, self.failed);
        loop {
            attempts.wait_after(broken).await?;
            self.failed += 1;
            match self.reopen().await {
                Ok(body) => {
                    self.body = Some(body);
                    return Ok(());
                }
                Err(error) => broken = error,
            }
        }
    }

    fn can_continue(&self) -> bool {
        let capabilities = &self.store.info().capabilities;
        let pinned = self.etag.is_some() || self.version.is_some();
        capabilities.ranges && capabilities.conditional_reads && pinned && self.end.is_some()
    }

    async fn reopen(&mut self) -> Result<ObjectBody> {
        let range = self.end.map(|end| self.position..end);
        let request = ReadRequest::new()
            .with_range(range)
            .with_if_match(self.etag.clone())
            .with_version(self.version.clone());
        let object = within(self.policy.stall, self.store.read(&self.key, request)).await?;
        let another = |kind| Error::new(kind, "continue reading", self.key.to_string());
        if object.info.etag.is_some() && object.info.etag != self.etag {
            return Err(another(ErrorKind::Changed));
        }
        if object.start != self.position {
            let (asked, came) = (self.position, object.start);
            return Err(another(ErrorKind::Protocol)
                .with_message(format!("byte {asked} was asked for and {came} came")));
        }
        Ok(object.body)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{Capabilities, Listing, MemoryStore};

    /// Breaks each body after some bytes, so many times.
    #[derive(Debug)]
    struct Breaking {
        inner: MemoryStore,
        info: StoreInfo,
        breaks_left: AtomicUsize,
        gives: usize,
        reads: Arc<AtomicUsize>,
    }

    #[async_trait]
    impl Store for Breaking {
        fn info(&self) -> &StoreInfo {
            &self.info
        }
        async fn list_page(&self, request: ListRequest) -> Result<Page> {
            self.inner.list_page(request).await
        }
        async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
            self.inner.stat(key, request).await
        }
        async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            let object = self.inner.read(key, request).await?;
            let left = self.breaks_left.load(Ordering::Relaxed);
            if left == 0 {
                return Ok(object);
            }
            self.breaks_left.store(left - 1, Ordering::Relaxed);
            let gives = self.gives;
            let part = object
                .body
                .map(move |chunk| chunk.map(|bytes| bytes.slice(..gives.min(bytes.len()))));
            let broken = stream::iter([Err(Error::new(ErrorKind::Network, "read", "x"))]);
            Ok(Object::new(object.info, object.start, part.chain(broken).boxed()))
        }
    }

    fn breaking(
        times: usize,
        gives: usize,
        capabilities: Capabilities,
    ) -> (RetryingStore, Arc<AtomicUsize>) {
        let inner = MemoryStore::new().with(Key::from("x"), "0123456789");
        breaking_in(inner, times, gives, capabilities)
    }

    fn breaking_in(
        inner: MemoryStore,
        times: usize,
        gives: usize,
        capabilities: Capabilities,
    ) -> (RetryingStore, Arc<AtomicUsize>) {
        let reads = Arc::new(AtomicUsize::new(0));
        let store = Breaking {
            inner,
            info: StoreInfo::new("breaking", "breaking:", capabilities),
            breaks_left: AtomicUsize::new(times),
            gives,
            reads: Arc::clone(&reads),
        };
        (RetryingStore::new(Arc::new(store), RetryPolicy::default()), reads)
    }

    async fn read_all(store: &RetryingStore) -> Result<Vec<u8>> {
        let mut body = store.read(&Key::from("x"), ReadRequest::new()).await?.body;
        let mut all = Vec::new();
        while let Some(chunk) = body.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_body_continues_at_its_offset() {
        let (store, reads) = breaking(3, 3, Capabilities::new(Listing::Flat));
        assert_eq!(read_all(&store).await.expect("whole"), b"0123456789");
        assert_eq!(reads.load(Ordering::Relaxed), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn two_halves_are_not_joined_without_a_tie() {
        let capabilities = Capabilities::new(Listing::Flat).without_conditional_reads();
        let (store, reads) = breaking(1, 3, capabilities);
        let error = read_all(&store).await.expect_err("cannot continue");
        assert_eq!(error.kind(), ErrorKind::Network);
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_big_body_arrives_in_pieces_but_not_in_morsels() {
        const MIB: usize = 1024 * 1024;
        for (times, gives, is_whole) in [(47, MIB, true), (700, 64 * 1024, false)] {
            let inner = MemoryStore::new().with(Key::from("x"), vec![b'x'; 48 * MIB]);
            let all = Capabilities::new(Listing::Flat);
            let (store, reads) = breaking_in(inner, times, gives, all);
            let read = read_all(&store).await;
            assert_eq!(read.is_ok_and(|bytes| bytes.len() == 48 * MIB), is_whole, "{gives}");
            let reads = reads.load(Ordering::Relaxed);
            assert!(if is_whole { reads == 48 } else { reads < 48 }, "{gives}: {reads}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_breaks_without_progress_is_given_up() {
        let (store, reads) = breaking(usize::MAX, 0, Capabilities::new(Listing::Flat));
        let error = read_all(&store).await.expect_err("given up");
        assert_eq!(error.kind(), ErrorKind::Network);
        assert_eq!(reads.load(Ordering::Relaxed), 8);
    }
}
