//! What a run came to.

use std::os::unix::process::ExitStatusExt as _;

use super::fault::{Kind, Trace};
use super::fetch::Ended;
use super::site::Site;
use super::tree::Found;

/// Exit codes that say that something went wrong (`docs/reference/exit-codes.md`).
const FAILURES: std::ops::RangeInclusive<i32> = 1..=8;

/// More is no message that a person reads.
const MAX_MESSAGE_BYTES: usize = 20_000;

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Exit code 0, every byte right.
    Repaired,
    /// Another exit code, a message, and nothing wrong under a final name. So may end what stays.
    Refused,
    /// Wrong bytes, and nothing that told of it: the store has no checksum, or no size.
    Unseen,
    /// The request that the fault waited for was not made.
    NotMet,
    /// What must not be.
    Finding(String),
}

/// All that is known of a run.
pub(crate) struct Facts<'a> {
    pub(crate) kind: Kind,
    pub(crate) site: &'a Site,
    pub(crate) is_big: bool,
    /// Whether the fault passes when asked again.
    pub(crate) passes: bool,
    /// How often the fault happened.
    pub(crate) done: u32,
    pub(crate) ended: &'a Ended,
    pub(crate) found: &'a Found,
}

impl Facts<'_> {
    pub(crate) fn verdict(&self) -> Verdict {
        let Some(status) = self.ended.status else {
            let seconds = self.ended.time.as_secs();
            return Verdict::Finding(format!("it did not end within {seconds} s"));
        };
        if let Some(signal) = status.signal() {
            return Verdict::Finding(format!("it died of signal {signal}"));
        }
        let code = status.code().unwrap_or_default();
        if let Some(secret) =
            self.site.secrets().iter().find(|word| self.ended.errors.contains(**word))
        {
            return Verdict::Finding(format!(
                "its message shows a secret of {} letters",
                secret.len()
            ));
        }
        if !self.found.wrong.is_empty() || (code == 0 && !self.found.missing.is_empty()) {
            return self.wrong(code);
        }
        if code == 0 { self.done_right() } else { self.refused(code) }
    }

    /// Wrong bytes are a finding, except where nothing in the protocol could have told.
    fn wrong(&self, code: i32) -> Verdict {
        let can_be_seen = match self.kind.trace() {
            Trace::Protocol | Trace::Ending => true,
            Trace::Checksum => self.site.backend.has_checksums(),
            Trace::Size => self.site.backend.has_checksums() || self.site.backend.lists_sizes(),
        };
        let only_that = self.found.wrong.len() == 1 && self.found.missing.is_empty();
        if !can_be_seen && only_that && code == 0 {
            return Verdict::Unseen;
        }
        let Found { wrong, missing, .. } = self.found;
        Verdict::Finding(format!("exit code {code} with wrong {wrong:?} and missing {missing:?}"))
    }

    fn done_right(&self) -> Verdict {
        if !self.found.state.is_empty() {
            return Verdict::Finding(format!("it left {:?} behind", self.found.state));
        }
        if self.done == 0 { Verdict::NotMet } else { Verdict::Repaired }
    }

    fn refused(&self, code: i32) -> Verdict {
        let said = &self.ended.errors;
        let problem = if !FAILURES.contains(&code) {
            format!("exit code {code} means something else")
        } else if !said.lines().any(|line| line.starts_with("error: ")) {
            "no message says what failed".to_owned()
        } else if said.contains("panicked") {
            "it panicked".to_owned()
        } else if said.len() > MAX_MESSAGE_BYTES {
            format!("its message has {} bytes", said.len())
        } else if !self.found.state.is_empty() && !self.is_big {
            // Of a big file the next run may take over what is there.
            format!("it left {:?} behind", self.found.state)
        } else if self.done == 0 {
            "it failed without a fault".to_owned()
        } else if self.passes {
            format!("exit code {code} though the fault passed: it should have asked again")
        } else {
            return Verdict::Refused;
        };
        Verdict::Finding(problem)
    }
}
