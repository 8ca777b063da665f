//! One call of one kind that fails in one way, and what the program made of it.

use std::os::unix::process::ExitStatusExt as _;

use super::super::super::fetch::Ended;
use super::super::super::tree::Found;
use super::kinds::{Act, Kind};
use super::scene::Scene;
use super::tracer::Fault;

/// Exit codes that say that something went wrong (`docs/reference/exit-codes.md`).
const FAILURES: std::ops::RangeInclusive<i32> = 1..=8;

/// Which call fails, and in which scene.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) scene: usize,
    pub(super) kind: Kind,
    nth: u64,
    act: Act,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What the call that failed was about; `None` if there were not so many this time.
    pub(super) about: Option<String>,
    /// Whether the program ended well, and all was there.
    pub(super) is_whole: bool,
    pub(super) said: String,
    pub(super) problems: Vec<String>,
}

impl Round {
    /// Each of so many calls, in each way it can fail.
    pub(super) fn all(scene: usize, kind: Kind, count: u64) -> Vec<Self> {
        let acts = kind.row().acts;
        let of = |nth| acts.iter().map(move |act| Self { scene, kind, nth, act: *act });
        (1..=count).flat_map(of).collect()
    }

    /// So many of them at most, as far apart as can be, and in all ways in turn.
    pub(super) fn some(scene: usize, kind: Kind, count: u64, limit: u64) -> Vec<Self> {
        let acts = kind.row().acts;
        if count.saturating_mul(acts.len() as u64) <= limit {
            return Self::all(scene, kind, count);
        }
        let ways = acts.iter().cycle();
        // The middle of each stretch.
        let calls = (0..limit).map(|at| 1 + (2 * at + 1) * count / (2 * limit));
        calls.zip(ways).map(|(nth, act)| Self { scene, kind, nth, act: *act }).collect()
    }

    pub(super) fn name(&self, scene: &Scene) -> String {
        let Self { kind, nth, act, .. } = self;
        format!("{}/{}/{}/{nth}", scene.name(), kind.row().name, act.name())
    }

    pub(super) fn fault(&self) -> Fault {
        Fault { kind: self.kind, nth: self.nth, act: self.act }
    }
}

/// What is wrong with the run in which the call failed: it must be whole or say why not, and nothing
/// under a final name may be wrong.
pub(super) fn judge(ended: &Ended, found: &Found, beside: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let said = &ended.errors;
    if !found.wrong.is_empty() {
        problems.push(format!("wrong under a final name: {:?}", found.wrong));
    }
    if said.contains("panicked") {
        problems.push(format!("it panicked: {said}"));
    }
    let Some(status) = ended.status else {
        problems.push(format!("it did not end within {} s: {said}", ended.time.as_secs()));
        return problems;
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => {
            for (what, names) in
                [("missing", &found.missing[..]), ("left behind", &found.state), ("beside", beside)]
            {
                if !names.is_empty() {
                    problems.push(format!("exit code 0, and {what}: {names:?}"));
                }
            }
        }
        (Some(code), _) if !FAILURES.contains(&code) => {
            problems.push(format!("exit code {code} means something else: {said}"));
        }
        (Some(_), _) => {
            // What failed stands in backticks, there or in the list of files below.
            if !said.lines().any(|line| line.starts_with("error: ")) || !said.contains('`') {
                problems.push(format!("no message names what failed: {said}"));
            }
        }
        (None, signal) => problems.push(format!("it died of signal {signal:?}: {said}")),
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::ExitStatus;
    use std::time::Duration;

    use super::*;

    fn problems(code: i32, errors: &str, found: &Found) -> usize {
        let status = Some(ExitStatus::from_raw(code << 8));
        let ended = Ended {
            status,
            time: Duration::ZERO,
            errors: errors.to_owned(),
            output: String::new(),
        };
        judge(&ended, found, &[]).len()
    }

    #[test]
    fn some_of_many_rounds_meet_each_way_to_fail() {
        let kind = Kind::all().next().expect("a kind");
        let ways = kind.row().acts.len();
        let of = |count, limit| {
            let rounds = Round::some(0, kind, count, limit);
            let names = rounds.iter().map(|round| (round.nth, round.act.name()));
            let distinct: BTreeSet<_> = names.collect();
            assert_eq!(distinct.len(), rounds.len(), "{count} {limit}");
            assert!(rounds.iter().all(|round| (1..=count).contains(&round.nth)));
            let acts: BTreeSet<_> = rounds.iter().map(|round| round.act.name()).collect();
            (rounds.len(), acts.len())
        };
        assert_eq!(of(1, 5), (5, 5));
        assert_eq!(of(1, 100), (ways, ways));
        for count in [3, 50, 97, 200] {
            assert_eq!(of(count, 12), (12, ways));
            let calls: BTreeSet<u64> =
                Round::some(0, kind, count, 200).iter().map(|round| round.nth).collect();
            assert_eq!(calls.len() as u64, count, "each call fails once at least");
        }
    }

    #[test]
    fn a_lie_is_told_from_an_error() {
        let whole = Found::default();
        let half = Found { missing: vec!["a".to_owned()], ..Found::default() };
        let wrong = Found { wrong: vec!["a".to_owned()], ..Found::default() };
        assert_eq!(problems(0, "", &whole), 0);
        assert_eq!(problems(0, "", &half), 1);
        assert_eq!(problems(7, "error: cannot write `a`", &half), 0);
        assert_eq!(problems(7, "error: it failed", &half), 1);
        assert_eq!(problems(7, "error: cannot write `a`", &wrong), 1);
        assert_eq!(problems(101, "thread 'main' panicked", &half), 2);
    }
}
