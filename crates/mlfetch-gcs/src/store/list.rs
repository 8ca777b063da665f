//! Listing.

use std::borrow::Cow;

use mlfetch_http::header::{ACCEPT_ENCODING, HeaderValue};
use mlfetch_store::{Depth, Entry, Error, ErrorKind, Key, ListRequest, Page, PageToken, Result};

use super::GcsStore;
use crate::error::ENDPOINT;
use crate::request::Call;
use crate::wire::{self, ListPage, Resource};

/// The most rows that Cloud Storage gives in a page.
const MAX_ROWS: usize = 1000;

/// The longest page that is read, in bytes (`docs/concepts/limits.md`): a thousand rows whose names
/// have 1024 bytes, each escaped, fit in half of it.
const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

impl GcsStore {
    /// One page. Each row has all that is known of its object.
    pub(super) async fn list(&self, request: &ListRequest) -> Result<Page> {
        // Asked for in any case: an emulator gives everything in one page otherwise.
        let rows = request.max_entries.map_or(MAX_ROWS, |rows| rows.get().min(MAX_ROWS));
        let token = request.token.as_ref().map(PageToken::as_str);
        let prefix = request.prefix.to_str()?;
        let call = Call::of_bucket("list")
            .query("prefix", (!prefix.is_empty()).then_some(Cow::from(prefix)))
            .query("delimiter", (request.depth == Depth::One).then_some(Cow::from("/")))
            .query("maxResults", Cow::from(rows.to_string()))
            .query("pageToken", token.map(Cow::from))
            .query("fields", Cow::from(wire::PAGE_FIELDS));
        let plain = (ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let answer = self.ask(call, [plain]).await?;
        let body = answer.bytes(MAX_PAGE_BYTES).await?;
        let page = wire::list_page(&body).ok_or_else(|| self.no_page())?;
        Ok(page_of(page))
    }

    fn no_page(&self) -> Error {
        Error::new(ErrorKind::Protocol, "list", self.info.root.clone())
            .with_message("the answer is not a listing of Cloud Storage")
            .with_hint(ENDPOINT)
    }
}

fn page_of(page: ListPage) -> Page {
    let next = page.next_page_token.filter(|token| !token.is_empty()).map(PageToken::new);
    let objects = page.items.into_iter().map(Resource::into_info).map(Entry::Object);
    let directories = page.prefixes.into_iter().map(|prefix| Entry::Directory(Key::from(prefix)));
    Page::new(objects.chain(directories).collect(), next)
}
