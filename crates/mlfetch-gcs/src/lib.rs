//! Google Cloud Storage as a mlfetch store.
//!
//! [`GcsBackend`] opens locations, [`GcsStore`] is what it opens. Google's own library says who is
//! asking (application default credentials of every kind); listing and reading are requests of ours
//! to the JSON API.
//!
//! What it promises, each with a test:
//!
//! - A key is escaped exactly once on its way out and is what the listing says on its way in.
//! - What is read is the generation that was listed, or an error.
//! - Bytes are as they are stored, and so are their checksums: nothing is decompressed.
//! - No redirect is followed, and no token goes over plain HTTP or to an emulator.
//! - A range is the range that was asked. A page that is no object is never taken for one.
//! - Tokens and keys are in no message.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod answer;
mod backend;
mod checksum;
mod client;
mod config;
mod credentials;
mod encode;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod location;
mod request;
mod sign;
mod store;
mod wire;

pub use backend::GcsBackend;
pub use config::GcsConfig;
pub use google_cloud_auth::credentials::Credentials;
pub use store::GcsStore;
