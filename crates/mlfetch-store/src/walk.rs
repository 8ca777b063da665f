//! Everything below a prefix, whatever listing the store has.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream};
use futures_util::{FutureExt as _, StreamExt as _};

use crate::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, Listing, Page, PageToken, Refused, Result,
    Store,
};

/// How far and how fast a walk goes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WalkLimits {
    /// Directories that are listed at the same time, where the listing is a tree.
    pub concurrency: usize,
    /// The deepest directory that is listed, counted from the prefix.
    pub depth: usize,
    /// Rows to ask for in a page; `None` leaves it to the store.
    pub page_entries: Option<NonZeroUsize>,
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self { concurrency: 16, depth: 256, page_entries: None }
    }
}

impl WalkLimits {
    /// With so many rows in a page.
    #[must_use]
    pub fn with_page_entries(mut self, entries: impl Into<Option<NonZeroUsize>>) -> Self {
        self.page_entries = entries.into();
        self
    }

    /// With so many directories listed at the same time.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }
}

/// Lists everything below `prefix`: objects, directories, and what is there but cannot be fetched,
/// in no promised order and each once. Pages are turned, directories entered, also those of a
/// store with a tree listing.
///
/// A prefix that cannot be listed ends the walk with its error. A directory below it that cannot
/// be listed is an [`Entry::Refused`]: its neighbours still come. A page token that comes back
/// ends the walk instead of going round for ever.
pub fn walk(store: Arc<dyn Store>, prefix: Key, limits: WalkLimits) -> Walk {
    let depth = match store.info().capabilities.listing {
        Listing::Flat => Depth::All,
        Listing::Tree => Depth::One,
    };
    let top = Directory { prefix, level: 0, token: None, seen: HashSet::new() };
    Walk {
        store,
        limits,
        depth,
        waiting: vec![top],
        asked: FuturesUnordered::new(),
        next: None,
        ready: Vec::new().into_iter(),
    }
}

/// The stream of [`walk`].
pub struct Walk {
    store: Arc<dyn Store>,
    limits: WalkLimits,
    depth: Depth,
    /// Last in, first out: the deepest are finished first, so that few wait.
    waiting: Vec<Directory>,
    asked: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// What came while rows of the page before were still to be taken.
    next: Option<Answer>,
    ready: std::vec::IntoIter<Result<Entry>>,
}

/// A page, and the directory that it is of.
type Answer = (Directory, Result<Page>);

/// A directory of which a page is to be asked for.
struct Directory {
    prefix: Key,
    level: usize,
    token: Option<PageToken>,
    /// Tokens that were given for this directory.
    seen: HashSet<PageToken>,
}

impl Walk {
    fn ask(&mut self) {
        // A single directory's pages must come one after the other; directories need not.
        while self.asked.len() < self.limits.concurrency {
            let Some(directory) = self.waiting.pop() else { return };
            let store = Arc::clone(&self.store);
            let request = ListRequest::new(directory.prefix.clone(), self.depth)
                .with_token(directory.token.clone())
                .with_max_entries(self.limits.page_entries);
            let page = async move { (directory, store.list_page(request).await) };
            self.asked.push(page.boxed());
        }
    }

    fn take(&mut self, directory: Directory, page: Result<Page>) {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                self.ready = vec![fail(&directory, error)].into_iter();
                return;
            }
        };
        let mut rows = Vec::with_capacity(page.entries.len());
        for entry in page.entries {
            rows.push(Ok(self.accept(&directory, entry)));
        }
        if let Some(error) = self.turn_page(directory, page.next) {
            rows.push(error);
        }
        self.ready = rows.into_iter();
    }

    /// Queues a directory that was found, and refuses what a listing of this prefix cannot hold.
    fn accept(&mut self, listed: &Directory, entry: Entry) -> Entry {
        let key = match &entry {
            Entry::Object(info) => &info.key,
            Entry::Directory(key) => key,
            Entry::Refused(_) => return entry,
        };
        if key.strip_prefix(&listed.prefix).is_none() {
            let error = protocol(key, "it was listed outside the prefix that was asked for");
            return Entry::Refused(Refused::new(key.clone(), error));
        }
        if let Entry::Directory(key) = &entry
            && self.depth == Depth::One
        {
            let too_deep = listed.level >= self.limits.depth;
            if too_deep || *key == listed.prefix || !key.is_prefix() {
                let why = "it is a directory that leads nowhere, or too deep";
                return Entry::Refused(Refused::new(key.clone(), protocol(key, why)));
            }
            self.waiting.push(Directory {
                prefix: key.clone(),
                level: listed.level + 1,
                token: None,
                seen: HashSet::new(),
            });
        }
        entry
    }

    fn turn_page(
        &mut self,
        mut directory: Directory,
        next: Option<PageToken>,
    ) -> Option<Result<Entry>> {
        let next = next?;
        if !directory.seen.insert(next.clone()) {
            let error = protocol(&directory.prefix, "the listing repeats a page token");
            return Some(fail(&directory, error));
        }
        directory.token = Some(next);
        self.waiting.push(directory);
        None
    }
}

/// The prefix itself failing is the walk's failure; a directory below it is one row.
fn fail(directory: &Directory, error: Error) -> Result<Entry> {
    if directory.level == 0 {
        return Err(error);
    }
    Ok(Entry::Refused(Refused::new(directory.prefix.clone(), error)))
}

fn protocol(key: &Key, why: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, "list", key.to_string()).with_message(why)
}

impl Stream for Walk {
    type Item = Result<Entry>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            // One page ahead: whoever takes rows does not wait for the next page as well.
            if this.next.is_none() {
                this.ask();
                if let Poll::Ready(answer) = this.asked.poll_next_unpin(context) {
                    this.next = answer;
                }
            }
            if let Some(row) = this.ready.next() {
                return Poll::Ready(Some(row));
            }
            match this.next.take() {
                Some((directory, page)) => this.take(directory, page),
                None if this.asked.is_empty() => return Poll::Ready(None),
                None => return Poll::Pending,
            }
        }
    }
}

impl std::fmt::Debug for Walk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Walk").field("store", &self.store).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::{MemoryStore, Object, ObjectInfo, ReadRequest, StatRequest, StoreInfo};

    const KEYS: [&str; 7] = ["a/b/c", "a/b/d", "a/e", "f", "g//h", "g/i", "/j"];

    async fn objects(store: impl Store, prefix: &str, page: usize) -> Vec<String> {
        let limits = WalkLimits::default().with_page_entries(NonZeroUsize::new(page));
        let mut walk = walk(Arc::new(store), Key::from(prefix), limits);
        let mut keys = Vec::new();
        while let Some(entry) = walk.next().await {
            if let Entry::Object(info) = entry.expect("no error") {
                keys.push(info.key.to_string());
            }
        }
        keys.sort();
        keys
    }

    #[tokio::test]
    async fn walk_finds_every_key_whatever_the_listing_shape() {
        for listing in [Listing::Flat, Listing::Tree] {
            for page in [1, 2, 1000] {
                let mut store = MemoryStore::with_listing(listing);
                for key in KEYS {
                    store = store.with(Key::from(key), "x");
                }
                let mut all = KEYS.map(String::from).to_vec();
                all.sort();
                assert_eq!(objects(store.clone(), "", page).await, all, "{listing:?} {page}");
                assert_eq!(objects(store, "a/", page).await, ["a/b/c", "a/b/d", "a/e"]);
            }
        }
    }

    /// Answers every listing with what it is told to.
    #[derive(Debug)]
    struct Scripted(StoreInfo, fn(&ListRequest) -> Page);

    #[async_trait]
    impl Store for Scripted {
        fn info(&self) -> &StoreInfo {
            &self.0
        }
        async fn list_page(&self, request: ListRequest) -> Result<Page> {
            Ok((self.1)(&request))
        }
        async fn stat(&self, key: &Key, _: StatRequest) -> Result<ObjectInfo> {
            Ok(ObjectInfo::new(key.clone()))
        }
        async fn read(&self, key: &Key, _: ReadRequest) -> Result<Object> {
            Err(Error::new(ErrorKind::Unsupported, "read", key.to_string()))
        }
    }

    fn scripted(listing: Listing, answer: fn(&ListRequest) -> Page) -> Arc<dyn Store> {
        let capabilities = crate::Capabilities::new(listing);
        Arc::new(Scripted(StoreInfo::new("scripted", "x", capabilities), answer))
    }

    #[tokio::test]
    async fn a_token_that_comes_back_ends_the_walk() {
        let store = scripted(Listing::Flat, |_| Page::new(vec![], Some(PageToken::new("again"))));
        let mut walk = walk(store, Key::root(), WalkLimits::default());
        let error = walk.next().await.expect("a row").expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(walk.next().await.is_none());
    }

    #[tokio::test]
    async fn the_next_page_is_asked_for_before_the_rows_are_taken() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let store = scripted(Listing::Flat, |request| {
            let asked = ASKED.fetch_add(1, Ordering::Relaxed);
            let rows = ["a", "b", "c"].map(|name| {
                Entry::Object(ObjectInfo::new(request.prefix.append(format!("{asked}{name}"))))
            });
            let next = (asked < 2).then(|| PageToken::new(asked.to_string()));
            Page::new(rows.into(), next)
        });
        let mut walk = walk(store, Key::root(), WalkLimits::default());
        let mut asked = Vec::new();
        while walk.next().await.is_some() {
            asked.push(ASKED.load(Ordering::Relaxed));
        }
        assert_eq!(asked, [2, 2, 2, 3, 3, 3, 3, 3, 3], "one page ahead, and no further");
    }

    #[tokio::test]
    async fn a_tree_without_an_end_is_left_at_the_limit() {
        let store = scripted(Listing::Tree, |request| {
            Page::new(vec![Entry::Directory(request.prefix.append("d/"))], None)
        });
        let rows: Vec<_> = walk(store, Key::root(), WalkLimits::default()).collect().await;
        assert_eq!(rows.len(), 257);
        assert!(matches!(rows.last(), Some(Ok(Entry::Refused(_)))));
    }

    #[tokio::test]
    async fn a_row_outside_the_prefix_is_refused_and_not_entered() {
        let store = scripted(Listing::Tree, |_| {
            Page::new(vec![Entry::Directory(Key::from("elsewhere/"))], None)
        });
        let rows: Vec<_> = walk(store, Key::from("a/"), WalkLimits::default()).collect().await;
        assert_eq!(rows.len(), 1);
        assert!(
            matches!(&rows[0], Ok(Entry::Refused(refused)) if refused.key == Key::from("elsewhere/"))
        );
    }
}
