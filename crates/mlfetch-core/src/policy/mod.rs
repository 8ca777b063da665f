//! Which places may be read, and which of them a tracking server may name.
//!
//! A [`Policy`] is what somebody decided for all that is asked: an ordered list of rules, the first of
//! which that names a place decides. It is a [`Gate`](mlfetch_store::Gate), so resolution and engine
//! ask it before anything else is asked.
//!
//! ```
//! use mlfetch_core::policy::{Policy, Rule};
//! use mlfetch_store::{Gate as _, Key, Location};
//! let policy = Policy::new("the policy of the team")
//!     .with_rule(Rule::deny("rule 1", vec!["s3://models/payroll".parse()?]))
//!     .with_rule(Rule::allow("rule 2", vec!["models".parse()?, "s3://models".parse()?]));
//! let permits = |uri: &str| policy.permit(&Location::parse(uri).unwrap(), &Key::root()).is_ok();
//! assert!(permits("models:/fraud@champion") && permits("s3://models/fraud/v7"));
//! assert!(!permits("s3a://models/payroll/v1"), "a rule denies it");
//! assert!(!permits("s3://models"), "a rule denies something below it");
//! assert!(!permits("https://example.org/model"), "no rule allows it");
//! # Ok::<(), mlfetch_core::policy::PatternError>(())
//! ```

mod groups;
mod head;
mod pattern;
mod place;
mod pointing;
mod rules;
#[cfg(test)]
mod tests;

pub use groups::Groups;
pub use pattern::{Pattern, PatternError};
pub use rules::{Policy, Rule};

pub(crate) use pointing::objection;
