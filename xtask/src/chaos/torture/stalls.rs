//! Servers that fall silent once for each file, and one that is slow and never silent.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;

use super::super::fault::Class;
use super::super::fetch::{Ended, Running};
use super::super::proxy::{Exchange, Fate, Handler, Proxy, Request, lock};
use super::super::site::{Backend, Site};
use super::super::tree::Tree;
use super::{Lab, Report, whole};
use crate::interrupt;

/// No run may take longer.
const LIMIT: Duration = Duration::from_mins(3);

/// As slow as a stream may be and is never cut.
const PIECE_BYTES: usize = 1000;
const PIECE_EVERY: Duration = Duration::from_millis(100);

/// Lets servers stall, and one drip.
pub(super) fn run(lab: &Lab) -> Result<Report> {
    let (files, fetches) = if lab.is_full { (250, 4) } else { (50, 2) };
    // The limit below which silence is none; at its usual value the slow stream lasts longer.
    let (slow_bytes, patience) = if lab.is_full { (400_000, 30) } else { (40_000, 1) };
    let backends = [Backend::S3, Backend::HttpJson];
    let mut findings = Vec::new();
    let mut stalls = 0;
    for fetch in 0..fetches {
        interrupt::check()?;
        let tree = Arc::new(Tree::new(&format!("torture-stalls-{fetch}"), &vec![9000; files]));
        let site = lab.server(backends[fetch % backends.len()])?;
        site.seed(&tree)?;
        let stalling = Arc::new(Stalling::new(site, &tree));
        let flags = ["--timeout=1", "--jobs=64"];
        let (ended, problems) = through(lab, site, &tree, Arc::clone(&stalling) as _, &flags)?;
        let count = stalling.seen().len();
        if count != files {
            findings.push(format!("{count} stalls instead of {files}"));
        }
        stalls += count;
        lab.tell(&format!("{count} stalls in {:.1} s", ended.time.as_secs_f64()));
        findings.extend(problems);
    }
    let tree = Arc::new(Tree::new("torture-slow", &[slow_bytes]));
    for backend in backends {
        let site = lab.server(backend)?;
        site.seed(&tree)?;
        let slow = Arc::new(Slow::new(site, &tree));
        let flag = format!("--timeout={patience}");
        let (ended, problems) = through(lab, site, &tree, Arc::clone(&slow) as _, &[&flag])?;
        findings.extend(problems);
        let reads = slow.reads.load(Ordering::Relaxed);
        if reads != 1 {
            findings.push(format!("{}: a slow body was asked for {reads} times", backend.name()));
        }
        if ended.time < Duration::from_secs(patience) {
            findings.push(format!("{}: it was not slow", backend.name()));
        }
    }
    let (seconds, kilobytes) = (slow_bytes / 10_000, slow_bytes / 1000);
    Ok(Report {
        what: "stalls".to_owned(),
        done: format!(
            "{stalls} stalls; {kilobytes} kB at 10 kB/s for {seconds} s, a stall being {patience} s"
        ),
        findings,
        table: None,
    })
}

/// Fetches a tree through a proxy; what was wrong.
fn through(
    lab: &Lab,
    site: &Site,
    tree: &Tree,
    handler: Arc<dyn Handler>,
    flags: &[&str],
) -> Result<(Ended, Vec<String>)> {
    let desk = lab.desk()?;
    let place = desk.path().join("tree");
    let proxy = Proxy::start(site.address, handler)?;
    let mut command = site.fetch(&lab.program, proxy.address(), &tree.name, &place);
    let ended = Running::start(command.args(flags), desk.path())?.wait(LIMIT)?;
    drop(proxy);
    let problems = whole(tree, &ended, &place)?;
    let name = site.backend.name();
    Ok((ended, problems.into_iter().map(|problem| format!("{name}: {problem}")).collect()))
}

/// Falls silent the first time that each file is asked for: before the answer, or within it.
struct Stalling {
    site: Arc<Site>,
    tree: Arc<Tree>,
    seen: Mutex<BTreeSet<String>>,
}

impl Stalling {
    fn new(site: &Arc<Site>, tree: &Arc<Tree>) -> Self {
        Self { site: Arc::clone(site), tree: Arc::clone(tree), seen: Mutex::default() }
    }

    fn seen(&self) -> BTreeSet<String> {
        lock(&self.seen).clone()
    }
}

impl Handler for Stalling {
    fn handle(&self, request: &Request, exchange: &mut Exchange<'_>) -> io::Result<Fate> {
        let point = self.site.point(request, &self.tree);
        if point.class != Class::Read {
            return exchange.pass();
        }
        let count = {
            let mut seen = lock(&self.seen);
            seen.insert(point.subject).then_some(seen.len())
        };
        let Some(count) = count else { return exchange.pass() };
        if count % 2 == 0 {
            let answer = exchange.ask()?;
            exchange.begin(&answer)?;
            // Another place in each.
            let place = answer.body.len() * (count % 16) / 16;
            exchange.piece(&answer, &answer.body[..place])?;
        }
        exchange.fall_silent()
    }
}

/// Sends a file's bytes slowly.
struct Slow {
    site: Arc<Site>,
    tree: Arc<Tree>,
    reads: AtomicU64,
}

impl Slow {
    fn new(site: &Arc<Site>, tree: &Arc<Tree>) -> Self {
        Self { site: Arc::clone(site), tree: Arc::clone(tree), reads: AtomicU64::new(0) }
    }
}

impl Handler for Slow {
    fn handle(&self, request: &Request, exchange: &mut Exchange<'_>) -> io::Result<Fate> {
        if self.site.point(request, &self.tree).class != Class::Read {
            return exchange.pass();
        }
        self.reads.fetch_add(1, Ordering::Relaxed);
        let answer = exchange.ask()?;
        exchange.begin(&answer)?;
        for piece in answer.body.chunks(PIECE_BYTES) {
            exchange.pause(PIECE_EVERY);
            exchange.piece(&answer, piece)?;
        }
        exchange.end(&answer)
    }
}
