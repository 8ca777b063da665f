//! Links, odd files and locations, in directories that each test makes for itself.

mod files;
mod links;
mod opening;
mod support;
