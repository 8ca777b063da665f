//! The engine of mlfetch: resolves an artifact URI hop by hop and brings the tree behind it to
//! disk, whole or not at all.
#![doc = ""]
#![doc = include_str!("../README.md")]

#[cfg(not(unix))]
compile_error!("mlfetch-core works from directory handles and has only the Unix ones yet");

pub mod audit;
pub mod destination;
pub mod engine;
mod filter;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod layout;
pub mod manifest;
mod names;
pub mod policy;
pub mod resolve;
mod user;

pub use filter::{Filter, FilterError};
pub use layout::Layout;
pub use names::{NameRefusal, RelativePath};
