//! Clusters of a test's own, of which it stops a part.

mod cluster;
#[path = "../webhdfs/hadoop.rs"]
#[expect(dead_code, reason = "these tests have clusters of their own, and need less of it")]
mod hadoop;
#[path = "../webhdfs/support.rs"]
mod support;

mod composite;
mod datanodes;
mod links;
mod pair;
mod safe_mode;
