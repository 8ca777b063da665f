//! What all runs came to, as tables: of faults that pass, and of those that stay.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::case::Outcome;
use super::fault::Kind;
use super::site::Backend;
use super::verdict::Verdict;

/// Outcomes by what went wrong and where.
#[derive(Default)]
pub(crate) struct Tally {
    cells: BTreeMap<Place, Cell>,
    /// What must not be.
    pub(crate) findings: Vec<String>,
    runs: u64,
}

/// Whether the fault passes, its kind, and the backend.
type Place = (bool, Kind, Backend);

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
        let place = (outcome.passes, outcome.case.kind, outcome.case.backend);
        let cell = self.cells.entry(place).or_default();
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

    /// Both tables; one that would be empty is left out.
    pub(crate) fn markdown(&self, backends: &[Backend]) -> String {
        let mut tables = vec![(true, "what passes"), (false, "what stays")];
        tables.retain(|(passes, _)| self.cells.keys().any(|place| place.0 == *passes));
        let tables = tables.iter().map(|(passes, title)| self.table(*passes, title, backends));
        tables.collect::<Vec<_>>().join("\n")
    }

    /// A row for each kind, a column for each backend.
    fn table(&self, passes: bool, title: &str, backends: &[Backend]) -> String {
        let names = backends.iter().map(|backend| backend.name());
        let mut text = format!("| {title} | {} |\n", names.collect::<Vec<_>>().join(" | "));
        let rules = vec!["---"; backends.len() + 1];
        let _ = writeln!(text, "|{}|", rules.join("|"));
        for kind in Kind::all() {
            let cells = backends.iter().map(|backend| self.cells.get(&(passes, kind, *backend)));
            let cells: Vec<String> =
                cells.map(|cell| cell.map_or_else(|| "–".to_owned(), Cell::text)).collect();
            if cells.iter().any(|cell| cell != "–") {
                let (name, meaning) = (kind.name(), kind.meaning());
                let _ = writeln!(text, "| `{name}`: {meaning} | {} |", cells.join(" | "));
            }
        }
        text
    }

    /// All in one line for each table.
    pub(crate) fn summary(&self) -> String {
        let lines = [(true, "pass"), (false, "stay")].map(|(passes, what)| {
            let mut all = Cell::default();
            for (_, cell) in self.cells.iter().filter(|(place, _)| place.0 == passes) {
                all.add(cell);
            }
            format!("faults that {what}: {}", all.in_words())
        });
        format!("{} runs, {} findings\n{}", self.runs, self.findings.len(), lines.join("\n"))
    }

    /// Pairs in which the fault never happened: a table must not claim them.
    pub(crate) fn never_met(&self) -> Vec<String> {
        let mut pairs: BTreeMap<(Kind, Backend), Cell> = BTreeMap::new();
        for ((_, kind, backend), cell) in &self.cells {
            pairs.entry((*kind, *backend)).or_default().add(cell);
        }
        let never = pairs.iter().filter(|(_, cell)| cell.not_met == cell.runs());
        never
            .map(|((kind, backend), _)| format!("{} before {}", kind.name(), backend.name()))
            .collect()
    }
}

impl Cell {
    fn add(&mut self, other: &Self) {
        self.repaired += other.repaired;
        self.refused += other.refused;
        self.unseen += other.unseen;
        self.not_met += other.not_met;
        self.found += other.found;
    }

    fn runs(&self) -> u32 {
        self.repaired + self.refused + self.unseen + self.not_met + self.found
    }

    fn in_words(&self) -> String {
        let Self { repaired, refused, unseen, not_met, found } = self;
        format!(
            "{} runs, {repaired} repaired, {refused} refused, {unseen} that nothing could tell, \
             {not_met} without the fault, {found} findings",
            self.runs()
        )
    }

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
