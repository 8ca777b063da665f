//! The last indexes that were read, for listings that take them page by page.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use mlfetch_store::{Key, Page, PageToken};

use super::Index;

/// The indexes that are kept: as many as a walk lists at the same time.
const MAX_INDEXES: usize = 16;

/// The rows of all kept indexes together.
const MAX_ROWS: usize = 200_000;

/// The last indexes that were read. A web server gives a directory's index at once: pages are cut
/// from it here, and it is kept while pages are turned, so that it is not fetched for each of them.
#[derive(Debug, Default)]
pub(crate) struct IndexCache {
    kept: Mutex<VecDeque<(Key, Arc<Index>)>>,
}

impl IndexCache {
    /// Cuts the page that begins at `start`, and keeps the index if another page follows.
    pub(crate) fn page(
        &self,
        prefix: &Key,
        index: &Arc<Index>,
        start: usize,
        max_entries: Option<NonZeroUsize>,
    ) -> Page {
        let count = max_entries.map_or(usize::MAX, NonZeroUsize::get);
        let start = start.min(index.rows.len());
        let end = start.saturating_add(count).min(index.rows.len());
        let entries = index.rows[start..end].iter().map(|row| row.to_entry(prefix)).collect();
        if end == index.rows.len() {
            return Page::new(entries, None);
        }
        self.keep(prefix, index);
        Page::new(entries, Some(Position { start: end, fingerprint: index.fingerprint }.token()))
    }

    /// The index that a position belongs to, if it is still there.
    pub(crate) fn find(&self, prefix: &Key, position: Position) -> Option<Arc<Index>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = kept.iter().filter(|(key, _)| key == prefix);
        let (_, index) = found.find(|(_, index)| index.fingerprint == position.fingerprint)?;
        Some(Arc::clone(index))
    }

    fn keep(&self, prefix: &Key, index: &Arc<Index>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().any(|(_, known)| Arc::ptr_eq(known, index)) {
            return;
        }
        kept.retain(|(key, _)| key != prefix);
        kept.push_back((prefix.clone(), Arc::clone(index)));
        let rows = |kept: &VecDeque<(Key, Arc<Index>)>| -> usize {
            kept.iter().map(|(_, index)| index.rows.len()).sum()
        };
        while kept.len() > MAX_INDEXES || rows(&kept) > MAX_ROWS {
            kept.pop_front();
        }
    }
}

/// What a page token holds: where the page begins, and in which index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The first row.
    pub(crate) start: usize,
    /// The index's fingerprint.
    pub(crate) fingerprint: u64,
}

impl Position {
    fn token(self) -> PageToken {
        PageToken::new(format!("{}.{:x}", self.start, self.fingerprint))
    }

    /// Reads a token; `None` if it is not one of ours.
    pub(crate) fn parse(token: &PageToken) -> Option<Self> {
        let (start, fingerprint) = token.as_str().split_once('.')?;
        let fingerprint = u64::from_str_radix(fingerprint, 16).ok()?;
        Some(Self { start: start.parse().ok()?, fingerprint })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Row;
    use super::*;

    fn index(names: &[&str]) -> Arc<Index> {
        let rows = names.iter().map(|name| Row::object((*name).into(), None, None)).collect();
        Arc::new(Index::new(rows))
    }

    #[test]
    fn pages_of_one_end_with_the_last_row() {
        let (cache, prefix, index) = (IndexCache::default(), Key::root(), index(&["a", "b"]));
        let one = NonZeroUsize::new(1);
        let first = cache.page(&prefix, &index, 0, one);
        let position = Position::parse(&first.next.expect("a next page")).expect("our token");
        assert_eq!(position.start, 1);
        let kept = cache.find(&prefix, position).expect("kept");
        let last = cache.page(&prefix, &kept, position.start, one);
        assert_eq!((last.entries.len(), last.next), (1, None));
    }

    #[test]
    fn the_cache_forgets_the_oldest() {
        let cache = IndexCache::default();
        for number in 0..=MAX_INDEXES {
            cache.keep(&Key::from(format!("{number}/")), &index(&["a"]));
        }
        let position = Position { start: 1, fingerprint: index(&["a"]).fingerprint };
        assert!(cache.find(&Key::from("0/"), position).is_none());
        assert!(cache.find(&Key::from("1/"), position).is_some());
    }

    #[test]
    fn a_foreign_token_is_not_read() {
        for token in ["", "1", "x.1", "1.x"] {
            assert_eq!(Position::parse(&PageToken::new(token)), None);
        }
    }
}
