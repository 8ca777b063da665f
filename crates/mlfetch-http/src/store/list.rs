//! Listing, from directory indexes.

use std::num::NonZeroUsize;
use std::sync::Arc;

use mlfetch_store::{Depth, Error, ErrorKind, Key, ListRequest, Page, PageToken, Result};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, HeaderValue};

use super::HttpStore;
use crate::HttpResponse;
use crate::folding::{folded, not_apart};
use crate::index::{Index, NoIndex, Position};

/// The longest directory index that is read, in bytes (`docs/concepts/limits.md`).
pub(super) const MAX_INDEX_BYTES: usize = 16 * 1024 * 1024;

impl HttpStore {
    /// One page. Without a limit on its rows it is the whole directory.
    pub(super) async fn list(&self, request: ListRequest) -> Result<Page> {
        let prefix = &request.prefix;
        if request.depth != Depth::One || !prefix.is_prefix() {
            return Err(Error::new(ErrorKind::Unsupported, "list", prefix.to_string())
                .with_message(
                    "a web server lists one directory at a time, whose name ends in `/`",
                ));
        }
        match &request.token {
            None => {
                let index = self.fetch_index(prefix).await?;
                Ok(self.indexes.page(prefix, &index, 0, request.max_entries))
            }
            Some(token) => self.next_page(prefix, token, request.max_entries).await,
        }
    }

    async fn next_page(
        &self,
        prefix: &Key,
        token: &PageToken,
        max_entries: Option<NonZeroUsize>,
    ) -> Result<Page> {
        let position = Position::parse(token).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "list", prefix.to_string())
                .with_message("the page token is not one of this store")
        })?;
        let index = match self.indexes.find(prefix, position) {
            Some(index) => index,
            None => self.fetch_index(prefix).await?,
        };
        if index.fingerprint != position.fingerprint {
            return Err(Error::new(ErrorKind::Changed, "list", prefix.to_string())
                .with_message("the directory changed while its pages were turned")
                .with_hint("list it again from the beginning"));
        }
        Ok(self.indexes.page(prefix, &index, position.start, max_entries))
    }

    async fn fetch_index(&self, prefix: &Key) -> Result<Arc<Index>> {
        let request = self.request(Method::GET, "list", prefix)?;
        // Caddy gives sizes in JSON; the others pass over it.
        let accept = HeaderValue::from_static("text/html, application/json;q=0.9");
        let answer = self.send(request.with_header(ACCEPT, accept)).await;
        let answer = answer.map_err(explain_forbidden)?;
        if answer.headers().contains_key(CONTENT_ENCODING)
            && answer.header(CONTENT_ENCODING) != Some("identity")
        {
            return Err(answer
                .error(ErrorKind::Protocol)
                .with_message("the index is compressed, which was not asked for"));
        }
        let (not_an_index, cut) = (not_an_index(&answer), cut_index(&answer));
        let directory = answer.url().clone();
        let page = answer.bytes(MAX_INDEX_BYTES).await?;
        let index = Index::parse(&page, &directory).map_err(|why| match why {
            NoIndex::Other => not_an_index,
            NoIndex::Cut => cut,
        })?;
        self.check_prefix(prefix).await?;
        Ok(Arc::new(index))
    }

    /// An index has neither entity tag nor time: a prefix with empty segments counts only where the
    /// prefix without them does not exist.
    async fn check_prefix(&self, prefix: &Key) -> Result<()> {
        let Some(folded) = folded(prefix) else { return Ok(()) };
        match self.stat_one("list", &folded, false).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() != ErrorKind::IsDirectory => Err(error),
            _ => Err(not_apart("list", prefix, &folded)),
        }
    }
}

fn not_an_index(answer: &HttpResponse) -> Error {
    answer
        .error(ErrorKind::Unsupported)
        .with_message("the server answers with something that is no directory index")
        .with_hint("ask for files by their full names, or turn on listings at the server")
}

/// Rows may be missing, though HTTP calls the answer whole; the next one may have them all.
fn cut_index(answer: &HttpResponse) -> Error {
    answer.error(ErrorKind::Protocol).with_message("the directory index ends before its end")
}

fn explain_forbidden(error: Error) -> Error {
    if error.kind() != ErrorKind::PermissionDenied {
        return error;
    }
    error.with_hint(
        "servers without directory listings answer this too: ask for files by their full names, \
         or turn on listings at the server",
    )
}
