//! S3, and what speaks its protocol, as a mlfetch store.
//!
//! [`S3Backend`] opens locations, [`S3Store`] is what it opens. AWS's own libraries say who is asking
//! (the whole chain of credentials) and where a bucket is (the endpoint rules); the requests
//! themselves are signed and sent here, which takes less than half of the SDK's processor time.
//!
//! What it promises, each with a test:
//!
//! - A key is escaped exactly once on its way out and decoded exactly once on its way in.
//! - No redirect is followed. A bucket in another region is asked there, by S3's own rules.
//! - Credentials are renewed before they expire, and are in no message.
//! - A range is the range that was asked, of the version that was asked.
//! - Checksums are passed on with what they cover; a checksum of parts comes with their sizes.
//! - A listing that is cut is never taken for its end.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod answer;
mod backend;
mod bucket;
mod checksum;
mod client;
mod clock;
mod config;
mod credentials;
mod encode;
mod endpoint;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod hot;
mod location;
mod request;
mod session;
mod sign;
mod store;
mod transport;
mod wire;

pub use aws_config::SdkConfig;
pub use backend::S3Backend;
pub use config::{Addressing, S3Config};
pub use store::S3Store;
