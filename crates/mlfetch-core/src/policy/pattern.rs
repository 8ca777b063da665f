//! Patterns for places.

use std::str::FromStr;

use mlfetch_store::{Key, Location, escape};

use super::head::{self, Head};
use super::place::{Name, Place, Reading, at_alias};

/// A pattern that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern `{pattern}` cannot be meant: {reason}")]
pub struct PatternError {
    /// The pattern, safe to show.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Names a place and all that lies below it: a URI or an absolute path in which `*` stands for any
/// letters of one segment, and `**` for any number of segments. A word alone is a scheme with all its
/// places, `**` alone is everything.
///
/// Upper and lower case of schemes and hosts, the usual port, escapes, a `/` at the end, `s3a:` for
/// `s3:` and the like make no difference. A query is no part of it.
///
/// ```
/// use mlfetch_core::policy::Pattern;
/// let pattern: Pattern = "s3://models/*/production".parse()?;
/// assert!(pattern.names("s3a://models/fraud/production/v7/MLmodel"));
/// assert!(!pattern.names("s3://models/fraud/staging"));
/// # Ok::<(), mlfetch_core::policy::PatternError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Everything,
    Scheme(String),
    Below { scheme: String, host: Glob, path: Vec<Part> },
}

/// Text in which `*` stands for any text: what stands between the stars.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob(Vec<Vec<u8>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    One(Glob),
    AnyNumber,
}

/// How a pattern and the tree below a name lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    Apart,
    /// Something below the name may be named.
    Touches,
    /// All of it is named.
    Covers,
}

impl Pattern {
    /// Whether it names this place, in whatever way its text is read.
    pub fn names(&self, uri: &str) -> bool {
        Location::parse(uri).is_ok_and(|location| self.names_tree(&location, &Key::root()))
    }

    /// The same of a place `below` a root.
    pub(crate) fn names_tree(&self, root: &Location, below: &Key) -> bool {
        Place::of(root, below).0.iter().all(|reading| self.covers(reading))
    }

    /// Whether all of what a reading means is named.
    pub(super) fn covers(&self, reading: &Reading) -> bool {
        self.relation(reading) == Relation::Covers
    }

    /// Whether something of it may be named.
    pub(super) fn touches(&self, reading: &Reading) -> bool {
        match reading {
            Reading::Anywhere => true,
            Reading::Names(_) => self.relation(reading) > Relation::Apart,
        }
    }

    fn relation(&self, reading: &Reading) -> Relation {
        match (&self.0, reading) {
            (Kind::Everything, _) => Relation::Covers,
            (_, Reading::Anywhere) => Relation::Apart,
            (_, Reading::Names(names)) => {
                names.iter().map(|name| self.to(name)).max().unwrap_or(Relation::Apart)
            }
        }
    }

    fn to(&self, name: &Name) -> Relation {
        match &self.0 {
            Kind::Everything => Relation::Covers,
            Kind::Scheme(scheme) if *scheme == name.scheme => Relation::Covers,
            Kind::Below { scheme, host, path }
                if *scheme == name.scheme && host.matches(name.host.as_bytes()) =>
            {
                walked(path, &name.path)
            }
            _ => Relation::Apart,
        }
    }
}

/// Goes along a path with all the places in the pattern at which one can be.
fn walked(parts: &[Part], path: &[Vec<u8>]) -> Relation {
    let mut at = vec![false; parts.len() + 1];
    at[0] = true;
    let mut path = path.iter();
    loop {
        // Any number of segments may be none.
        for (index, part) in parts.iter().enumerate() {
            at[index + 1] |= at[index] && *part == Part::AnyNumber;
        }
        if at[parts.len()] {
            return Relation::Covers;
        }
        if !at.contains(&true) {
            return Relation::Apart;
        }
        let Some(segment) = path.next() else { return Relation::Touches };
        let mut next = vec![false; parts.len() + 1];
        for (index, part) in parts.iter().enumerate().filter(|(index, _)| at[*index]) {
            match part {
                Part::AnyNumber => next[index] = true,
                Part::One(glob) => next[index + 1] |= glob.matches(segment),
            }
        }
        at = next;
    }
}

impl Glob {
    fn new(text: &[u8], encoded: bool) -> Self {
        let pieces = text.split(|byte| *byte == b'*');
        Self(pieces.map(|piece| if encoded { decoded(piece) } else { piece.to_vec() }).collect())
    }

    fn matches(&self, text: &[u8]) -> bool {
        let [first, between @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_slice()) else { return false };
        for piece in between {
            let found = (0..=rest.len()).find(|at| rest[*at..].starts_with(piece));
            let Some(at) = found else { return false };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last)
    }
}

fn decoded(text: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(text).collect()
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let refuse = |reason| {
            let pattern = Location::parse(text)
                .map_or_else(|_| escape(text.as_bytes()), |location| location.to_string());
            Err(PatternError { pattern, reason })
        };
        if text == "**" {
            return Ok(Self(Kind::Everything));
        }
        if is_word(text) {
            return Ok(Self(Kind::Scheme(head::scheme(text))));
        }
        let Ok(location) = Location::parse(text) else { return refuse("it is empty") };
        let is_path = location.scheme().is_empty();
        if is_path && !text.starts_with('/') {
            return refuse("write a URI, an absolute path, the word of a scheme, or `**`");
        }
        let is_url = matches!(location.scheme(), "http" | "https");
        let has_query = location.path_and_query().1.is_some() || is_url && text.contains('#');
        if has_query || location.names_a_credential() {
            return refuse("a query is no part of a place");
        }
        let Some(head) = Head::of(&location) else { return refuse("no host can be read from it") };
        let path = head.path.strip_prefix('/').unwrap_or(&head.path);
        if head.is_local() && !head.path.starts_with('/') {
            return refuse("write an absolute path");
        }
        match parts(&head, path) {
            Ok(path) => Ok(Self(Kind::Below {
                scheme: head.scheme.to_string(),
                host: Glob::new(head.host.as_bytes(), false),
                path,
            })),
            Err(reason) => refuse(reason),
        }
    }
}

/// Whether it is the name of a scheme without its `:`.
fn is_word(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|next| next.is_ascii_alphanumeric() || next == '-')
}

fn parts(head: &Head<'_>, path: &str) -> Result<Vec<Part>, &'static str> {
    let path = path.trim_end_matches('/');
    let mut segments: Vec<Vec<u8>> =
        if path.is_empty() { Vec::new() } else { path.split('/').map(Into::into).collect() };
    if head.scheme == "models" {
        at_alias(&mut segments);
    }
    let mut parts = Vec::new();
    for segment in segments {
        let plain: Vec<u8> = if head.encoded { decoded(&segment) } else { segment.clone() };
        parts.push(match plain.as_slice() {
            b"" | b"." | b".." => return Err("empty segments, `.` and `..` name nothing"),
            plain if plain.contains(&b'/') => return Err("an escaped `/` is no part of a name"),
            b"**" => Part::AnyNumber,
            _ if segment.windows(2).any(|two| two == b"**") => {
                return Err("`**` stands alone between two `/`");
            }
            _ => Part::One(Glob::new(&segment, head.encoded)),
        });
    }
    // All below is meant anyway.
    while parts.last() == Some(&Part::AnyNumber) {
        parts.pop();
    }
    Ok(parts)
}
