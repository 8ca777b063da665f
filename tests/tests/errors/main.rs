//! What bad input gets: the exit code of its kind, words that help, and nothing left behind.

mod answers;
mod asked;
mod databases;
mod destinations;
mod files;
mod missing;
mod secrets;
mod support;
