//! S3 as a user meets it: the binary, a real MinIO, and an MLflow server with its artifacts there.

mod errors;
mod forwarder;
mod permissions;
mod proofs;
mod support;
mod via;
