//! What a server is known to do differently.

use mlfetch_store::{ErrorKind, Key};

use crate::KeyClass;

/// Something that one server cannot hold or does differently, and why.
#[derive(Debug, Clone, Copy)]
pub struct Quirk {
    what: What,
    only: Option<&'static [&'static str]>,
    reason: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Key(KeyClass, KeyFate),
    Behaviour(Behaviour),
}

/// What happens to a key that a server has trouble with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFate {
    /// No client can put it there.
    NotHeld,
    /// It is there; listing, stat or read do not give it, and say so.
    NotServed,
    /// It is there, and the listing of its directory fails because of it.
    PoisonsListing,
}

/// A way in which a server differs that the suite knows how to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// Listing is not possible: it answers [`ErrorKind::Unsupported`].
    NoListing,
    /// Directories do not count among the rows of a page, and come again with the next.
    DirectoriesBesidePages,
    /// A listing does not give the sizes.
    ListingWithoutSizes,
    /// A stat does not give the size.
    StatWithoutSizes,
    /// What is missing gives this kind of error, not [`ErrorKind::NotFound`].
    MissingIs(ErrorKind),
    /// Reading the name of a directory gives bytes (a page made by the server).
    DirectoryHasBytes,
    /// A body comes in one chunk however large it is.
    BodyInOneChunk,
}

impl Quirk {
    /// The server cannot hold keys of this class.
    pub const fn no_key(class: KeyClass, reason: &'static str) -> Self {
        Self { what: What::Key(class, KeyFate::NotHeld), only: None, reason }
    }

    /// The server holds keys of this class, and its protocol does not give them out.
    pub const fn unserved_key(class: KeyClass, reason: &'static str) -> Self {
        Self { what: What::Key(class, KeyFate::NotServed), only: None, reason }
    }

    /// One key of this class makes the listing of its directory fail.
    pub const fn poisoned_listing(class: KeyClass, reason: &'static str) -> Self {
        Self { what: What::Key(class, KeyFate::PoisonsListing), only: None, reason }
    }

    /// The server does something else than others.
    pub const fn behaviour(behaviour: Behaviour, reason: &'static str) -> Self {
        Self { what: What::Behaviour(behaviour), only: None, reason }
    }

    /// Narrows a quirk of a class to some of its keys.
    #[must_use]
    pub const fn only(mut self, keys: &'static [&'static str]) -> Self {
        self.only = Some(keys);
        self
    }

    /// Why it is so.
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// What happens to `key` of `class`, if this quirk is about it.
    pub(crate) fn fate(&self, class: KeyClass, key: &Key) -> Option<KeyFate> {
        let What::Key(quirk_class, fate) = self.what else { return None };
        let meant = self
            .only
            .is_none_or(|only| only.iter().any(|narrowed| narrowed.as_bytes() == key.as_bytes()));
        (quirk_class == class && meant).then_some(fate)
    }

    /// The behaviour, if this quirk is about one.
    pub(crate) fn as_behaviour(&self) -> Option<Behaviour> {
        match self.what {
            What::Behaviour(behaviour) => Some(behaviour),
            What::Key(..) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrowed_quirk_is_about_its_keys_only() {
        let quirk = Quirk::no_key(KeyClass::Percent, "x").only(&["100%"]);
        assert_eq!(quirk.fate(KeyClass::Percent, &Key::from("100%")), Some(KeyFate::NotHeld));
        assert_eq!(quirk.fate(KeyClass::Percent, &Key::from("%41")), None);
        assert_eq!(quirk.fate(KeyClass::Hash, &Key::from("100%")), None);
    }
}
