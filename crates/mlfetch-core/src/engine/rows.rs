//! The rows of a listing, and what each of them asks for.

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use mlfetch_store::{Entry, Error, ErrorKind, Key, Refused, Walk, WalkLimits, walk};
use tokio::task::{Id, JoinError};

use super::file::{Ended, explained};
use super::transfer::Transfers;
use super::tree::{Fetch, Result};
use super::{FileFailure, Source};
use crate::layout::join;
use crate::{NameRefusal, RelativePath};

/// What comes first: a row of the listing, its end, or the end of a file.
enum Next {
    Row(Option<mlfetch_store::Result<Entry>>),
    Ended(Option<std::result::Result<(Id, Ended), JoinError>>),
}

impl Fetch {
    pub(super) async fn walk(&mut self, source: &Source, transfers: &Arc<Transfers>) -> Result<()> {
        let prefix = transfers.course.prefix.clone();
        let mut rows = walk(Arc::clone(&source.store), prefix, WalkLimits::default());
        let mut found = false;
        while let Some(row) = self.next_row(&mut rows).await? {
            match row {
                Ok(entry) => self.entry(transfers, entry).await?,
                // A store that knows directories says so when one is missing: say it better.
                Err(error) if error.kind() == ErrorKind::NotFound && !source.may_be_empty => {
                    source.explain_nothing().await?;
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            }
            found = true;
        }
        if !found {
            source.explain_nothing().await?;
        }
        Ok(())
    }

    /// The next row of the listing. Files that end meanwhile are seen at once, so that a failure
    /// does not wait for a slow listing.
    async fn next_row(&mut self, rows: &mut Walk) -> Result<Option<mlfetch_store::Result<Entry>>> {
        loop {
            if self.running.is_empty() {
                return Ok(rows.next().await);
            }
            let next = {
                let ended = pin!(self.running.join_next_with_id());
                match select(rows.next(), ended).await {
                    Either::Left((row, _)) => Next::Row(row),
                    Either::Right((ended, _)) => Next::Ended(ended),
                }
            };
            match next {
                Next::Row(row) => return Ok(row),
                Next::Ended(Some(ended)) => self.ended(ended)?,
                Next::Ended(None) => {}
            }
        }
    }

    async fn entry(&mut self, transfers: &Arc<Transfers>, entry: Entry) -> Result<()> {
        let prefix = &transfers.course.prefix;
        let name = |key: &Key| key.strip_prefix(prefix).unwrap_or_default().to_vec();
        match entry {
            Entry::Object(info) => {
                let name = name(&info.key);
                // `dir/` with nothing in it: how object stores write an empty directory.
                if info.size == Some(0) && (name.is_empty() || name.ends_with(b"/")) {
                    return self.make_directory(transfers, &info.key, &name).await;
                }
                if !self.settings.filter.wants_name(&name) {
                    return Ok(());
                }
                if name.is_empty() {
                    return self.refuse_name(&info.key, NameRefusal::TrailingSlash);
                }
                let below = |name: RelativePath| name.below(&transfers.course.place);
                match RelativePath::new(name).and_then(below) {
                    Ok(path) => self.start(transfers, info, path).await,
                    Err(refusal) => self.refuse_name(&info.key, refusal),
                }
            }
            Entry::Directory(key) => {
                let name = name(&key);
                self.make_directory(transfers, &key, &name).await
            }
            Entry::Refused(refused) => {
                self.refused(&name(&refused.key), refused);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An empty directory is kept; with a pattern only directories of wanted files are.
    async fn make_directory(
        &mut self,
        transfers: &Transfers,
        key: &Key,
        name: &[u8],
    ) -> Result<()> {
        // What was asked for itself is made at the end.
        if name.is_empty() || !self.settings.filter.is_all() {
            return Ok(());
        }
        let path = match directory_path(&transfers.course.place, name) {
            Ok(path) => path,
            Err(refusal) => return self.refuse_name(key, refusal),
        };
        self.belongs(&path);
        self.let_others_end(&path).await?;
        if self.settings.dry_run {
            return Ok(());
        }
        self.make_destination().await?;
        let destination = Arc::clone(&self.destination);
        let made = self.hands.step({
            let path = path.clone();
            move || destination.make_directory(&path)
        });
        match made.await {
            Ok(()) => Ok(()),
            Err(error) => {
                let error = explained(transfers, key, error).await;
                self.progress.found(None);
                self.fail(FileFailure::new(&path, error), None)
            }
        }
    }

    /// A name that cannot be a path. It never stops its neighbours, unless it shows that the fetch
    /// reads what it writes.
    pub(super) fn refuse_name(&mut self, key: &Key, refusal: NameRefusal) -> Result<()> {
        let mut segments = key.as_bytes().split(|byte| *byte == b'/');
        if segments.any(|segment| self.destination.is_own_staging(segment)) {
            let at = self.destination.path().as_os_str().as_encoded_bytes();
            return Err(Error::new(ErrorKind::InvalidInput, "fetch to", mlfetch_store::escape(at))
                .with_message("the destination lies inside what is fetched")
                .with_hint("choose a destination outside it")
                .into());
        }
        self.progress.found(None);
        self.fail(FileFailure::name(key, refusal), None)
    }

    /// A row of the listing that cannot be fetched never stops its neighbours.
    fn refused(&mut self, name: &[u8], refused: Refused) {
        let filter = &self.settings.filter;
        // What lies in a directory that cannot be listed may be wanted, whatever its own name.
        let is_wanted =
            if name.ends_with(b"/") { !filter.excludes(name) } else { filter.wants_name(name) };
        if is_wanted {
            self.progress.found(None);
            self.note(FileFailure::new(&refused.key, refused.error), None);
        }
    }
}

/// The path of a directory whose name may end in the one `/` that says so.
fn directory_path(place: &[u8], name: &[u8]) -> std::result::Result<RelativePath, NameRefusal> {
    let name = name.strip_suffix(b"/").unwrap_or(name);
    if name.is_empty() || name.ends_with(b"/") {
        return Err(NameRefusal::EmptySegment);
    }
    RelativePath::new(join(place, name))
}
