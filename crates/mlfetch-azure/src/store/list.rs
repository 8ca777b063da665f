//! Listing.

use std::borrow::Cow;

use mlfetch_store::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, ObjectInfo, Page, PageToken, Result,
};

use super::AzureStore;
use crate::answer::md5;
use crate::request::Call;
use crate::wire::{self, ListPage, ListedBlob};

/// The most rows that are asked for in a page; the service would give more than twice as many.
const MAX_ROWS: usize = 2000;

/// The longest page that is read, in bytes (`docs/concepts/limits.md`): two thousand rows with names
/// and metadata as long as they can be fit in it.
const MAX_PAGE_BYTES: usize = 32 * 1024 * 1024;

/// Divides a page token: the service's marker, then directories that were listed already.
const DIVIDER: char = '\n';

impl AzureStore {
    /// One page. Metadata comes along, because it says which blobs stand for directories.
    pub(super) async fn list(&self, request: &ListRequest) -> Result<Page> {
        let rows = request.max_entries.map_or(MAX_ROWS, |rows| rows.get().min(MAX_ROWS));
        let (marker, known) = request.token.as_ref().map_or((None, Vec::new()), split);
        let one = request.depth == Depth::One;
        let call = Call::of_container("list")
            .query("comp", Some("list".into()))
            .query("include", Some("metadata".into()))
            .query("prefix", Some(request.prefix.to_str()?.into()))
            .query("delimiter", one.then_some("/".into()))
            .query("maxresults", Some(rows.to_string().into()))
            .query("marker", marker.map(Cow::from));
        let answer = self.container.ask(&call).await?;
        let body = answer.bytes(MAX_PAGE_BYTES).await?;
        let page = wire::list_page(&body).ok_or_else(|| self.no_page())?;
        if marker.is_some() && page.next.as_deref() == marker {
            return Err(self.nonsense("the listing repeats its marker"));
        }
        Ok(if one { one_directory(page, &known) } else { all(page) })
    }

    fn no_page(&self) -> Error {
        self.nonsense("the answer is not a listing of Azure's blob service")
            .with_hint("check the endpoint: this may be a login, a proxy or another server")
    }

    fn nonsense(&self, why: &'static str) -> Error {
        Error::new(ErrorKind::Protocol, "list", self.info.root.clone()).with_message(why)
    }
}

/// All depths: a directory can exist without blobs.
fn all(page: ListPage) -> Page {
    let next = page.next.map(PageToken::new);
    Page::new(page.blobs.into_iter().map(entry_of).collect(), next)
}

/// One depth: a directory comes as the blob that stands for it, as the beginning of other names, or
/// as both, and then not always in one page.
fn one_directory(page: ListPage, known: &[&str]) -> Page {
    let mut entries: Vec<Entry> = page.blobs.into_iter().map(entry_of).collect();
    let of_blobs: Vec<Key> = entries.iter().filter_map(directory).cloned().collect();
    for prefix in page.prefixes {
        let prefix = Key::new(prefix);
        let before = prefix.to_str().is_ok_and(|text| known.contains(&text));
        if !before && !of_blobs.contains(&prefix) {
            entries.push(Entry::Directory(prefix));
        }
    }
    let next = page.next.map(|marker| {
        let mut token = marker;
        let texts = of_blobs.iter().filter_map(|key| key.to_str().ok());
        // Names with a line break cannot be kept here: they are listed twice at worst.
        for text in texts.filter(|text| !text.contains(DIVIDER)) {
            token.push(DIVIDER);
            token.push_str(text);
        }
        PageToken::new(token)
    });
    Page::new(entries, next)
}

fn split(token: &PageToken) -> (Option<&str>, Vec<&str>) {
    let mut parts = token.as_str().split(DIVIDER);
    (parts.next(), parts.collect())
}

fn directory(entry: &Entry) -> Option<&Key> {
    match entry {
        Entry::Directory(key) => Some(key),
        _ => None,
    }
}

fn entry_of(blob: ListedBlob) -> Entry {
    let key = Key::new(blob.key);
    if blob.is_directory {
        return Entry::Directory(key.to_prefix());
    }
    let checksums = blob.md5.as_deref().and_then(md5).into_iter().collect();
    let info = ObjectInfo::new(key).with_size(blob.size).with_etag(blob.etag);
    Entry::Object(info.with_modified(blob.modified).with_checksums(checksums))
}
