//! The cases, by what they ask of a store. Each takes a fixture, seeds what it needs, and panics
//! with what it found.

pub mod listing;
pub mod manners;
pub mod names;
pub mod reading;
pub mod stat;
pub mod streaming;
