//! The engine as a whole: a store in memory or a store that misbehaves, a directory of each test's
//! own, and a look at what is there afterwards.

mod atomic;
mod audit;
mod backup;
mod cancel;
mod compare;
mod copy;
mod course;
mod destination;
mod extraneous;
mod faults;
mod full;
mod links;
mod listing;
mod manifest;
mod names;
mod overwrite;
mod parts;
mod patterns;
mod ranges;
mod resume;
mod support;
mod together;
mod verify;
