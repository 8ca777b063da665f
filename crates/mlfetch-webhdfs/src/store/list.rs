//! Listing, one directory at a time.

use std::sync::atomic::Ordering;

use mlfetch_store::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, Page, PageToken, Refused, Result,
};

use super::{WebHdfsStore, info_of};
use crate::error::Refusal;
use crate::request::{Call, Operation};
use crate::wire::{self, FileStatus, Kind, Listing};

/// The longest page that is read, in bytes (`docs/concepts/limits.md`). A server without pages gives
/// a whole directory.
const MAX_PAGE_BYTES: usize = 64 * 1024 * 1024;

impl WebHdfsStore {
    /// One page. The server decides how many rows it gives; of more than are wanted the first are
    /// taken, and the next page begins behind them.
    pub(super) async fn list(&self, request: ListRequest) -> Result<Page> {
        let prefix = &request.prefix;
        if request.depth != Depth::One || !prefix.is_prefix() {
            return Err(Error::new(ErrorKind::Unsupported, "list", prefix.to_string())
                .with_message("HDFS lists one directory at a time, whose name ends in `/`"));
        }
        let after = request.token.as_ref().map(PageToken::as_str);
        let Listing { mut rows, mut has_more } = self.rows(prefix, after).await?;
        if let [only] = rows.as_slice()
            && only.path_suffix.is_empty()
        {
            return Err(Error::new(ErrorKind::NotFound, "list", prefix.to_string())
                .with_message("it is a file, not a directory"));
        }
        if let Some(wanted) = request.max_entries.filter(|wanted| wanted.get() < rows.len()) {
            rows.truncate(wanted.get());
            has_more = true;
        }
        let next = rows.last().filter(|_| has_more).map(|row| PageToken::new(&row.path_suffix));
        if has_more && next.is_none() {
            return Err(nonsense(prefix, "there is more, and the server does not say where"));
        }
        let entries = rows.into_iter().map(|row| entry(prefix, row)).collect();
        Ok(Page::new(entries, next))
    }

    async fn rows(&self, prefix: &Key, after: Option<&str>) -> Result<Listing> {
        if !self.lists_whole.load(Ordering::Relaxed) {
            match self.batch(prefix, after).await {
                Err(refusal) if refusal.is_unknown_operation() => {
                    self.lists_whole.store(true, Ordering::Relaxed);
                }
                answer => return answer.map_err(|refusal| refusal.error),
            }
        }
        self.whole(prefix, after).await.map_err(|refusal| refusal.error)
    }

    async fn batch(&self, prefix: &Key, after: Option<&str>) -> Result<Listing, Refusal> {
        let mut call = Call::new(Operation::ListBatch, "list", prefix)?;
        if let Some(after) = after {
            call = call.with("startAfter", after);
        }
        let body = self.session.ask(&call, MAX_PAGE_BYTES).await?;
        let listing = wire::listing(&body).ok_or_else(|| nonsense(prefix, NO_LISTING))?;
        // HttpFS passes over `startAfter`, and gives the whole directory every time.
        Ok(behind(listing, after))
    }

    /// All of a directory, from servers that know no pages (before Hadoop 2.9), behind a name.
    async fn whole(&self, prefix: &Key, after: Option<&str>) -> Result<Listing, Refusal> {
        let call = Call::new(Operation::List, "list", prefix)?;
        let body = self.session.ask(&call, MAX_PAGE_BYTES).await?;
        let listing = wire::whole_listing(&body).ok_or_else(|| nonsense(prefix, NO_LISTING))?;
        Ok(behind(listing, after))
    }
}

/// The rows behind a name, in the order in which HDFS has them: that of their bytes.
fn behind(mut listing: Listing, after: Option<&str>) -> Listing {
    listing.rows.sort_by(|one, other| one.path_suffix.cmp(&other.path_suffix));
    listing.rows.retain(|row| after.is_none_or(|after| row.path_suffix.as_str() > after));
    listing
}

const NO_LISTING: &str = "the answer is not a listing of HDFS";

fn nonsense(prefix: &Key, why: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, "list", prefix.to_string()).with_message(why)
}

pub(crate) fn entry(prefix: &Key, row: FileStatus) -> Entry {
    let name = row.path_suffix.as_str();
    let key = prefix.append(name);
    let refused = |kind, why: String| {
        let error = Error::new(kind, "read", key.to_string()).with_message(why);
        Entry::Refused(Refused::new(key.clone(), error))
    };
    if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
        return refused(
            ErrorKind::Protocol,
            "the server lists a name that HDFS cannot hold".into(),
        );
    }
    match row.kind {
        Kind::File => Entry::Object(info_of(key, &row)),
        Kind::Directory => Entry::Directory(key.append("/")),
        Kind::Symlink => {
            let target = mlfetch_store::escape(row.symlink.unwrap_or_default().as_bytes());
            refused(ErrorKind::Unsupported, format!("it is a symbolic link to `{target}`"))
        }
        Kind::Other => refused(ErrorKind::Unsupported, "it is neither file nor directory".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, kind: &str) -> FileStatus {
        serde_json::from_str(&format!(
            r#"{{"pathSuffix":"{name}","type":"{kind}","length":3,"modificationTime":1,
                "fileId":7,"symlink":"/elsewhere"}}"#
        ))
        .expect("a row")
    }

    #[test]
    fn a_row_is_an_object_a_directory_or_refused() {
        let prefix = Key::from("a/");
        let Entry::Object(info) = entry(&prefix, row("x", "FILE")) else { panic!("an object") };
        assert_eq!((info.key, info.size), (Key::from("a/x"), Some(3)));
        assert_eq!(info.etag.as_deref(), Some("\"7-1-3\""));
        let Entry::Directory(key) = entry(&prefix, row("d", "DIRECTORY")) else { panic!("one") };
        assert_eq!(key, Key::from("a/d/"));
        for (name, kind) in [("l", "SYMLINK"), ("s", "SOCKET"), ("..", "FILE"), ("b/c", "FILE")] {
            assert!(matches!(entry(&prefix, row(name, kind)), Entry::Refused(_)), "{name}");
        }
    }

    #[test]
    fn a_link_says_where_it_leads() {
        let Entry::Refused(link) = entry(&Key::root(), row("l", "SYMLINK")) else { panic!("one") };
        assert!(link.error.to_string().contains("`/elsewhere`"), "{}", link.error);
    }
}
