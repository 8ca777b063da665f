//! An ordered list of rules.

use mlfetch_store::{Error, ErrorKind, Gate, Key, Location, Result, escape};

use super::Pattern;
use super::place::{Place, Reading};
use crate::resolve::Target;

/// Which places may be read. The first rule that names a place decides, and what no rule names is
/// denied.
///
/// A place is read with all that lies below it: a rule that denies something below denies all of it,
/// and only a rule that names all of it allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    name: String,
    rules: Vec<Rule>,
    contact: Option<String>,
}

/// One rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    name: String,
    allows: bool,
    patterns: Vec<Pattern>,
}

impl Rule {
    /// Allows what one of the patterns names. `name` is how messages call the rule.
    pub fn allow(name: impl Into<String>, patterns: Vec<Pattern>) -> Self {
        Self { name: name.into(), allows: true, patterns }
    }

    /// Denies it.
    pub fn deny(name: impl Into<String>, patterns: Vec<Pattern>) -> Self {
        Self { name: name.into(), allows: false, patterns }
    }
}

/// Why something is denied.
enum Denial<'a> {
    By(&'a Rule),
    BelowBy(&'a Rule),
    NotAllowed,
}

impl Policy {
    /// One without rules: nothing is allowed. `name` is how messages call it.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), rules: Vec::new(), contact: None }
    }

    /// With one more rule, which counts after those before.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// With whom to ask: what is denied is denied with this advice.
    #[must_use]
    pub fn with_contact(mut self, contact: impl Into<Option<String>>) -> Self {
        self.contact = contact.into();
        self
    }

    fn tree(&self, reading: &Reading) -> std::result::Result<(), Denial<'_>> {
        for rule in &self.rules {
            let covers = rule.patterns.iter().any(|pattern| pattern.covers(reading));
            if covers {
                return if rule.allows { Ok(()) } else { Err(Denial::By(rule)) };
            }
            if !rule.allows && rule.patterns.iter().any(|pattern| pattern.touches(reading)) {
                return Err(Denial::BelowBy(rule));
            }
        }
        Err(Denial::NotAllowed)
    }

    fn server(&self, reading: &Reading) -> std::result::Result<(), Denial<'_>> {
        let anywhere = *reading == Reading::Anywhere;
        for rule in &self.rules {
            if rule.patterns.iter().any(|pattern| pattern.covers(reading)) {
                return if rule.allows { Ok(()) } else { Err(Denial::By(rule)) };
            }
            if anywhere && !rule.allows {
                return Err(Denial::By(rule));
            }
        }
        Err(Denial::NotAllowed)
    }

    fn error(&self, subject: String, denial: &Denial<'_>) -> Error {
        let name = escape(self.name.as_bytes());
        let by = |rule: &Rule| format!("{} of {name}", escape(rule.name.as_bytes()));
        let message = match denial {
            Denial::By(rule) => format!("{} denies it", by(rule)),
            Denial::BelowBy(rule) => format!("{} denies something that may be below it", by(rule)),
            Denial::NotAllowed => format!("no rule of {name} allows it"),
        };
        let whom = self.contact.as_ref().map_or_else(
            || "the administrator of this machine".to_owned(),
            |contact| escape(contact.as_bytes()),
        );
        let hint = match denial {
            Denial::BelowBy(_) => format!("name a part of it that is allowed, or ask {whom}"),
            _ => format!("ask {whom}"),
        };
        Error::new(ErrorKind::Refused, "read", subject).with_message(message).with_hint(hint)
    }
}

impl Gate for Policy {
    fn permit(&self, root: &Location, below: &Key) -> Result<()> {
        let shown = || Target::new(root.as_str()).with_path(below.clone()).display();
        let Place(readings) = Place::of(root, below);
        readings
            .iter()
            .try_for_each(|reading| self.tree(reading))
            .map_err(|denial| self.error(shown(), &denial))
    }

    fn permit_server(&self, address: &Location) -> Result<()> {
        let Place(readings) = Place::of(address, &Key::root());
        readings
            .iter()
            .try_for_each(|reading| self.server(reading))
            .map_err(|denial| self.error(address.to_string(), &denial))
    }
}
