//! Google Cloud Storage as a user meets it: the binary, a real fake-gcs-server, and an MLflow server
//! with its artifacts there.

mod errors;
mod proofs;
mod run;
mod support;
