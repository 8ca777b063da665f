//! Azure Blob Storage and Data Lake Storage as a mlfetch store.
//!
//! [`AzureBackend`] opens locations, [`AzureStore`] is what it opens. Microsoft's own library asks
//! Entra ID who is asking; the requests to the blob service are signed and sent here.
//!
//! What it promises, each with a test:
//!
//! - A name is escaped exactly once on its way out and read exactly once on its way in.
//! - No redirect is followed, and no credential goes to a host that is not Azure's, unless somebody
//!   named that host. A token goes over HTTPS only.
//! - Keys, signatures and tokens are in no message.
//! - A range is the range that was asked, of the version that was asked; a checksum of it is that of
//!   its bytes.
//! - A blob that stands for a directory is a directory.
//! - When nobody is signed in, the error says what was tried, and why each was passed over.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod answer;
mod auth;
mod backend;
mod client;
mod config;
mod connection_string;
mod container;
mod credentials;
mod endpoint;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod location;
mod request;
mod sas;
mod sign;
mod store;
mod sums;
mod version;
mod wire;

pub use backend::AzureBackend;
pub use config::{AzureConfig, IdentityConfig};
pub use store::AzureStore;
pub use sums::RangeChecksum;
