//! The handler that counts, and may fall silent.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::fault::Class;
use super::super::proxy::{Exchange, Fate, Handler, Pace, Request};
use super::super::site::Site;
use super::super::tree::Tree;

/// Counts the bytes of files that are passed on.
pub(super) struct Meter {
    site: Arc<Site>,
    tree: Arc<Tree>,
    /// After so many bytes nothing more comes.
    silent_after: AtomicU64,
    pace: Option<Arc<Pace>>,
}

impl Meter {
    pub(super) fn new(
        site: &Arc<Site>,
        tree: &Arc<Tree>,
        silent_after: Option<u64>,
        pace: Option<Pace>,
    ) -> Self {
        let silent_after = AtomicU64::new(silent_after.unwrap_or(u64::MAX));
        let pace = pace.map(Arc::new);
        Self { site: Arc::clone(site), tree: Arc::clone(tree), silent_after, pace }
    }

    /// From now on everything comes.
    pub(super) fn speak_again(&self) {
        self.silent_after.store(u64::MAX, Ordering::Relaxed);
    }
}

impl Handler for Meter {
    fn handle(&self, request: &Request, exchange: &mut Exchange<'_>) -> io::Result<Fate> {
        exchange.counts = self.site.point(request, &self.tree).class == Class::Read;
        exchange.pace = self.pace.clone().filter(|_| exchange.counts);
        exchange.silent_after = self.silent_after.load(Ordering::Relaxed);
        exchange.pass()
    }
}
