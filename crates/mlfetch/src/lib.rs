//! Brings MLflow artifacts to disk, whole and checked.
//!
//! [`Mlfetch`] joins the parts: MLflow's settings and stores, the resolution of artifact URIs, the
//! backends that this build has, and the engine.
#![doc = ""]
#![doc = include_str!("../README.md")]

pub mod blocking;
mod builder;
mod builtin;
mod client;

pub use builder::MlfetchBuilder;
pub use builtin::builtin_options;
pub use client::Mlfetch;
pub use mlfetch_core::destination::{BackupSuffix, DestinationError, DestinationProblem};
pub use mlfetch_core::engine::{
    CompareSettings, Comparison, Difference, DifferenceKind, Event, ExpectedTree, FetchError,
    FetchSettings, FileError, FileFailure, Listed, ListedKind, NoObserver, Observer, Overwrite,
    Progress, Proof, Report, Sealed, SkipReason, Verify, Witness, compare_tree, path_in,
};
pub use mlfetch_core::resolve::{Resolved, Rewrite, Target, checked_path};
pub use mlfetch_core::{Filter, FilterError, Layout, RelativePath};
pub use mlfetch_core::{audit, manifest, policy};
pub use mlfetch_mlflow::{Environment, RunId, Via, asked_for, run_uri};
pub use mlfetch_store::{
    Depth, Error, ErrorKind, Key, Object, ObjectBody, OptionSpec, Options, RetryEvent,
    RetryObserver, RetryPolicy, escape,
};
