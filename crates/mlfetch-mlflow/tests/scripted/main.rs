//! What a tracking server, or what stands in its place, may answer.

mod answers;
mod server;
