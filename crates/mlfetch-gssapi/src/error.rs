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
    /// What there is belongs to somebody else than was asked for, maybe in another realm.
    OtherPrincipal,
    /// The service, or the user, is not known in the realm.
    UnknownPrincipal,
    /// The service is in another realm, which the ticket's does not lead to.
    OtherRealm,
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

    /// That `asked` is asked for, and `owner` is there.
    pub(crate) fn other(asked: &str, owner: &str) -> Self {
        let words = match (realm_of(asked), realm_of(owner)) {
            (Some(wanted), Some(found)) if wanted != found => format!(
                "`{asked}` is of the realm `{wanted}`, and what there is, of `{found}` (`{owner}`)"
            ),
            _ => format!("`{asked}` is asked for, and what there is, is of `{owner}`"),
        };
        Self::new(ErrorKind::OtherPrincipal, words)
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

/// What follows the last `@` of a principal.
fn realm_of(principal: &str) -> Option<&str> {
    principal.rsplit_once('@').map(|(_, realm)| realm)
}

fn kind_of(words: &str) -> ErrorKind {
    let says = |text: &str| words.contains(text);
    if says("Clock skew") {
        ErrorKind::ClockSkew
    } else if says("expired") {
        ErrorKind::Expired
    } else if says("krbtgt/") && says("not found in Kerberos database") {
        ErrorKind::OtherRealm
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
            ("Server krbtgt/S@R not found in Kerberos database", ErrorKind::OtherRealm),
            ("Cannot find KDC for realm \"R\"", ErrorKind::Realm),
            ("Cannot contact any KDC for realm 'R'", ErrorKind::Realm),
            ("Message stream modified", ErrorKind::Other),
        ] {
            let words = words.replace("Key table", "key table");
            assert_eq!(Error::of_words(words.clone()).kind(), kind, "{words}");
        }
    }

    #[test]
    fn somebody_else_is_told_from_the_same_in_another_realm() {
        let words = |asked| Error::other(asked, "alice@R").to_string();
        assert!(words("alice@S").contains("the realm `S`, and what there is, of `R`"));
        assert_eq!(words("bob@R"), "`bob@R` is asked for, and what there is, is of `alice@R`");
        assert_eq!(words("bob"), "`bob` is asked for, and what there is, is of `alice@R`");
    }
}
