//! What the end-to-end tests share: the binary, MLflow's own command line, trees on disk, and a
//! server that does as it is told.

mod command;
mod desk;
mod mlflow;
mod scripted;
mod secrets;
mod settings;
mod tree;
mod whole;

pub use command::{Ran, Running, run};
pub use desk::{Desk, Failure};
pub use mlflow::{Job, Workers};
pub use scripted::{Answer, Asked, ScriptedServer};
pub use secrets::{assert_clean, forms};
pub use settings::{mlfetch, program, repository, variable};
pub use tree::{Node, Tree};
pub use whole::fetch_whole;
