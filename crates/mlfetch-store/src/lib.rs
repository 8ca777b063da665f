//! The seam between mlfetch's engine and its storage backends.
//!
//! A *backend* turns a location such as `s3://bucket/prefix` into an opened [`Store`]; a store lists,
//! describes and reads objects, one attempt per call. Everything that is the same for every storage
//! is written here once, above the trait: paging and recursion ([`walk`]), the retry loop
//! ([`retry`]), a body that continues where it broke ([`RetryingStore`]).
//!
//! What this crate promises to those who implement or embed a store:
//!
//! - **Keys are exact.** A [`Key`] is bytes. Nothing is trimmed, decoded, collapsed or normalised.
//! - **Nothing secret prints.** A [`Secret`] has no way to be shown; an [`Error`] carries only text
//!   that was made safe to display.
//! - **One error type**, one pointer wide: its [`ErrorKind`] says what happened, its [`Retry`]
//!   verdict whether asking again can help.
//! - **No HTTP, no file system, no engine** in the dependency tree.
//!
//! ```
//! use mlfetch_store::{Key, MemoryStore, Store, StatRequest};
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = MemoryStore::new().with(Key::from("model/MLmodel"), "flavors: {}");
//! let info = store.stat(&Key::from("model/MLmodel"), StatRequest::new()).await?;
//! assert_eq!(info.size, Some(11));
//! # Ok::<(), mlfetch_store::Error>(())
//! # }).unwrap();
//! ```
#![doc = ""]
#![doc = include_str!("../README.md")]

mod backend;
mod checksum;
mod display;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod info;
mod key;
mod location;
mod memory;
mod options;
mod request;
mod retry;
mod retrying;
mod secret;
mod store;
mod walk;

pub use backend::{Backend, Backends, Opened};
pub use checksum::{Algorithm, Blocks, Checksum, Coverage};
pub use display::{SafeText, bare_address, escape};
pub use error::{BoxError, Error, ErrorKind, Result, Retry};
pub use gate::{Gate, is_beside_the_asker, is_loopback};
pub use info::{Entry, Object, ObjectBody, ObjectInfo, Page, PageToken, Refused};
pub use key::Key;
pub use location::Location;
pub use memory::MemoryStore;
pub use options::{OptionSpec, OptionValue, Options};
pub use request::{Depth, ListRequest, ReadRequest, StatRequest, WantedChecksums};
pub use retry::{RetryEvent, RetryObserver, RetryPolicy, retry};
pub use retrying::RetryingStore;
pub use secret::Secret;
pub use store::{Capabilities, Listing, Store, StoreInfo, Taken};
pub use walk::{Walk, WalkLimits, walk};
