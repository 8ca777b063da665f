//! The handler that counts, and may fall silent.

use std::io;
use std::sync::Arc;

use super::super::fault::Class;
use super::super::proxy::{Exchange, Fate, Handler, Request};
use super::super::site::Site;
use super::super::tree::Tree;

/// Counts the bytes of files that are passed on.
pub(super) struct Meter {
    pub(super) site: Arc<Site>,
    pub(super) tree: Arc<Tree>,
    /// After so many bytes nothing more comes.
    pub(super) silent_after: Option<u64>,
}

impl Handler for Meter {
    fn handle(&self, request: &Request, exchange: &mut Exchange<'_>) -> io::Result<Fate> {
        exchange.counts = self.site.point(request, &self.tree).class == Class::Read;
        exchange.silent_after = self.silent_after;
        exchange.pass()
    }
}
