//! A cluster that asks for Kerberos tickets: the suite, and what is told of tickets that are none.

#[path = "../webhdfs/hadoop.rs"]
#[expect(dead_code, reason = "this cluster is another one")]
mod hadoop;
#[path = "../webhdfs/quirks.rs"]
mod quirks;
#[path = "../webhdfs/server.rs"]
#[expect(dead_code, reason = "less is scripted here")]
mod server;
#[path = "../webhdfs/support.rs"]
#[expect(dead_code, reason = "no noise is needed here")]
mod support;

mod conformance;
mod errors;
mod realm;
mod tokens;
