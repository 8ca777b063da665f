//! The file store: a directory `mlruns`, as MLflow writes it.

mod directory;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod meta;
mod registry;
mod root;
mod store;

pub(crate) use directory::names;
pub(crate) use store::FileStore;
