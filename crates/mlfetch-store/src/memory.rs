//! A store in memory: for examples, tests and plans that need no server.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::{
    Capabilities, Depth, Entry, Error, ErrorKind, Key, ListRequest, Listing, Object, ObjectInfo,
    Page, PageToken, ReadRequest, Result, StatRequest, Store, StoreInfo,
};

/// Objects in memory, with the listing that it is told to have.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    info: StoreInfo,
    objects: Arc<BTreeMap<Key, Bytes>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// Empty, with a flat listing.
    pub fn new() -> Self {
        Self::with_listing(Listing::Flat)
    }

    /// Empty, with this listing.
    pub fn with_listing(listing: Listing) -> Self {
        let info = StoreInfo::new("memory", "memory:", Capabilities::new(listing));
        Self { info, objects: Arc::default() }
    }

    /// With one more object.
    #[must_use]
    pub fn with(mut self, key: Key, bytes: impl Into<Bytes>) -> Self {
        Arc::make_mut(&mut self.objects).insert(key, bytes.into());
        self
    }

    fn find(&self, operation: &'static str, key: &Key) -> Result<(&Bytes, ObjectInfo)> {
        let missing = || Error::new(ErrorKind::NotFound, operation, key.to_string());
        let bytes = self.objects.get(key).ok_or_else(missing)?;
        let info = ObjectInfo::new(key.clone()).with_size(bytes.len() as u64).with_etag(format!(
            "\"{:p}-{}\"",
            bytes.as_ptr(),
            bytes.len()
        ));
        Ok((bytes, info))
    }

    /// The rows below a prefix, each once, directories folded if only one level was asked for.
    fn rows(&self, request: &ListRequest) -> Vec<(Key, bool)> {
        let mut rows: Vec<(Key, bool)> = Vec::new();
        for key in self.objects.keys() {
            let Some(rest) = key.strip_prefix(&request.prefix) else { continue };
            let slash = rest.iter().position(|byte| *byte == b'/');
            let row = match slash {
                Some(at) if request.depth == Depth::One => {
                    (request.prefix.append(&rest[..=at]), true)
                }
                _ => (key.clone(), false),
            };
            if rows.last() != Some(&row) {
                rows.push(row);
            }
        }
        rows
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        let rows = self.rows(&request);
        let start = request.token.as_ref().and_then(|t| t.as_str().parse().ok()).unwrap_or(0);
        let max = request.max_entries.map_or(1000, std::num::NonZeroUsize::get);
        let end = rows.len().min(start + max);
        let next = (end < rows.len()).then(|| PageToken::new(end.to_string()));
        let mut entries = Vec::with_capacity(end - start);
        for (key, is_directory) in &rows[start..end] {
            entries.push(if *is_directory {
                Entry::Directory(key.clone())
            } else {
                Entry::Object(self.find("list", key)?.1)
            });
        }
        Ok(Page::new(entries, next))
    }

    async fn stat(&self, key: &Key, _request: StatRequest) -> Result<ObjectInfo> {
        Ok(self.find("stat", key)?.1)
    }

    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        let (bytes, info) = self.find("read", key)?;
        if request.if_match.is_some() && request.if_match != info.etag {
            return Err(Error::new(ErrorKind::Changed, "read", key.to_string()));
        }
        let whole = 0..bytes.len() as u64;
        let range = request.range.unwrap_or(whole.clone());
        let start = range.start.min(whole.end);
        let end = range.end.clamp(start, whole.end);
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let slice = bytes.slice(index(start)..index(end));
        Ok(Object::new(info, start, stream::iter([Ok(slice)]).boxed()))
    }
}
