//! A store that fails on purpose.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::{StreamExt as _, future, stream};
use mlfetch_store::{
    Entry, Error, ErrorKind, Key, ListRequest, Object, ObjectBody, ObjectInfo, Page, ReadRequest,
    Result, StatRequest, Store, StoreInfo, Taken,
};

use crate::spoil::{cut, flip};

/// One of the calls of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A page of names.
    List,
    /// The facts of one object.
    Stat,
    /// The bytes of one object.
    Read,
}

/// Wraps a store and fails as it is told to.
///
/// Faults are rules in order: a call takes the first that is about it and is not used up, and is
/// answered properly when there is none.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use mlfetch_conformance::{FaultyStore, Operation};
/// use mlfetch_store::{ErrorKind, Key, MemoryStore, StatRequest, Store};
///
/// let inner = Arc::new(MemoryStore::new().with(Key::from("a"), "bytes"));
/// let store = FaultyStore::new(inner).fail(Operation::Stat, 1, ErrorKind::Unavailable);
/// let key = Key::from("a");
/// assert!(store.stat(&key, StatRequest::new()).await.is_err());
/// assert!(store.stat(&key, StatRequest::new()).await.is_ok());
/// assert_eq!(store.calls(Operation::Stat), 2);
/// # });
/// ```
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    rules: Vec<Rule>,
    calls: [AtomicUsize; 3],
}

struct Rule {
    operation: Operation,
    key: Option<Key>,
    fault: Fault,
    left: AtomicUsize,
}

#[derive(Clone, Copy)]
enum Fault {
    Fail(ErrorKind),
    Stall,
    ChangeTag,
    Truncate(u64),
    Break(u64, ErrorKind),
    FlipBit(u64),
    StallBody(u64),
}

impl FaultyStore {
    /// Wraps a store; without rules it does nothing.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, rules: Vec::new(), calls: Default::default() }
    }

    /// The next `times` calls of an operation fail with this kind of error.
    #[must_use]
    pub fn fail(self, operation: Operation, times: usize, kind: ErrorKind) -> Self {
        self.with(operation, times, Fault::Fail(kind))
    }

    /// The next `times` calls of an operation never answer.
    #[must_use]
    pub fn stall(self, operation: Operation, times: usize) -> Self {
        self.with(operation, times, Fault::Stall)
    }

    /// The next `times` bodies end after `bytes` bytes, as if that were all.
    #[must_use]
    pub fn truncate(self, times: usize, bytes: u64) -> Self {
        self.with(Operation::Read, times, Fault::Truncate(bytes))
    }

    /// The next `times` bodies break with an error after `bytes` bytes.
    #[must_use]
    pub fn break_body(self, times: usize, bytes: u64, kind: ErrorKind) -> Self {
        self.with(Operation::Read, times, Fault::Break(bytes, kind))
    }

    /// The next `times` bodies have one bit flipped: the lowest of this byte of the object.
    #[must_use]
    pub fn flip_bit(self, times: usize, byte: u64) -> Self {
        self.with(Operation::Read, times, Fault::FlipBit(byte))
    }

    /// The next `times` bodies stop after `bytes` bytes and never go on.
    #[must_use]
    pub fn stall_body(self, times: usize, bytes: u64) -> Self {
        self.with(Operation::Read, times, Fault::StallBody(bytes))
    }

    /// The next `times` calls see another entity tag than the inner store has: a read tied to the
    /// listed one is [`ErrorKind::Changed`], one without a tie gets the other tag.
    #[must_use]
    pub fn change_tag(self, operation: Operation, times: usize) -> Self {
        self.with(operation, times, Fault::ChangeTag)
    }

    /// Narrows the last rule to one key (of a listing: to one prefix).
    ///
    /// # Panics
    /// If there is no rule yet.
    #[must_use]
    pub fn only(mut self, key: Key) -> Self {
        self.rules.last_mut().expect("there is a rule to narrow").key = Some(key);
        self
    }

    /// How often an operation was called.
    pub fn calls(&self, operation: Operation) -> usize {
        self.calls[operation as usize].load(Ordering::SeqCst)
    }

    fn with(mut self, operation: Operation, times: usize, fault: Fault) -> Self {
        self.rules.push(Rule { operation, key: None, fault, left: AtomicUsize::new(times) });
        self
    }

    /// Counts a call, and says what is to go wrong with it.
    async fn meet(&self, operation: Operation, key: &Key) -> Result<Option<Fault>> {
        self.calls[operation as usize].fetch_add(1, Ordering::SeqCst);
        let fault = self.rules.iter().find_map(|rule| rule.take(operation, key));
        let verb = match operation {
            Operation::List => "list",
            Operation::Stat => "stat",
            Operation::Read => "read",
        };
        match fault {
            Some(Fault::Fail(kind)) => Err(injected(kind, verb, key)),
            Some(Fault::Stall) => future::pending().await,
            other => Ok(other),
        }
    }
}

impl Rule {
    fn take(&self, operation: Operation, key: &Key) -> Option<Fault> {
        let meant = self.operation == operation && self.key.as_ref().is_none_or(|only| only == key);
        let less = |left: usize| left.checked_sub(1);
        let used =
            meant && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
        used.then_some(self.fault)
    }
}

fn injected(kind: ErrorKind, verb: &'static str, key: &Key) -> Error {
    Error::new(kind, verb, key.to_string()).with_message("this failure is injected by a test")
}

fn change_tag(info: &mut ObjectInfo) {
    info.etag = Some("\"changed-by-a-test\"".to_owned());
}

#[async_trait]
impl Store for FaultyStore {
    fn info(&self) -> &StoreInfo {
        self.inner.info()
    }

    fn taken(&self) -> Option<Taken> {
        self.inner.taken()
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        let fault = self.meet(Operation::List, &request.prefix).await?;
        let mut page = self.inner.list_page(request).await?;
        if let Some(Fault::ChangeTag) = fault {
            for entry in &mut page.entries {
                if let Entry::Object(info) = entry {
                    change_tag(info);
                }
            }
        }
        Ok(page)
    }

    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        let fault = self.meet(Operation::Stat, key).await?;
        let mut info = self.inner.stat(key, request).await?;
        if let Some(Fault::ChangeTag) = fault {
            change_tag(&mut info);
        }
        Ok(info)
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        let fault = self.meet(Operation::Read, key).await?;
        if let (Some(Fault::ChangeTag), Some(_)) = (fault, &request.if_match) {
            return Err(injected(ErrorKind::Changed, "read", key));
        }
        let mut object = self.inner.read(key, request).await?;
        match fault {
            Some(Fault::ChangeTag) => change_tag(&mut object.info),
            Some(fault) => object.body = spoil(object.body, object.start, fault, key),
            None => {}
        }
        Ok(object)
    }
}

/// A body with a fault in it. A cut counts from the body's beginning, a flip from the object's.
fn spoil(body: ObjectBody, start: u64, fault: Fault, key: &Key) -> ObjectBody {
    match fault {
        Fault::Truncate(bytes) => cut(body, bytes),
        Fault::StallBody(bytes) => cut(body, bytes).chain(stream::pending()).boxed(),
        Fault::Break(bytes, kind) => {
            let error = injected(kind, "read", key);
            cut(body, bytes).chain(stream::iter([Err(error)])).boxed()
        }
        Fault::FlipBit(byte) => flip(body, start, byte),
        Fault::Fail(_) | Fault::Stall | Fault::ChangeTag => body,
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FaultyStore")
            .field("inner", &self.inner)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}
