//! Where in a conversation a request stands.

/// What a request asks for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Class {
    /// What is in a directory, or below a prefix.
    Listing,
    /// Anything about an object, or about the server.
    Facts,
    /// An object's bytes.
    Read,
}

/// A request, told from all others of a fetch.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Point {
    pub(crate) class: Class,
    /// A file's name in its tree, a directory, or what else is asked.
    pub(crate) subject: String,
    /// The first byte that is asked for.
    pub(crate) offset: u64,
    pub(crate) is_ranged: bool,
}
