//! The client and the store against servers that do what they are told, mostly wrong.

mod bodies;
mod errors;
mod listing;
mod origins;
mod ranges;
mod redirects;
mod server;
mod stat;
mod tls;
