//! From what a user names to where the bytes lie: a bounded loop of hops, each of them kept.

mod rewrite;
mod run;
mod target;
mod trail;

pub use rewrite::{Rewrite, RewriteRules};
pub use run::{ResolveContext, Resolved, ThroughServer, resolve};
pub use target::{ModelMeta, NamedBy, Placement, Target, checked_path};
pub use trail::{Hop, Trail};

use async_trait::async_trait;
use mlfetch_store::Result;

/// Knows where URIs of its schemes lead.
#[async_trait]
pub trait Resolver: std::fmt::Debug + Send + Sync {
    /// The schemes it knows, in lower case.
    fn schemes(&self) -> &'static [&'static str];

    /// One hop.
    ///
    /// # Errors
    /// `InvalidInput` for a URI that is not of the scheme's form, `NotFound` if what it names does
    /// not exist, kinds of reaching a server for the rest.
    async fn step(&self, target: &Target) -> Result<Step>;
}

/// Where a hop leads.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step {
    /// Nowhere further: a backend opens this.
    Arrived,
    /// On, to one or more places whose trees are laid over each other in this order. Each with
    /// the reason, for the trail.
    Onward(Vec<(Target, String)>),
}
