//! The engine of mlfetch: resolves an artifact URI hop by hop and brings the tree behind it to
//! disk, whole or not at all.

pub mod destination;
pub mod engine;
mod filter;
mod layout;
mod names;
pub mod resolve;

pub use filter::{Filter, FilterError};
pub use layout::Layout;
pub use names::{NameRefusal, RelativePath};
