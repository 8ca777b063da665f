//! The names in one directory, a page at a time.

use std::collections::BinaryHeap;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;

use mlfetch_store::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, Page, PageToken, Refused, Result,
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use rustix::fs::{Dir, FileType};
use rustix::io::Errno;

use crate::Symlinks;
use crate::error::{LinkProblem, Problem};
use crate::facts::Facts;
use crate::names::split;
use crate::places::Place;
use crate::root::{Root, require_file};

/// Rows in a page when nobody says how many: a directory that has more is read once for each page.
const PAGE_ENTRIES: usize = 20_000;

/// MLflow's own uploads on their way.
const UNFINISHED: &[u8] = b".artifact.uploading.";

/// One page of a directory, sorted by name. The token is the last name of the page before, so that
/// files that come and go between two pages move no others.
pub(crate) fn list_page(root: &Root, request: &ListRequest) -> Result<Page> {
    if request.depth != Depth::One {
        return Err(Error::new(ErrorKind::Unsupported, "list", request.prefix.to_string())
            .with_message("a file system lists one directory at a time"));
    }
    let fail = |problem: Problem| problem.into_error("list", &request.prefix);
    let segments = split(&request.prefix).map_err(fail)?;
    if !segments.directory {
        return Err(fail(Problem::Name("the prefix of a directory ends in `/`")));
    }
    let directory = root.open_directory(&segments.names).map_err(fail)?;
    let after = request.token.as_ref().map(read_token);
    let limit = request.max_entries.map_or(PAGE_ENTRIES, NonZeroUsize::get);
    let names = names_after(&directory, after.as_deref(), limit)
        .map_err(|errno| fail(Problem::System(errno)))?;
    let next = names.more.then(|| names.first.last().map(|name| write_token(name))).flatten();
    let listing = Listing { root, prefix: &request.prefix, above: &segments.names, directory };
    let entries = names.first.iter().filter_map(|name| listing.entry(name)).collect();
    Ok(Page::new(entries, next))
}

fn write_token(name: &[u8]) -> PageToken {
    PageToken::new(percent_encode(name, NON_ALPHANUMERIC).to_string())
}

fn read_token(token: &PageToken) -> Vec<u8> {
    percent_decode_str(token.as_str()).collect()
}

/// The first names behind another, sorted, and whether there are more.
struct Names {
    first: Vec<Vec<u8>>,
    more: bool,
}

/// Keeps no more names than the page has, however many the directory has.
fn names_after(directory: &OwnedFd, after: Option<&[u8]>, limit: usize) -> Result<Names, Errno> {
    let mut first: BinaryHeap<Vec<u8>> = BinaryHeap::new();
    let mut more = false;
    for row in Dir::read_from(directory)? {
        let row = row?;
        let name = row.file_name().to_bytes();
        let hidden = matches!(name, b"." | b"..") || name.starts_with(UNFINISHED);
        if hidden || after.is_some_and(|after| name <= after) {
            continue;
        }
        first.push(name.to_vec());
        if first.len() > limit {
            first.pop();
            more = true;
        }
    }
    Ok(Names { first: first.into_sorted_vec(), more })
}

/// A directory being listed.
struct Listing<'a> {
    root: &'a Root,
    prefix: &'a Key,
    above: &'a [&'a [u8]],
    directory: OwnedFd,
}

impl Listing<'_> {
    /// The row of a name; none if it went away meanwhile, or is a link that is to be skipped.
    fn entry(&self, name: &[u8]) -> Option<Entry> {
        let key = self.prefix.append(name);
        let found = match Facts::at(&self.directory, name) {
            Ok(facts) if facts.kind == FileType::Symlink => {
                if self.root.config().symlinks == Symlinks::Skip {
                    return None;
                }
                self.behind_link(name, &key)
            }
            Ok(facts) => Ok(facts),
            Err(Errno::NOENT) => return None,
            Err(errno) => Err(Problem::System(errno)),
        };
        Some(row(key, found))
    }

    /// What a link leads to. One that leads to a directory it lies in would be listed without end.
    fn behind_link(&self, name: &[u8], key: &Key) -> Result<Facts, Problem> {
        let mut names = self.above.to_vec();
        names.push(name);
        let directory = match self.root.find(&names)? {
            Place::Other(other) => return Ok(other.facts),
            Place::Directory(directory) => Facts::of(&directory)?,
        };
        for level in 0..names.len() {
            if let Place::Directory(above) = self.root.find(&names[..level])?
                && Facts::of(&above)?.is_same_place(&directory)
            {
                return Err(Problem::Link(key.clone(), LinkProblem::Circle));
            }
        }
        Ok(directory)
    }
}

fn row(key: Key, found: Result<Facts, Problem>) -> Entry {
    let refused = match found {
        Ok(facts) if facts.kind == FileType::Directory => {
            return Entry::Directory(key.append(b"/"));
        }
        Ok(facts) => match require_file(&facts) {
            Ok(()) => return Entry::Object(facts.info(key)),
            Err(problem) => problem,
        },
        Err(problem) => problem,
    };
    let error = refused.into_error("read", &key);
    Entry::Refused(Refused::new(key, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_every_byte_of_a_name() {
        let name = b"a b%\xff\n/\xc3\xa9";
        assert_eq!(read_token(&write_token(name)), name);
    }
}
