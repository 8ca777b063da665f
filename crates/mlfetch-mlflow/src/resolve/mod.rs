//! Where `runs:/` and `models:/` lead.

mod asked;
mod models;
mod runs;
mod stores;

pub use asked::{asked_for, run_uri};
pub use models::ModelsResolver;
pub use runs::RunsResolver;
pub use stores::Stores;
