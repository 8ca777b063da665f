//! What a command is held to besides its work.

use std::sync::Arc;

use mlfetch::audit::Attempt;
use mlfetch::policy::Policy;

/// What a command is held to: it is put on record, and keeps to the policy of the machine.
#[derive(Debug, Clone)]
pub(crate) struct Oversight {
    pub(crate) attempt: Arc<Attempt>,
    pub(crate) policy: Option<Policy>,
}
