//! Kerberos tickets for HTTP, by the GSSAPI library of the machine.
//!
//! The library is loaded when somebody asks for a ticket, so that a program that links this crate
//! starts on machines without it.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod error;
mod library;
mod ticket;

pub use error::{Error, ErrorKind};
pub use library::Gssapi;

use std::path::PathBuf;

/// Who asks for a ticket, and where the right to it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// A ticket cache, as `KRB5CCNAME` names it: a path, or `FILE:/path`. The default one if `None`.
    pub ticket_cache: Option<String>,
    /// A file of keys: a ticket is got with one where the cache has none.
    pub keytab: Option<PathBuf>,
    /// The principal; that of the cache, or the first of the keytab, if `None`.
    pub principal: Option<String>,
}

impl Identity {
    /// Whoever the default ticket cache belongs to.
    pub fn new() -> Self {
        Self::default()
    }
}
