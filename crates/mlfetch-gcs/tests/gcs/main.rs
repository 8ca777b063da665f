//! The suite of `mlfetch-conformance` and what is Cloud Storage's own, against a real
//! fake-gcs-server and against servers that answer what a test tells them to.

mod bucket;
mod conformance;
mod credentials;
mod emulator;
mod errors;
mod listing;
mod opening;
mod reading;
mod server;
mod support;
