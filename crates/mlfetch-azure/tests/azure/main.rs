//! The suite of `mlfetch-conformance` and what is Azure's own, against a real Azurite and against servers
//! that answer what a test tells them to.

mod azurite;
mod conformance;
mod container;
mod entra;
mod errors;
mod listing;
mod opening;
mod ranges;
mod real;
mod server;
mod support;
mod tls;
