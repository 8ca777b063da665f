//! The directory that receives the tree.
//!
//! Everything is done from a handle of that directory, segment by segment, without following a
//! link: whatever is planted in the destination, nothing is written outside it. A file is written
//! under a staging name in a directory of this fetch's own, `.mlfetch-…`, inside the destination,
//! and gets its final name by rename. A big file that was not whole when its fetch ended is kept
//! there, with a journal of what arrived, for the next fetch of it.

mod above;
mod ahead;
mod atomic;
mod commit;
mod directory;
mod error;
mod existing;
mod filesystem;
mod handles;
mod left;
mod looked;
mod owner;
mod rename;
mod staging;
mod suffix;
#[cfg(test)]
mod support;

pub(crate) use ahead::Ahead;
pub(crate) use atomic::Atomic;
pub(crate) use commit::{Commit, Replace};
pub(crate) use directory::{Destination, Free};
pub use error::{DestinationError, DestinationProblem};
pub(crate) use existing::Existing;
pub(crate) use left::ALIVE_EVERY;
pub(crate) use owner::{is_staging_name, new_name as new_staging_name};
pub(crate) use staging::StagedFile;
pub use suffix::BackupSuffix;
