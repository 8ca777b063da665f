//! The handler that lets a plan happen.

use std::io;
use std::sync::{Arc, Mutex};

use anyhow::Result;

use super::plan::{Plan, Step};
use super::trap::Trap;
use super::{Kind, Point, act};
use crate::chaos::proxy::{Answer, Exchange, Fate, Handler, Request, lock};
use crate::chaos::site::Site;
use crate::chaos::tree::Tree;

/// Lets the faults of a plan happen, and passes everything else on.
pub(crate) struct Injector {
    pub(super) site: Arc<Site>,
    pub(super) tree: Arc<Tree>,
    /// What a replaced file has afterwards.
    pub(super) successor: Option<Tree>,
    pub(super) trap: Option<Trap>,
    /// A page that comes again and again.
    pub(super) page: Mutex<Option<Answer>>,
    state: Mutex<State>,
}

struct State {
    steps: Vec<Step>,
    current: usize,
    done: u32,
    /// Faults that could not be done: a fault of ours.
    errors: Vec<String>,
}

impl Injector {
    pub(crate) fn new(site: &Arc<Site>, tree: &Arc<Tree>, plan: &Plan) -> Result<Self> {
        let leads_away = plan.steps.iter().any(|step| step.kind == Kind::Redirect);
        let trap = leads_away.then(|| Trap::set(site, tree)).transpose()?;
        let steps = plan.steps.clone();
        let state = State { steps, current: 0, done: 0, errors: Vec::new() };
        Ok(Self {
            site: Arc::clone(site),
            tree: Arc::clone(tree),
            successor: None,
            trap,
            page: Mutex::default(),
            state: Mutex::new(state),
        })
    }

    /// With the tree that a replaced file is taken from.
    pub(crate) fn with_successor(mut self, tree: Tree) -> Self {
        self.successor = Some(tree);
        self
    }

    /// How often the last of the faults happened.
    pub(crate) fn done(&self) -> u32 {
        lock(&self.state).done
    }

    pub(crate) fn errors(&self) -> Vec<String> {
        lock(&self.state).errors.clone()
    }

    pub(crate) fn trap(&self) -> Option<&Trap> {
        self.trap.as_ref()
    }

    /// The fault that this request meets.
    fn next(&self, point: &Point) -> Option<Step> {
        let mut state = lock(&self.state);
        let current = state.current;
        let is_last = current + 1 == state.steps.len();
        let step = state.steps.get_mut(current)?;
        if step.times == 0 || !step.means(point) {
            return None;
        }
        let step_now = step.clone();
        if step.times != u32::MAX {
            step.times -= 1;
        }
        if is_last {
            state.done += 1;
        } else if step.times == 0 {
            state.current += 1;
        }
        Some(step_now)
    }
}

impl Handler for Injector {
    fn handle(&self, request: &Request, exchange: &mut Exchange<'_>) -> io::Result<Fate> {
        let point = self.site.point(request, &self.tree);
        let Some(step) = self.next(&point) else { return exchange.pass() };
        let done = act::perform(self, &step, &point, request, exchange);
        if let Err(error) = &done
            && error.kind() == io::ErrorKind::Other
        {
            lock(&self.state).errors.push(error.to_string());
        }
        done
    }
}
