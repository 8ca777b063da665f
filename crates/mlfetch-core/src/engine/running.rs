//! The files that are on their way.

use std::sync::Arc;

use mlfetch_store::ObjectInfo;
use tokio::task::{Id, JoinError};
use tokio::time::Instant;

use super::crowd::Begun;
use super::file::{Ended, one_file, planned_at_once};
use super::transfer::{Committed, Transfers};
use super::tree::{Fetch, Result};
use super::{Event, FetchError, FileFailure};
use crate::RelativePath;

/// A file that is on its way.
pub(super) struct Started {
    pub(super) path: RelativePath,
    pub(super) size: Option<u64>,
    begun: Begun,
}

impl Fetch {
    /// Starts one file, once a place is free.
    pub(super) async fn start(
        &mut self,
        transfers: &Arc<Transfers>,
        info: ObjectInfo,
        path: RelativePath,
    ) -> Result<()> {
        self.belongs(&path);
        if let Some(ended) = planned_at_once(transfers, &path) {
            self.progress.found(info.size);
            return self.became(&path, info.size, ended);
        }
        self.let_others_end(&path).await?;
        self.progress.found(info.size);
        self.crowd.comes(self.running.len());
        self.drain(self.crowd.limit() - 1).await?;
        if !self.settings.dry_run {
            self.make_destination().await?;
        }
        let begun = self.crowd.begins(Instant::now());
        let started = Started { path: path.clone(), size: info.size, begun };
        self.underway.insert(&path);
        let progress = Arc::clone(&self.progress);
        let file = one_file(Arc::clone(transfers), info, path, progress);
        self.started.insert(self.running.spawn(file).id(), started);
        Ok(())
    }

    /// Waits until what is on its way and would be in the way of this path has ended. Then what is
    /// there decides, and the file whose name came first has it. In a dry run nobody is in the way.
    pub(super) async fn let_others_end(&mut self, path: &RelativePath) -> Result<()> {
        if !self.settings.dry_run && self.underway.meets(path) {
            self.drain(0).await?;
        }
        Ok(())
    }

    /// Waits until at most `left` files are on their way.
    pub(super) async fn drain(&mut self, left: usize) -> Result<()> {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.ended(ended)?;
        }
        while self.running.len() > left {
            if let Some(ended) = self.running.join_next_with_id().await {
                self.ended(ended)?;
            }
        }
        Ok(())
    }

    pub(super) fn ended(
        &mut self,
        ended: std::result::Result<(Id, Ended), JoinError>,
    ) -> Result<()> {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(cause) => (cause.id(), Err(cause)),
        };
        let Some(Started { path, size, begun }) = self.started.remove(&id) else { return Ok(()) };
        self.underway.remove(&path);
        self.crowd.ended(begun, Instant::now());
        match ended {
            Ok(ended) => self.became(&path, size, ended),
            Err(cause) => self.fail(FileFailure::panicked(&path, cause), size),
        }
    }

    fn became(&mut self, path: &RelativePath, size: Option<u64>, ended: Ended) -> Result<()> {
        match ended {
            Ended::Committed(committed) => self.committed(path, committed),
            Ended::Skipped(reason, row) => {
                self.progress.lost(size);
                self.report.note_row(path, row);
                self.observer.event(&Event::Skipped { path, reason });
                self.report.unchanged += 1;
            }
            Ended::Planned => {
                self.progress.done();
                self.observer.event(&Event::Planned { path, size });
                self.report.planned += 1;
                self.report.planned_bytes += size.unwrap_or_default();
            }
            Ended::Hopeless(error) => return Err(error.into()),
            Ended::Failed(error) => return self.fail(FileFailure::new(path, error), size),
        }
        Ok(())
    }

    fn committed(&mut self, path: &RelativePath, committed: Committed) {
        let Committed { size, kept, proof, row } = committed;
        self.report.note_row(path, row);
        self.progress.done();
        self.observer.event(&Event::Committed { path, size, proof: &proof });
        self.report.files += 1;
        self.report.bytes += size;
        self.report.resumed_bytes += kept;
        *self.report.proofs.entry(proof).or_default() += 1;
    }

    /// Notes a failure; stops the rest unless it concerns one name only or all are to be tried.
    pub(super) fn fail(&mut self, failure: FileFailure, size: Option<u64>) -> Result<()> {
        if self.settings.keep_going || failure.error.is_about_the_name() {
            self.note(failure, size);
            return Ok(());
        }
        self.progress.lost(size);
        self.observer.event(&Event::Failed(&failure));
        Err(FetchError::File(Box::new(failure)))
    }

    pub(super) fn note(&mut self, failure: FileFailure, size: Option<u64>) {
        self.progress.lost(size);
        self.observer.event(&Event::Failed(&failure));
        self.report.failures.push(failure);
    }
}
