//! A place by all the names that it can be read as.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use mlfetch_store::{Key, Location};
use percent_encoding::percent_decode_str;

use super::head::Head;

/// A name of a place: what stands where, each in one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) path: Vec<Vec<u8>>,
}

/// What a place is if its text is read in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// The place with these names; they are all of the same place.
    Names(Vec<Name>),
    /// Nobody can say: it may be any place.
    Anywhere,
}

/// The ways in which the text of a place can be read. One server takes `a//b` for `a/b` and another
/// does not: what is allowed must be allowed in each of them.
#[derive(Debug)]
pub(super) struct Place(pub(super) Vec<Reading>);

impl Place {
    /// The place `below` a root.
    pub(super) fn of(root: &Location, below: &Key) -> Self {
        let Some(head) = Head::of(root) else { return Self(vec![Reading::Anywhere]) };
        let with_paths = |head| (paths(&head, below.as_bytes()), head);
        let aliases: Vec<_> = head.aliases().into_iter().map(with_paths).collect();
        let mut readings: Vec<Reading> = Vec::new();
        for (at, path) in paths(&head, below.as_bytes()).into_iter().enumerate() {
            let Some(path) = path else {
                readings.push(Reading::Anywhere);
                continue;
            };
            let mut names = vec![Name::of(&head, path)];
            for (its_paths, alias) in &aliases {
                if let Some(Some(path)) = its_paths.get(at).or(its_paths.first()) {
                    names.push(Name::of(alias, path.clone()));
                }
            }
            readings.push(Reading::Names(names));
        }
        readings.dedup();
        Self(readings)
    }
}

impl Name {
    fn of(head: &Head<'_>, mut path: Vec<Vec<u8>>) -> Self {
        if head.scheme == "models" {
            at_alias(&mut path);
        }
        Self { scheme: head.scheme.to_string(), host: head.host.clone(), path }
    }
}

/// `name@alias` as two segments, so that a model's name is all of its versions and aliases.
pub(super) fn at_alias(path: &mut Vec<Vec<u8>>) {
    let Some(first) = path.first() else { return };
    let Some(at) = first.iter().rposition(|byte| *byte == b'@') else { return };
    let alias = first[at..].to_vec();
    path[0].truncate(at);
    path.insert(1, alias);
}

/// The segments of the path, in each way in which they can be read; `None` for a way that leads
/// anywhere.
fn paths(head: &Head<'_>, below: &[u8]) -> Vec<Option<Vec<Vec<u8>>>> {
    let mut readings = Vec::new();
    for mut path in spelled(head) {
        // The `/` before what is asked for below stands between two segments.
        if path.last().is_some_and(Vec::is_empty) {
            path.pop();
        }
        path.extend(segments(below));
        // A tree holds that of the name with `/` behind it.
        while path.last().is_some_and(Vec::is_empty) {
            path.pop();
        }
        if path.iter().any(|segment| segment == b"..") {
            // On a disk it leads to another path of that disk; to what a server makes of it, nobody
            // can say.
            readings.push(head.is_local().then(Vec::new));
            continue;
        }
        let folds = |segment: &Vec<u8>| !segment.is_empty() && segment != b".";
        let folded = path.iter().filter(|segment| folds(segment)).cloned().collect();
        readings.push(Some(path));
        readings.push(Some(folded));
    }
    if head.scheme == "gs" {
        let bare: Vec<_> =
            readings.iter().flatten().filter_map(|path| without_generation(path)).collect();
        readings.extend(bare.into_iter().map(Some));
    }
    let mut kept: Vec<Option<Vec<Vec<u8>>>> = Vec::new();
    for reading in readings {
        if !kept.contains(&reading) {
            kept.push(reading);
        }
    }
    kept
}

/// The path of the URI itself. Whether an escaped `/` divides segments says the server.
fn spelled(head: &Head<'_>) -> Vec<Vec<Vec<u8>>> {
    if head.is_local() {
        let path: Vec<u8> = if head.encoded {
            percent_decode_str(&head.path).collect()
        } else {
            head.path.as_bytes().to_vec()
        };
        let absolute = std::path::absolute(Path::new(OsStr::from_bytes(&path)));
        return absolute.map_or_else(
            |_| vec![vec![b"..".to_vec()]],
            |path| {
                vec![segments(path.as_os_str().as_bytes().strip_prefix(b"/").unwrap_or_default())]
            },
        );
    }
    let path = head.path.strip_prefix('/').unwrap_or(&head.path);
    if !head.encoded {
        return vec![segments(path.as_bytes())];
    }
    let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let whole = decoded(path);
    let mut ways = vec![segments(&whole), path.split('/').map(decoded).collect()];
    if whole.contains(&b'\\') {
        let is_divider = |byte: &u8| matches!(byte, b'/' | b'\\');
        ways.push(whole.split(is_divider).map(<[u8]>::to_vec).collect());
    }
    ways.dedup();
    ways
}

fn segments(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect()
}

/// An object without the generation behind its name (the rule of `mlfetch-gcs`): `#` and sixteen or
/// more digits.
fn without_generation(path: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let last = path.last()?;
    let at = last.iter().rposition(|byte| *byte == b'#')?;
    let digits = &last[at + 1..];
    let is_generation = digits.len() >= 16 && digits.iter().all(u8::is_ascii_digit);
    is_generation.then(|| {
        let mut bare = path.to_vec();
        if let Some(last) = bare.last_mut() {
            last.truncate(at);
        }
        bare
    })
}
