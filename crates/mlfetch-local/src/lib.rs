//! Artifacts in a directory, for `mlfetch`: `file:` URIs and plain paths.
//!
//! - **Nothing outside the artifact root is read**, unless [`LocalConfig::symlinks_outside`] says so:
//!   every access goes from a handle of the root, never through a path that somebody may change on
//!   the way. A link that leads out, leads nowhere or goes in a circle is a refused row of the
//!   listing, and its neighbours are fetched.
//! - **Names are bytes.** What the file system holds is listed and read as it is.
//! - **A file that changes while it is read is an error**, not a mixture.
//! - Devices, pipes and sockets are refused by kind and never opened.
//! - Names that begin with `.artifact.uploading.` are MLflow's unfinished uploads: they are not
//!   listed (read by name they are as any other).
//!
//! A store needs a tokio runtime around its calls: files are read on its blocking threads.
#![doc = ""]
#![doc = include_str!("../README.md")]

#[cfg(not(unix))]
compile_error!("mlfetch-local works from directory handles and has only the Unix ones yet");

mod backend;
mod config;
mod error;
mod facts;
mod list;
mod location;
mod names;
mod places;
mod read;
mod root;
mod store;

pub use backend::LocalBackend;
pub use config::{LocalConfig, Symlinks};
pub use location::local_path;
pub use store::LocalStore;
