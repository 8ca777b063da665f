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
    pub(super) fn all(scene: usize, kind: Kind, count: u64) -> impl Iterator<Item = Self> {
        let acts = kind.row().acts;
        (1..=count)
            .flat_map(move |nth| acts.iter().map(move |act| Self { scene, kind, nth, act: *act }))
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
            // What failed stands in backticks.
            let names = |line: &str| line.starts_with("error: ") && line.contains('`');
            if !said.lines().any(names) {
                problems.push(format!("no message names what failed: {said}"));
            }
        }
        (None, signal) => problems.push(format!("it died of signal {signal:?}: {said}")),
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;
    use std::time::Duration;

    use super::*;

    fn problems(code: i32, errors: &str, found: &Found) -> usize {
        let status = Some(ExitStatus::from_raw(code << 8));
        let ended = Ended { status, time: Duration::ZERO, errors: errors.to_owned() };
        judge(&ended, found, &[]).len()
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
