//! What all rounds came to, as tables.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::site::Backend;
use super::round::{Ending, Outcome, Round};
use crate::table::Table;

/// Rounds by backend.
#[derive(Default)]
pub(super) struct Summary {
    kills: BTreeMap<Backend, Row>,
    stops: BTreeMap<Backend, Row>,
    pub(super) findings: usize,
}

#[derive(Clone, Default)]
struct Row {
    rounds: u32,
    was_done: u32,
    stalled: u32,
    left_state: u32,
    problems: usize,
    longest_stop: Duration,
    again_bytes: u64,
    tree_bytes: u64,
    /// The largest share of a round, in thousandths.
    most_again: u64,
}

impl Summary {
    pub(super) fn add(&mut self, round: &Round, outcome: &Outcome) {
        let rows = if round.ending == Ending::Kill { &mut self.kills } else { &mut self.stops };
        let row = rows.entry(round.backend).or_default();
        row.rounds += 1;
        row.was_done += u32::from(outcome.was_done);
        row.stalled += u32::from(round.is_stalled);
        row.left_state += u32::from(outcome.left_state);
        row.problems += outcome.problems.len();
        if !outcome.was_done {
            row.longest_stop = row.longest_stop.max(outcome.stop_time);
        }
        row.again_bytes += outcome.again_bytes;
        row.tree_bytes += outcome.tree_bytes;
        row.most_again = row.most_again.max(thousandths(outcome.again_bytes, outcome.tree_bytes));
        self.findings += outcome.problems.len();
    }

    /// A table for SIGKILL, and one for SIGTERM and SIGINT.
    pub(super) fn markdown(&self) -> String {
        let mut kills = Table::new([
            "SIGKILL before",
            "rounds",
            "done before",
            "findings",
            "fetched again",
            "most in a round",
        ]);
        for (name, row) in with_all(&self.kills) {
            kills.row(&[
                name,
                row.rounds.to_string(),
                row.was_done.to_string(),
                row.problems.to_string(),
                percent(thousandths(row.again_bytes, row.tree_bytes)),
                percent(row.most_again),
            ]);
        }
        let mut stops = Table::new([
            "SIGTERM, SIGINT before",
            "rounds",
            "in a stall",
            "done before",
            "findings",
            "longest to the end",
            "state kept",
            "fetched again",
        ]);
        for (name, row) in with_all(&self.stops) {
            stops.row(&[
                name,
                row.rounds.to_string(),
                row.stalled.to_string(),
                row.was_done.to_string(),
                row.problems.to_string(),
                format!("{:.2} s", row.longest_stop.as_secs_f64()),
                row.left_state.to_string(),
                percent(thousandths(row.again_bytes, row.tree_bytes)),
            ]);
        }
        let tables = [(&self.kills, kills), (&self.stops, stops)];
        let made = tables.into_iter().filter(|(rows, _)| !rows.is_empty());
        made.map(|(_, table)| table.markdown() + "\n").collect::<Vec<_>>().join("\n")
    }
}

/// The rows by name, and their sum.
fn with_all(rows: &BTreeMap<Backend, Row>) -> Vec<(String, Row)> {
    let mut all = Row::default();
    let mut named = Vec::new();
    for (backend, row) in rows {
        all.rounds += row.rounds;
        all.was_done += row.was_done;
        all.stalled += row.stalled;
        all.left_state += row.left_state;
        all.problems += row.problems;
        all.longest_stop = all.longest_stop.max(row.longest_stop);
        all.again_bytes += row.again_bytes;
        all.tree_bytes += row.tree_bytes;
        all.most_again = all.most_again.max(row.most_again);
        named.push((backend.name().to_owned(), row.clone()));
    }
    named.push(("all".to_owned(), all));
    named
}

fn thousandths(part: u64, whole: u64) -> u64 {
    part.saturating_mul(1000).checked_div(whole).unwrap_or_default()
}

fn percent(thousandths: u64) -> String {
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_twice_is_a_share_of_what_should_come_once() {
        let mut summary = Summary::default();
        for again_bytes in [100, 0] {
            let outcome = Outcome {
                was_done: false,
                stop_time: Duration::ZERO,
                left_state: true,
                again_bytes,
                tree_bytes: 1000,
                problems: Vec::new(),
            };
            summary.add(&Round::draw(Backend::S3, Ending::Kill, 1), &outcome);
        }
        let text = summary.markdown();
        assert!(text.contains("| s3             | 2      | 0"), "{text}");
        assert!(text.contains("5.0 %") && text.contains("10.0 %"), "{text}");
        assert!(!text.contains("SIGTERM"), "{text}");
    }
}
