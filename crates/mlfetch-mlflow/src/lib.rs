//! Where MLflow keeps its runs and models, read only.
//!
//! [`Settings`] finds out which stores count, with MLflow's own precedence; [`open`] opens one of
//! them: a tracking server, a SQLite, PostgreSQL or MySQL database, or a directory `./mlruns`. All
//! of them are a [`TrackingStore`], which answers where the artifacts of a run, a logged model or a
//! model version lie.
//!
//! - **Nothing is created by a read.** A database that is not there is an error, not a new file.
//! - **The process is asked once**, by [`Environment::from_process`]; all else takes a value.
//! - **An error says what there is instead**: near names, existing versions, aliases, stages.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod artifacts;
mod environment;
mod files;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod proxy;
mod resolve;
mod rest;
mod settings;
mod sigv4;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
mod tracking;

pub use artifacts::{ArtifactsBackend, Via};
pub use environment::Environment;
pub use proxy::{
    ModelFiles, ProxyAddress, ProxyConfig, ProxyStore, Transfer, proxy_base, proxy_of_url,
};
pub use resolve::{ModelsResolver, RunsResolver, Stores, asked_for, run_uri};
pub use rest::{ServerInfo, TrackingClient};
pub use settings::{AwsSigning, HttpSettings, Settings};
pub use tracking::{
    LoggedModel, ModelVersion, Run, RunId, Stage, TrackingInfo, TrackingKind, TrackingStore, open,
};
