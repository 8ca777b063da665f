//! What all runs came to, as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::case::Outcome;
use super::fault::Kind;
use super::site::Backend;
use super::verdict::Verdict;

/// Outcomes by kind and backend.
#[derive(Default)]
pub(crate) struct Tally {
    cells: BTreeMap<(Kind, Backend), Cell>,
    /// What must not be.
    pub(crate) findings: Vec<String>,
    runs: u64,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    repaired: u32,
    refused: u32,
    unseen: u32,
    not_met: u32,
    found: u32,
}

impl Tally {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        let cell = self.cells.entry((outcome.case.kind, outcome.case.backend)).or_default();
        match &outcome.verdict {
            Verdict::Repaired => cell.repaired += 1,
            Verdict::Refused => cell.refused += 1,
            Verdict::Unseen => cell.unseen += 1,
            Verdict::NotMet => cell.not_met += 1,
            Verdict::Finding(_) => {
                cell.found += 1;
                self.findings.push(outcome.report());
            }
        }
    }

    /// A row for each kind, a column for each backend.
    pub(crate) fn markdown(&self, backends: &[Backend]) -> String {
        let names = backends.iter().map(|backend| backend.name());
        let mut text = format!("| what goes wrong | {} |\n", names.collect::<Vec<_>>().join(" | "));
        let rules = vec!["---"; backends.len() + 1];
        let _ = writeln!(text, "|{}|", rules.join("|"));
        for kind in Kind::all() {
            let cells = backends.iter().map(|backend| self.cells.get(&(kind, *backend)));
            let cells: Vec<String> =
                cells.map(|cell| cell.map_or_else(|| "–".to_owned(), Cell::text)).collect();
            if cells.iter().any(|cell| cell != "–") {
                let (name, meaning) = (kind.name(), kind.meaning());
                let _ = writeln!(text, "| `{name}`: {meaning} | {} |", cells.join(" | "));
            }
        }
        text
    }

    /// All in one line.
    pub(crate) fn summary(&self) -> String {
        let mut all = Cell::default();
        for cell in self.cells.values() {
            all.repaired += cell.repaired;
            all.refused += cell.refused;
            all.unseen += cell.unseen;
            all.not_met += cell.not_met;
        }
        format!(
            "{} runs: {} repaired, {} refused, {} that nothing could tell, {} without the fault, {} \
             findings",
            self.runs,
            all.repaired,
            all.refused,
            all.unseen,
            all.not_met,
            self.findings.len()
        )
    }

    /// Pairs in which the fault never happened: a table must not claim them.
    pub(crate) fn never_met(&self) -> Vec<String> {
        let never = self.cells.iter().filter(|(_, cell)| {
            cell.not_met > 0 && cell.repaired + cell.refused + cell.unseen + cell.found == 0
        });
        never
            .map(|((kind, backend), _)| format!("{} before {}", kind.name(), backend.name()))
            .collect()
    }
}

impl Cell {
    /// Repaired and refused; what else there was in words.
    fn text(&self) -> String {
        let mut text = format!("{} / {}", self.repaired, self.refused);
        for (count, what) in
            [(self.unseen, "unseen"), (self.not_met, "not met"), (self.found, "FOUND")]
        {
            if count > 0 {
                let _ = write!(text, ", {count} {what}");
            }
        }
        text
    }
}
