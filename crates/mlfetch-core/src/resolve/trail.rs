//! The hops that were made.

use super::Target;

/// One hop: where to, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hop {
    /// The place, safe to show.
    pub to: String,
    /// Why it leads there.
    pub why: String,
}

/// The hops that led to one place, the first of them what the user asked for.
#[derive(Debug, Clone, Default)]
pub struct Trail(Vec<Hop>);

impl Trail {
    pub(super) fn begin(target: &Target) -> Self {
        Self(vec![Hop { to: target.display(), why: "asked for".into() }])
    }

    pub(super) fn and(&self, target: &Target, why: String) -> Self {
        let mut hops = self.0.clone();
        hops.push(Hop { to: target.display(), why });
        Self(hops)
    }

    /// The hops in order.
    pub fn hops(&self) -> &[Hop] {
        &self.0
    }

    pub(super) fn has_been_at(&self, target: &Target) -> bool {
        let here = target.display();
        self.0.iter().any(|hop| hop.to == here)
    }
}
