//! The directory that receives the tree.
//!
//! Everything is done from a handle of that directory, segment by segment, without following a
//! link: whatever is planted in the destination, nothing is written outside it. A file is written
//! under a staging name in `.mlfetch/` inside the destination and gets its final name by rename.

mod directory;
mod error;
mod staging;

pub use directory::{Destination, Existing};
pub use error::{DestinationError, DestinationProblem};
pub use staging::StagedFile;
