//! Azure as a user meets it: the binary, a real Azurite, and MLflow's own client that wrote there.

mod errors;
mod fetching;
mod identities;
mod run;
mod support;
