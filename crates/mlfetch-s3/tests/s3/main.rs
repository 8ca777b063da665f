//! The suite of `mlfetch-conformance` and what is S3's own, against a real MinIO and against servers
//! that answer what a test tells them to.

mod bucket;
mod chain;
mod conformance;
mod errors;
mod listing;
mod minio;
mod opening;
mod parts;
mod ranges;
mod real;
mod regions;
mod renewal;
mod server;
mod support;
mod tls;
