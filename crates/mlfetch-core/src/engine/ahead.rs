//! Who brings a part of a fetch, where several processes bring the same to one destination: one goes
//! ahead, the others wait for it, and look then what there is left to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::transfer::Transfers;
use super::{Event, FetchSettings, Observer, Overwrite};
use crate::destination::Ahead;
use crate::manifest::hex;

/// How often it is looked whether the other is done: soon at first, and not so often that twenty who
/// wait keep a processor busy.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const MAX_LOOK: Duration = Duration::from_millis(500);

/// Whether it is this fetch.
pub(super) struct Lead {
    /// Names what is brought.
    work: String,
    is_ours: AtomicBool,
    has_waited: AtomicBool,
    /// How often what is there may have become another, since others may have brought it.
    changes: AtomicUsize,
    /// Held by the file that asks for all others.
    asking: Mutex<()>,
    observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for Lead {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Lead").field("work", &self.work).finish_non_exhaustive()
    }
}

impl Lead {
    /// For the part that these fields name. Nobody is waited for where nothing is written, where all
    /// is written whatever is there, and where the tree is made in a place of this fetch's own.
    pub(super) fn new(
        fields: &[&[u8]],
        settings: &FetchSettings,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let mut digest = Sha256::new();
        for field in fields {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field);
        }
        let FetchSettings { dry_run, atomic, overwrite, .. } = settings;
        let is_alone = *dry_run || *atomic || *overwrite == Overwrite::Always;
        Self {
            work: hex(&digest.finalize()[..16]),
            is_ours: AtomicBool::new(is_alone),
            has_waited: AtomicBool::new(false),
            changes: AtomicUsize::new(0),
            asking: Mutex::default(),
            observer,
        }
    }

    /// Whether another process was waited for.
    pub(super) fn has_waited(&self) -> bool {
        self.has_waited.load(Ordering::Acquire)
    }

    /// How often what is there may have become another.
    pub(super) fn changes(&self) -> usize {
        self.changes.load(Ordering::Acquire)
    }
}

impl Transfers {
    /// Whether this fetch is the one to bring what was seen to be missing after so many changes; if not,
    /// it is to be looked at again. Waits for another process that is ahead.
    pub(super) async fn leads(&self, changes: usize) -> bool {
        let Self { lead, destination, hands, .. } = self;
        if lead.is_ours.load(Ordering::Acquire) {
            return lead.changes() == changes;
        }
        let _asking = lead.asking.lock().await;
        if lead.is_ours.load(Ordering::Acquire) || lead.changes() != changes {
            return lead.changes() == changes;
        }
        let (shared, work) = (Arc::clone(destination), lead.work.clone());
        // Undone only when the fetch is over.
        let asked = hands.give(move || shared.go_ahead(&work)).await;
        if let Some(ahead) = asked.ok().flatten() {
            lead.observer.event(&Event::Waits { process: ahead.process });
            self.wait_for(ahead).await;
            let shared = Arc::clone(destination);
            let _ = hands.give(move || shared.look_for_left()).await;
            lead.has_waited.store(true, Ordering::Release);
        } else {
            // Somebody may have been done in the moment before.
            lead.is_ours.store(true, Ordering::Release);
        }
        destination.forget_looks();
        lead.changes.fetch_add(1, Ordering::Release);
        false
    }

    async fn wait_for(&self, ahead: Ahead) {
        let mut look = FIRST_LOOK;
        loop {
            tokio::time::sleep(look).await;
            look = MAX_LOOK.min(look * 2);
            let (shared, ahead) = (Arc::clone(&self.destination), ahead.clone());
            if !self.hands.give(move || shared.is_ahead(&ahead)).await.unwrap_or(false) {
                return;
            }
        }
    }

    /// Lets others go ahead with the part: it is done.
    pub(super) async fn stand_back(&self) {
        let Self { lead, destination, hands, .. } = self;
        if destination.is_prepared() {
            let (shared, work) = (Arc::clone(destination), lead.work.clone());
            let _ = hands.give(move || shared.stand_back(&work)).await;
        }
    }
}
