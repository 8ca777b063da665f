//! Several programs that do the same, one after the other, again and again: what changes on the
//! machine meanwhile changes for all of them.

use std::process::Command;

use anyhow::{Context, Result};

use super::measure::{self, Cost};
use super::options::Options;
use crate::{interrupt, report};

/// A program that takes part.
pub(super) struct Contestant<'a> {
    pub(super) name: &'a str,
    /// It takes minutes and runs in fewer rounds.
    pub(super) is_slow: bool,
    /// How many requests it made, where that was counted.
    pub(super) requests: Option<u64>,
    /// Makes its place ready, and says how it is started.
    pub(super) prepare: Box<dyn Fn() -> Result<Command> + 'a>,
    /// Whether it did what it was to do.
    pub(super) check: Box<dyn Fn() -> Result<()> + 'a>,
}

/// What a program needed in each of its rounds.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) requests: Option<u64>,
    pub(super) costs: Vec<Cost>,
}

impl Contestant<'_> {
    /// One run, measured or not.
    pub(super) fn run(&self, options: &Options) -> Result<Cost> {
        interrupt::check()?;
        let mut command = (self.prepare)()?;
        options.settle();
        let cost = measure::once(&mut command)
            .and_then(|cost| (self.check)().map(|()| cost))
            .with_context(|| format!("{} failed", self.name));
        interrupt::check()?;
        cost
    }
}

/// Measures: A B C, C B A, B C A, A C B, …, so that none always comes first, or after the same other.
pub(super) fn alternate(contestants: &[Contestant<'_>], options: &Options) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = contestants.iter().map(Row::of).collect();
    for round in 0..options.rounds(false) {
        for number in order(contestants.len(), usize::from(round)) {
            let (contestant, row) = (&contestants[number], &mut rows[number]);
            if round >= options.rounds(contestant.is_slow) {
                continue;
            }
            let cost = contestant.run(options)?;
            let wall = cost.wall.as_secs_f64();
            report::say(&format!("round {}: {}: {wall:.3} s", round + 1, contestant.name));
            row.costs.push(cost);
        }
    }
    Ok(rows)
}

/// Each number below `count` once: further round after two rounds, and backwards in the second of them.
fn order(count: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.rotate_left(round / 2 % count.max(1));
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

impl Row {
    fn of(contestant: &Contestant<'_>) -> Self {
        let (name, requests) = (contestant.name.to_owned(), contestant.requests);
        Self { name, requests, costs: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Arguments {
        #[command(flatten)]
        options: Options,
    }

    fn options(line: &str) -> Options {
        Arguments::parse_from(line.split(' ')).options
    }

    #[test]
    fn tools_take_turns_and_slow_ones_fewer() {
        let order = RefCell::new(Vec::new());
        let order_of = &order;
        let contestant = |name: &'static str, is_slow| Contestant {
            name,
            is_slow,
            requests: None,
            prepare: Box::new(move || {
                order_of.borrow_mut().push(name);
                Ok(Command::new("true"))
            }),
            check: Box::new(|| Ok(())),
        };
        let all = [("fast", false), ("slow", true), ("middle", false)];
        let all = all.map(|(name, is_slow)| contestant(name, is_slow));
        let options = options("bench --rounds 3 --slow-rounds 1");
        let rows = alternate(&all, &options).expect("they run");
        assert_eq!(*order.borrow(), ["fast", "slow", "middle", "middle", "fast", "middle", "fast"]);
        assert_eq!(rows.iter().map(|row| row.costs.len()).collect::<Vec<_>>(), [3, 1, 3]);
    }

    #[test]
    fn each_comes_first_and_last_and_after_each_other() {
        let orders: Vec<_> = (0..6).map(|round| order(3, round)).collect();
        let expected = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1], [2, 0, 1], [1, 0, 2]];
        assert_eq!(orders, expected);
    }

    #[test]
    fn a_program_whose_work_is_not_done_is_named() {
        let contestant = Contestant {
            name: "liar",
            is_slow: false,
            requests: None,
            prepare: Box::new(|| Ok(Command::new("true"))),
            check: Box::new(|| anyhow::bail!("nothing is there")),
        };
        let error = alternate(&[contestant], &options("bench")).err().expect("it is refused");
        assert!(format!("{error:#}").contains("liar failed: nothing is there"), "{error:#}");
    }
}
