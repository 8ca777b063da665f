//! Brings a tree to disk: list, plan, transfer, verify, commit.
//!
//! Listing, planning and transfer overlap; what is in memory is bounded by the number of transfers
//! at a time, not by the number or size of files. A file gets its final name only after every
//! check passed.

mod ahead;
mod answer;
mod blocks;
mod compare;
mod conflict;
mod copy;
mod crowd;
mod digest;
mod error;
mod expected;
mod extraneous;
mod fetch;
mod file;
mod follow;
mod hands;
#[doc(hidden)]
pub mod hot;
mod joined;
mod journal;
mod kept;
mod lanes;
mod list;
mod meta;
mod near;
mod overwrite;
mod pace;
mod part;
mod parts;
mod pass;
mod ranges;
mod read;
mod report;
mod room;
mod rows;
mod running;
mod settings;
mod sha256;
mod source;
mod steps;
mod transfer;
mod tree;
mod turns;
mod underway;
mod verify;
mod witness;
mod writer;

pub use compare::{
    CompareSettings, Comparison, Difference, DifferenceKind, ExpectedTree, compare_tree, path_in,
};
pub use digest::Digests;
pub use error::{FetchError, FileError, FileFailure};
pub use fetch::Engine;
pub use list::{Listed, ListedKind};
pub use overwrite::Overwrite;
pub use report::{Event, NoObserver, Observer, Progress, Report, SkipReason};
pub use settings::FetchSettings;
pub use source::{Shape, Source};
pub use verify::{Proof, Verify};
pub use witness::{Sealed, Witness};
