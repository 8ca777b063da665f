//! An HTTP server that answers each request with what a test tells it to.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod answer;
mod request;
mod server;

pub use answer::Answer;
pub use request::Request;
pub use server::Server;
