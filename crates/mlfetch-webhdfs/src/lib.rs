//! HDFS over HTTP, as a mlfetch store.
//!
//! [`WebHdfsBackend`] opens locations, [`WebHdfsStore`] is what it opens. It speaks WebHDFS, which
//! NameNodes, DataNodes and HttpFS gateways answer; no Java, no Hadoop installation and no libhdfs is
//! needed.
//!
//! What it promises, each with a test:
//!
//! - A name is as HDFS holds it: escaped exactly once, never normalised, also behind a redirect.
//! - A redirect leads to a DataNode that the rule allows, or nowhere; a ticket never leaves the
//!   NameNode, and a delegation token never leaves the cluster.
//! - A NameNode on standby, or gone, is answered by asking the other one.
//! - A read is tied to one file: its number, time and length are looked at after it was opened.
//! - HDFS's own checksum comes with what it covers, so that it can be computed as bytes arrive.
//! - Tokens are in no message.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod answer;
mod backend;
mod checksum;
mod cluster;
mod config;
mod datanodes;
mod encode;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod kerberos;
mod location;
mod request;
mod session;
mod site;
mod store;
mod token;
mod wire;

pub use backend::WebHdfsBackend;
pub use config::WebHdfsConfig;
pub use store::WebHdfsStore;
