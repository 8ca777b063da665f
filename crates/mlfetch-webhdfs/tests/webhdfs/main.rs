//! The suite of `mlfetch-conformance` and what is HDFS's own, against real clusters and against servers
//! that answer what a test tells them to.

mod checksums;
mod conformance;
mod errors;
mod failover;
mod gateway;
mod hadoop;
mod identities;
mod listing;
mod quirks;
mod redirects;
mod server;
mod support;
mod tls;
