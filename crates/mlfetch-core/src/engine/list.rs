//! What lies below a place, without fetching it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mlfetch_store::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, ObjectInfo, PageToken, Result, WalkLimits,
    walk,
};

use super::{Engine, Shape, Source};
use crate::resolve::Target;

/// One row of a listing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listed {
    /// The exact path below what was asked for; a file that was asked for has its own name.
    pub path: Key,
    /// What it is.
    pub kind: ListedKind,
}

/// What a row is.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListedKind {
    /// A file.
    File {
        /// Size in bytes, if the store says.
        size: Option<u64>,
        /// When it was last written, if the store says.
        modified: Option<SystemTime>,
    },
    /// A directory; its path ends in `/`.
    Directory,
    /// Something that is there and cannot be fetched, and why.
    Refused(Error),
}

impl Engine {
    /// Lists what a target names: a directory's own rows, or everything below it, as the store
    /// gives them, page by page.
    ///
    /// # Errors
    /// Those of [`open`](Self::open) and of listing; `NotFound` if nothing of that name is there.
    pub async fn list(
        &self,
        target: &Target,
        depth: Depth,
    ) -> Result<BoxStream<'static, Result<Listed>>> {
        let source = self.open(target).await?;
        if let Shape::File(info) = &source.shape {
            let (parent, _) = info.key.split_last();
            return Ok(stream::iter([Ok(row(Entry::Object(info.clone()), &parent))]).boxed());
        }
        let prefix = source.key.to_prefix();
        let entries = match depth {
            Depth::One => one_level(&source, prefix.clone()),
            // One directory at a time, so that the rows come in an order people can read.
            Depth::All => {
                let limits = WalkLimits::default().with_concurrency(1);
                walk(Arc::clone(&source.store), prefix.clone(), limits).boxed()
            }
        };
        let mut entries = entries.peekable();
        if std::pin::Pin::new(&mut entries).peek().await.is_none() {
            source.explain_nothing().await?;
        }
        let below = prefix.clone();
        let markers = move |entry: &Entry| !is_marker_of(entry, &below);
        Ok(entries
            .try_filter(move |entry| std::future::ready(markers(entry)))
            .map_ok(move |entry| row(entry, &prefix))
            .boxed())
    }
}

/// The rows of one directory, all pages. A page token that comes back is an error: the pages would
/// go round for ever.
fn one_level(source: &Source, prefix: Key) -> BoxStream<'static, Result<Entry>> {
    let store = Arc::clone(&source.store);
    let first = Some((None::<PageToken>, HashSet::new()));
    let pages = stream::try_unfold(first, move |here| {
        let store = Arc::clone(&store);
        let prefix = prefix.clone();
        async move {
            let Some((token, mut seen)) = here else { return Ok::<_, Error>(None) };
            let request = ListRequest::new(prefix.clone(), Depth::One).with_token(token);
            let page = store.list_page(request).await?;
            let next = match page.next {
                Some(next) if !seen.insert(next.clone()) => return Err(repeats(&prefix)),
                Some(next) => Some((Some(next), seen)),
                None => None,
            };
            Ok(Some((stream::iter(page.entries.into_iter().map(Ok)), next)))
        }
    });
    pages.try_flatten().boxed()
}

fn repeats(prefix: &Key) -> Error {
    Error::new(ErrorKind::Protocol, "list", prefix.to_string())
        .with_message("the listing repeats a page token")
}

/// The object `dir/` that stands for the directory itself.
fn is_marker_of(entry: &Entry, prefix: &Key) -> bool {
    matches!(entry, Entry::Object(info) if info.key == *prefix)
}

fn row(entry: Entry, prefix: &Key) -> Listed {
    let below = |key: &Key| Key::new(key.strip_prefix(prefix).unwrap_or(key.as_bytes()));
    match entry {
        Entry::Object(ObjectInfo { key, size, modified, .. }) => {
            Listed { path: below(&key), kind: ListedKind::File { size, modified } }
        }
        Entry::Directory(key) => Listed { path: below(&key), kind: ListedKind::Directory },
        Entry::Refused(refused) => {
            Listed { path: below(&refused.key), kind: ListedKind::Refused(refused.error) }
        }
        // The seam may grow rows that this engine does not know.
        _ => Listed { path: Key::root(), kind: ListedKind::Directory },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_of_a_directory_is_not_a_row_of_it() {
        let marker = Entry::Object(ObjectInfo::new(Key::from("a/")));
        assert!(is_marker_of(&marker, &Key::from("a/")));
        assert!(!is_marker_of(&marker, &Key::root()));
    }
}
