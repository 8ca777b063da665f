//! From a seed to what goes wrong.

use std::collections::BTreeMap;
use std::fmt;

use super::{Class, Kind, Point};
use crate::chaos::random::Random;

/// What a fetch asks for when nothing goes wrong, with the lengths of the answers' bodies.
pub(crate) type Seen = BTreeMap<Point, u64>;

/// Of a hundred runs, so many fetch a big file and break there.
const BIG_PERCENT: u64 = 8;

/// Of a hundred faults, so many happen twice, and so many each time.
const TWICE_PERCENT: u64 = 10;
const ALWAYS_PERCENT: u64 = 15;

/// What goes wrong in one run: one step after the other.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) is_big: bool,
    pub(crate) steps: Vec<Step>,
}

/// One fault, at each request that is meant, so many times.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    class: Class,
    subject: String,
    /// The first byte that is asked for; any if there is none.
    offset: Option<u64>,
    /// Whether a range must have been asked for.
    is_ranged: bool,
    pub(crate) times: u32,
    /// Where in the body, as a part of it.
    pub(crate) at: f64,
    /// Chooses among the ways that a kind has.
    pub(crate) variant: u64,
}

impl Plan {
    /// Draws a fault of a kind; `None` where no request can have it.
    pub(crate) fn draw(kind: Kind, random: &mut Random, small: &Seen, big: &Seen) -> Option<Self> {
        let suits = |(point, bytes): &(&Point, &u64)| kind.suits(point, **bytes);
        let parts: Vec<&Point> = big
            .iter()
            .filter(suits)
            .map(|(point, _)| point)
            .filter(|point| point.class == Class::Read && big_enough(big, point))
            .collect();
        let is_big = random.percent(BIG_PERCENT) && kind != Kind::ChangedObject;
        if is_big && let Some(point) = random.pick(&parts) {
            let step = Step::draw(kind, point, random);
            return Some(Self { is_big: true, steps: vec![step] });
        }
        if kind.needs_range() {
            return Self::after_a_break(kind, random, small);
        }
        let points: Vec<&Point> = small.iter().filter(suits).map(|(point, _)| point).collect();
        let point = random.pick(&points)?;
        Some(Self { is_big: false, steps: vec![Step::draw(kind, point, random)] })
    }

    /// Whether asking again brings what is right.
    pub(crate) fn passes(&self) -> bool {
        self.steps.iter().all(|step| step.kind.can_pass() && step.times != u32::MAX)
    }

    /// A small file is asked for by a range once its body broke.
    fn after_a_break(kind: Kind, random: &mut Random, small: &Seen) -> Option<Self> {
        let breakable = small.iter().filter(|(point, bytes)| Kind::CutBody.suits(point, **bytes));
        let reads: Vec<&Point> =
            breakable.map(|(point, _)| point).filter(|point| point.class == Class::Read).collect();
        let point = random.pick(&reads)?;
        let mut cut = Step::draw(Kind::CutBody, point, random);
        cut.times = 1;
        let mut step = Step::draw(kind, point, random);
        (step.offset, step.is_ranged) = (None, true);
        Some(Self { is_big: false, steps: vec![cut, step] })
    }
}

/// Whether an answer has what only big files have: a range, or very many bytes.
fn big_enough(big: &Seen, point: &Point) -> bool {
    const MANY_BYTES: u64 = 1024 * 1024;
    big.get(point).is_some_and(|bytes| *bytes > MANY_BYTES)
}

impl Step {
    fn draw(kind: Kind, point: &Point, random: &mut Random) -> Self {
        let chance = random.below(100);
        let times = match chance {
            // A token that is repeated once is followed by one that no server knows.
            _ if kind == Kind::RepeatedToken => u32::MAX,
            _ if kind == Kind::ChangedObject => 1,
            _ if chance < ALWAYS_PERCENT => u32::MAX,
            _ if chance < ALWAYS_PERCENT + TWICE_PERCENT => 2,
            _ => 1,
        };
        let at = match random.below(4) {
            0 => 0.0,
            1 => 1.0,
            // A part that has no special meaning to anybody.
            _ => f64::from(u16::try_from(random.below(10_000)).unwrap_or_default()) / 10_000.0,
        };
        Self {
            kind,
            class: point.class,
            subject: point.subject.clone(),
            offset: (times == 1).then_some(point.offset),
            is_ranged: false,
            times,
            at,
            variant: random.next(),
        }
    }

    pub(super) fn means(&self, point: &Point) -> bool {
        self.class == point.class
            && self.subject == point.subject
            && self.offset.is_none_or(|offset| offset == point.offset)
            && (point.is_ranged || !self.is_ranged)
    }

    /// A place in a body of so many bytes: from the first byte to the last.
    pub(super) fn place(&self, length: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a body has fewer bytes than a double is exact to, and the part is of 0..=1"
        )]
        let place = (length as f64 * self.at) as usize;
        place.min(length.saturating_sub(1))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            let joint = if number == 0 { "" } else { ", then " };
            write!(formatter, "{joint}{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, class, subject, at, .. } = self;
        write!(formatter, "{} at {class:?} of `{subject}`", kind.name())?;
        if let Some(offset) = self.offset {
            write!(formatter, " from byte {offset}")?;
        }
        if self.is_ranged {
            write!(formatter, " by a range")?;
        }
        match self.times {
            u32::MAX => write!(formatter, ", each time")?,
            times => write!(formatter, ", {times} time(s)")?,
        }
        write!(formatter, ", at {:.2} % of the body, way {}", at * 100.0, self.variant % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(class: Class, subject: &str, offset: u64, is_ranged: bool) -> Point {
        Point { class, subject: subject.to_owned(), offset, is_ranged }
    }

    fn small() -> Seen {
        Seen::from([
            (point(Class::Listing, "/", 0, false), 500),
            (point(Class::Read, "f00.bin", 0, false), 0),
            (point(Class::Read, "f01.bin", 0, false), 100),
        ])
    }

    #[test]
    fn a_seed_draws_the_same_fault_again() {
        let draw = |seed| {
            let mut random = Random::new(seed, &["stall"]);
            Plan::draw(Kind::Stall, &mut random, &small(), &Seen::new())
                .map(|plan| plan.to_string())
        };
        assert_eq!(draw(3), draw(3));
        let all: std::collections::BTreeSet<_> = (0..50).filter_map(draw).collect();
        assert!(all.len() > 20, "{all:?}");
    }

    #[test]
    fn most_faults_pass_and_answers_to_be_believed_do_not() {
        let passes = |kind: Kind| {
            let draw = |seed| {
                let mut random = Random::new(seed, &[]);
                Plan::draw(kind, &mut random, &small(), &Seen::new()).expect("a plan").passes()
            };
            (0..100).filter(|seed| draw(*seed)).count()
        };
        assert!((70..100).contains(&passes(Kind::Stall)));
        assert!((70..100).contains(&passes(Kind::OtherRange)));
        assert_eq!(passes(Kind::Vanished), 0);
        assert_eq!(passes(Kind::RepeatedToken), 0);
    }

    #[test]
    fn a_body_without_bytes_is_not_cut() {
        for seed in 0..100 {
            let mut random = Random::new(seed, &[]);
            let plan = Plan::draw(Kind::FlippedBit, &mut random, &small(), &Seen::new());
            let plan = plan.expect("there is a body");
            assert!(plan.steps[0].means(&point(Class::Read, "f01.bin", 0, false)), "{plan}");
            assert!(plan.steps[0].place(100) < 100 && plan.steps[0].place(1) == 0);
        }
    }

    #[test]
    fn a_small_file_is_asked_for_by_a_range_only_after_a_break() {
        let mut random = Random::new(1, &[]);
        let plan = Plan::draw(Kind::RangeIgnored, &mut random, &small(), &Seen::new());
        let steps = plan.expect("there is a body").steps;
        assert_eq!((steps[0].kind, steps[1].kind), (Kind::CutBody, Kind::RangeIgnored));
        assert!(steps[0].means(&point(Class::Read, "f01.bin", 0, false)));
        assert!(!steps[1].means(&point(Class::Read, "f01.bin", 0, false)));
        assert!(steps[1].means(&point(Class::Read, "f01.bin", 50, true)));
    }
}
