//! Rows of measurements as tables: the figures, and what they are beside ours and beside the floor.

use super::measure::Cost;
use super::rounds::Row;
use super::spread::{Ratio, Spread, number, seconds};
use crate::table::Table;

/// The row that others are compared with.
const OURS: &str = "mlfetch";

/// What is taken of each run.
type Figure = fn(&Cost) -> Option<f64>;

const WALL: Figure = |cost| Some(seconds(cost.wall));
const PROCESSOR: Figure = |cost| Some(seconds(cost.processor()));
const MEMORY: Figure = |cost| cost.peak_memory_bytes.map(number);

/// The figures of each row, and below them the ratios.
pub(super) fn markdown(rows: &[Row], floor: &str) -> String {
    format!("{}\n\n{}", figures(rows), ratios(rows, floor))
}

pub(super) fn figures(rows: &[Row]) -> String {
    let mut table =
        Table::new(["tool", "rounds", "wall", "user", "system", "peak memory", "requests"]);
    for row in rows {
        let show = |of: Figure, show: fn(Spread) -> String| {
            row.spread(of).map_or_else(|| "-".to_owned(), show)
        };
        table.row(&[
            row.name.clone(),
            row.costs.len().to_string(),
            show(WALL, Spread::seconds),
            show(|cost| Some(seconds(cost.user)), Spread::seconds),
            show(|cost| Some(seconds(cost.system)), Spread::seconds),
            show(MEMORY, Spread::mebibytes),
            row.requests.map_or_else(|| "-".to_owned(), thousands),
        ]);
    }
    table.markdown()
}

fn ratios(rows: &[Row], floor: &str) -> String {
    let named = |name: &str| rows.iter().find(|row| row.name == name);
    let (ours, floor_row) = (named(OURS), named(floor));
    let [wall_floor, processor_floor] = ["wall", "processor"].map(|of| format!("{of} / {floor}"));
    let mut table = Table::new([
        "tool",
        "wall / ours",
        "processor / ours",
        "memory / ours",
        "requests / ours",
        &wall_floor,
        &processor_floor,
    ]);
    for row in rows {
        let beside = |other: Option<&Row>, of: Figure| {
            Ratio::of(row.median(of), other.and_then(|other| other.median(of))).to_string()
        };
        let asked = ours.and_then(|ours| ours.requests).map(number);
        table.row(&[
            row.name.clone(),
            beside(ours, WALL),
            beside(ours, PROCESSOR),
            beside(ours, MEMORY),
            Ratio::of(row.requests.map(number), asked).to_string(),
            beside(floor_row, WALL),
            beside(floor_row, PROCESSOR),
        ]);
    }
    table.markdown()
}

impl Row {
    fn spread(&self, of: Figure) -> Option<Spread> {
        Spread::of(self.costs.iter().filter_map(of))
    }

    fn median(&self, of: Figure) -> Option<f64> {
        self.spread(of).map(|spread| spread.median)
    }
}

/// `10,010`.
pub(super) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn row(name: &str, milliseconds: u64, requests: Option<u64>) -> Row {
        let cost = |factor| Cost {
            wall: Duration::from_millis(milliseconds * factor),
            user: Duration::from_millis(milliseconds),
            system: Duration::from_millis(milliseconds),
            peak_memory_bytes: Some(1 << 20),
        };
        Row { name: name.to_owned(), requests, costs: [1, 2, 3].map(cost).to_vec() }
    }

    #[test]
    fn each_tool_is_compared_with_ours_and_with_the_floor() {
        let rows =
            [row("curl", 500, None), row("mlfetch", 1000, Some(10)), row("s5cmd", 3000, Some(30))];
        let text = markdown(&rows, "curl");
        let lines: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| line.contains("s5cmd"))
            .map(|line| line.split('|').map(str::trim).collect())
            .collect();
        let figures =
            ["s5cmd", "3", "6.00 s (3.00–9.00)", "3.00 s (3.00–3.00)", "3.00 s (3.00–3.00)"];
        assert_eq!(lines[0][1..6], figures, "{text}");
        assert_eq!(lines[0][6..8], ["1.0 MiB (1.0–1.0)", "30"], "{text}");
        let ratios = ["3.00 ×", "3.00 ×", "1.00 ×", "3.00 ×", "6.00 ×", "6.00 ×"];
        assert_eq!(lines[1][2..8], ratios, "{text}");
    }

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
