//! A tracking server, by MLflow's REST interface.

mod call;
mod catalogue;
mod client;
mod failure;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod store;
mod wire;

pub use client::TrackingClient;
pub(crate) use store::RestStore;
pub use wire::ServerInfo;
