//! What a fetch asks for when nothing goes wrong.

use std::io;
use std::sync::{Arc, Mutex};

use super::{Point, Seen};
use crate::chaos::proxy::{Exchange, Fate, Handler, Request, lock};
use crate::chaos::site::Site;
use crate::chaos::tree::Tree;

/// Passes everything on and writes down what it was.
pub(crate) struct Recorder {
    site: Arc<Site>,
    tree: Arc<Tree>,
    seen: Mutex<Seen>,
}

impl Recorder {
    pub(crate) fn new(site: &Arc<Site>, tree: &Arc<Tree>) -> Self {
        Self { site: Arc::clone(site), tree: Arc::clone(tree), seen: Mutex::default() }
    }

    /// Each request by what it asked for, with the length of the answer's body.
    pub(crate) fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }

    fn note(&self, point: Point, bytes: u64) {
        lock(&self.seen).insert(point, bytes);
    }
}

impl Handler for Recorder {
    fn handle(&self, request: &Request, exchange: &mut Exchange<'_>) -> io::Result<Fate> {
        let answer = exchange.ask()?;
        self.note(self.site.point(request, &self.tree), answer.body.len() as u64);
        exchange.send(&answer)
    }
}
