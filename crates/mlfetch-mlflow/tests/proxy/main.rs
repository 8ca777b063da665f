//! The artifact proxy as a store: against real MLflow servers, and against one that misbehaves.

mod bucket;
mod disk;
mod disk_conformance;
mod refusals;
mod run_files;
mod s3;
mod s3_conformance;
mod scripted;
mod scripted_server;
mod support;
