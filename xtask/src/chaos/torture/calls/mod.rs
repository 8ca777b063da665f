//! Each system call fails once.

mod kinds;
mod round;
mod scene;
mod tracer;

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use super::super::harness;
use super::super::proxy::lock;
use super::{Lab, Report};
use crate::report;
use crate::table::Table;
use kinds::Kind;
use round::{Outcome, Round};
use scene::Scene;

/// Rounds of one kind of call in one scene: every call in each way it can fail, or fewer, spread over
/// all of them.
const FEW: u64 = 5;
const MANY: u64 = 200;

/// Rounds at the same time.
const JOBS: u16 = 2;

/// Lets each call of a fetch fail in turn. With the name of a round, that alone.
pub(super) fn run(lab: &Lab, only: Option<&str>) -> Result<Report> {
    let scenes = Scene::all(lab)?;
    let mut rounds = Vec::new();
    let mut counts = BTreeMap::new();
    for (index, scene) in scenes.iter().enumerate() {
        let counted = scene.count(lab).with_context(|| format!("the scene {}", scene.name()))?;
        for (kind, count) in counted {
            let mut some = match only {
                Some(_) => Round::all(index, kind, count),
                None => Round::some(index, kind, count, if lab.is_full { MANY } else { FEW }),
            };
            some.retain(|round| only.is_none_or(|name| round.name(scene) == name));
            rounds.extend(some);
            counts.insert((kind, index), Cell { calls: count, ..Cell::default() });
        }
    }
    if rounds.is_empty() {
        bail!("there is no such round; they are called as in `disk/write/ENOSPC/3`");
    }
    let cells = Mutex::new(counts);
    let findings = Mutex::new(Vec::new());
    harness::for_each(&rounds, JOBS, |_, round| {
        let Some(scene) = scenes.get(round.scene) else { return Ok(()) };
        let name = round.name(scene);
        let outcome = scene.run(lab, round).with_context(|| format!("{name}: it was not run"))?;
        let about = outcome.about.as_deref().unwrap_or("no such call");
        lab.tell(&format!("{name} on `{about}`: {}", outcome.said.trim_end()));
        for problem in &outcome.problems {
            let finding = format!(
                "{name} on `{about}`: {problem}\n  again: cargo xtask torture calls --round {name}"
            );
            report::say(&format!("FINDING: {finding}"));
            lock(&findings).push(finding);
        }
        lock(&cells).entry((round.kind, round.scene)).or_default().add(&outcome);
        Ok(())
    })?;
    let cells = cells.into_inner().unwrap_or_default();
    let findings = findings.into_inner().unwrap_or_default();
    let whole: u64 = cells.values().map(|cell| cell.whole).sum();
    let refused: u64 = cells.values().map(|cell| cell.refused).sum();
    Ok(Report {
        what: "one system call fails".to_owned(),
        done: format!("{whole} runs whole all the same, {refused} with an error"),
        findings,
        table: Some(table(&scenes, &cells)),
    })
}

/// What came of a kind of call in a scene.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// So many of them there are when nothing fails.
    calls: u64,
    whole: u64,
    refused: u64,
}

impl Cell {
    fn add(&mut self, outcome: &Outcome) {
        if outcome.about.is_none() {
            return;
        }
        if outcome.is_whole {
            self.whole += 1;
        } else {
            self.refused += 1;
        }
    }

    fn text(&self) -> String {
        let Self { calls, whole, refused } = self;
        format!("{calls}: {whole} / {refused}")
    }
}

fn table(scenes: &[Scene; 5], cells: &BTreeMap<(Kind, usize), Cell>) -> String {
    let [disk, server, again, atomic, backup] = scenes.each_ref().map(Scene::name);
    let mut table = Table::new(["call", "what becomes of it", disk, server, again, atomic, backup]);
    for kind in Kind::all() {
        let acts: Vec<String> = kind.row().acts.iter().map(|act| act.name()).collect();
        let cell = |scene| cells.get(&(kind, scene)).map_or_else(|| "–".to_owned(), Cell::text);
        let [disk, server, again, atomic, backup] = [0, 1, 2, 3, 4].map(cell);
        let name = format!("`{}`", kind.row().name);
        table.row(&[name, acts.join(", "), disk, server, again, atomic, backup]);
    }
    table.markdown()
}
