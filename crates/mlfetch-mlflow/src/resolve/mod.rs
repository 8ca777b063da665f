//! Where `runs:/` and `models:/` lead.

mod asked;
mod models;
mod runs;
mod stores;

#[cfg(fuzzing)]
pub(crate) use models::{Model, ModelPath, Which};
#[cfg(fuzzing)]
pub(crate) use runs::RunPath;

pub use asked::{asked_for, run_uri};
pub use models::ModelsResolver;
pub use runs::RunsResolver;
pub use stores::Stores;
