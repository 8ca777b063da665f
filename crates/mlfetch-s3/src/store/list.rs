//! Listing.

use std::borrow::Cow;

use mlfetch_store::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, ObjectInfo, Page, PageToken, Result,
};

use super::S3Store;
use crate::request::Call;
use crate::wire::{self, ListPage, ListedObject};

/// The most rows that S3 gives in a page.
const MAX_ROWS: usize = 1000;

/// The longest page that is read, in bytes (`docs/concepts/limits.md`): a thousand rows whose keys
/// have 1024 escaped bytes fit in a quarter of it.
const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

impl S3Store {
    /// One page. Names come escaped, because XML cannot hold every character that a key can.
    pub(super) async fn list(&self, request: &ListRequest) -> Result<Page> {
        let rows = request.max_entries.map(|rows| rows.get().min(MAX_ROWS).to_string());
        let token = request.token.as_ref().map(PageToken::as_str);
        let call = self
            .bucket
            .call(Call::of_bucket("list"))?
            .query("list-type", Cow::from("2"))
            .query("encoding-type", Cow::from("url"))
            .query("prefix", Cow::from(request.prefix.to_str()?))
            .query("delimiter", (request.depth == Depth::One).then_some(Cow::from("/")))
            .query("max-keys", rows.map(Cow::from))
            .query("continuation-token", token.map(Cow::from));
        let answer = self.bucket.ask(&call).await?;
        let body = answer.bytes(MAX_PAGE_BYTES, &self.info.root).await?;
        let page = wire::list_page(&body).ok_or_else(|| self.no_page(&body))?;
        self.page_of(page)
    }

    fn page_of(&self, page: ListPage) -> Result<Page> {
        let next = match (page.truncated, page.next) {
            (false, _) => None,
            (true, Some(token)) => Some(PageToken::new(token)),
            // To take it for the end would be to lose objects without a word.
            (true, None) => {
                return Err(self.nonsense("there is more, and the server does not say where"));
            }
        };
        let objects = page.objects.into_iter().map(|object| Entry::Object(info_of(object)));
        let directories = page.prefixes.into_iter().map(|key| Entry::Directory(Key::new(key)));
        Ok(Page::new(objects.chain(directories).collect(), next))
    }

    fn no_page(&self, body: &[u8]) -> Error {
        if let Some(error) = wire::error_body(body) {
            let words = mlfetch_store::SafeText::new(error.message.as_bytes(), []);
            return self
                .nonsense("the server answered 200 with an error")
                .with_hint(words.to_string());
        }
        self.nonsense("the answer is not a listing of S3")
            .with_hint("check `endpoint-url`: this may be a console, a login or a proxy")
    }

    fn nonsense(&self, why: &'static str) -> Error {
        Error::new(ErrorKind::Protocol, "list", self.info.root.clone()).with_message(why)
    }
}

fn info_of(object: ListedObject) -> ObjectInfo {
    ObjectInfo::new(Key::new(object.key))
        .with_size(object.size)
        .with_etag(object.etag)
        .with_modified(object.modified)
}
