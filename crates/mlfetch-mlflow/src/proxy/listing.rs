//! Directories as the server lists them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mlfetch_store::{
    Entry, Error, ErrorKind, Key, ObjectInfo, Page, PageToken, Refused, Result, escape,
};

use super::names::is_basename;
use super::wire::FileRow;

/// The longest listing of one directory, in bytes of JSON (`docs/concepts/limits.md`).
pub(super) const MAX_LISTING_BYTES: usize = 64 << 20;

/// How many directories are remembered.
const MAX_DIRECTORIES: usize = 32;

/// How many rows are remembered, of all directories together; one directory may have more.
const MAX_ROWS: usize = 200_000;

/// How long a listing tells what is there. Pages of one listing are turned without a limit.
const FRESH: Duration = Duration::from_secs(10);

/// The rows of a directory, in the server's order.
pub(super) type Rows = Arc<[FileRow]>;

/// Directories that were listed a moment ago. MLflow 3.17 answers a whole directory at once: pages
/// are cut here, and reads look here for what the server's own answer leaves out.
#[derive(Debug, Default)]
pub(super) struct Listings(Mutex<VecDeque<Listed>>);

#[derive(Debug)]
struct Listed {
    prefix: Key,
    at: Instant,
    rows: Rows,
}

impl Listings {
    /// Remembers a listing, and forgets the oldest where there are too many.
    pub(super) fn keep(&self, prefix: &Key, rows: &Rows) {
        let mut listed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listed.retain(|known| known.prefix != *prefix);
        listed.push_back(Listed {
            prefix: prefix.clone(),
            at: Instant::now(),
            rows: Arc::clone(rows),
        });
        let rows_of = |all: &VecDeque<Listed>| all.iter().map(|it| it.rows.len()).sum::<usize>();
        while listed.len() > 1 && (listed.len() > MAX_DIRECTORIES || rows_of(&listed) > MAX_ROWS) {
            listed.pop_front();
        }
    }

    /// The listing whose pages are being turned.
    pub(super) fn known(&self, prefix: &Key) -> Option<Rows> {
        self.find(prefix, None)
    }

    /// A listing that is new enough to tell what is there.
    pub(super) fn fresh(&self, prefix: &Key) -> Option<Rows> {
        self.find(prefix, Some(FRESH))
    }

    fn find(&self, prefix: &Key, within: Option<Duration>) -> Option<Rows> {
        let listed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = listed.iter().find(|known| known.prefix == *prefix)?;
        within.is_none_or(|age| known.at.elapsed() < age).then(|| Arc::clone(&known.rows))
    }
}

/// What stands under a name in its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A file, with its size where the server says it. It leaves out a size of 0, and one that its
    /// own storage does not tell: so it is unknown here.
    File(Option<u64>),
    /// A directory.
    Directory,
    /// Nothing.
    Nothing,
}

/// Looks for a basename. A bucket can hold a file beside a directory of the same name.
pub(super) fn find(rows: &[FileRow], name: &[u8]) -> Found {
    let mut named = rows.iter().filter(|row| row.path.as_bytes() == name);
    match named.clone().find(|row| !row.is_dir) {
        Some(file) => Found::File(file.file_size),
        None if named.next().is_some() => Found::Directory,
        None => Found::Nothing,
    }
}

/// Where a page begins, and how many rows there were then: a listing that was asked for again and
/// has another number of rows is not the same.
pub(super) fn page_start(token: &PageToken, prefix: &Key, rows: &[FileRow]) -> Result<usize> {
    let parsed = token.as_str().split_once('/').and_then(|(start, rows)| {
        Some((start.parse::<usize>().ok()?, rows.parse::<usize>().ok()?))
    });
    let error = |kind| Error::new(kind, "list", prefix.to_string());
    match parsed {
        Some((_, then)) if then != rows.len() => Err(error(ErrorKind::Changed)),
        Some((start, _)) if start <= rows.len() => Ok(start),
        _ => Err(error(ErrorKind::InvalidInput).with_message("the page token is not of this list")),
    }
}

/// The rows from `start` on, at most `max` of them, each judged by `carry`.
pub(super) fn page(
    prefix: &Key,
    rows: &[FileRow],
    start: usize,
    max: usize,
    carry: impl Fn(&Key) -> Result<()>,
) -> Page {
    let end = rows.len().min(start.saturating_add(max));
    let entries = rows[start..end].iter().map(|row| entry(prefix, row, &carry)).collect();
    let next = (end < rows.len()).then(|| PageToken::new(format!("{end}/{}", rows.len())));
    Page::new(entries, next)
}

fn entry(prefix: &Key, row: &FileRow, carry: impl Fn(&Key) -> Result<()>) -> Entry {
    let key = prefix.append(&row.path);
    if !is_basename(&row.path) {
        let error = Error::new(ErrorKind::Refused, "list", key.to_string())
            .with_message(format!("`{}` is not the name of a file", escape(row.path.as_bytes())));
        return Entry::Refused(Refused::new(key, error));
    }
    let key = if row.is_dir { key.append("/") } else { key };
    match carry(&key) {
        Err(error) => Entry::Refused(Refused::new(key, error)),
        Ok(()) if row.is_dir => Entry::Directory(key),
        Ok(()) => Entry::Object(ObjectInfo::new(key).with_size(row.file_size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(names: &[(&str, bool)]) -> Rows {
        let row = |(path, is_dir): &(&str, bool)| FileRow {
            path: (*path).to_owned(),
            is_dir: *is_dir,
            file_size: None,
        };
        names.iter().map(row).collect()
    }

    #[test]
    fn pages_of_one_answer_are_cut_and_turned() {
        let rows = rows(&[("a", false), ("b", true), ("c", false)]);
        let prefix = Key::from("p/");
        let first = page(&prefix, &rows, 0, 2, |_| Ok(()));
        assert!(matches!(&first.entries[1], Entry::Directory(key) if *key == Key::from("p/b/")));
        let start = page_start(&first.next.expect("a next page"), &prefix, &rows).expect("a start");
        let second = page(&prefix, &rows, start, 2, |_| Ok(()));
        assert_eq!((start, second.entries.len(), second.next), (2, 1, None));
    }

    #[test]
    fn a_token_of_another_listing_is_noticed() {
        let rows = rows(&[("a", false)]);
        let kind =
            |token| page_start(&PageToken::new(token), &Key::root(), &rows).map_err(|e| e.kind());
        assert_eq!(kind("1/2"), Err(ErrorKind::Changed));
        assert_eq!(kind("x"), Err(ErrorKind::InvalidInput));
        assert_eq!(kind("2/1"), Err(ErrorKind::InvalidInput));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused_as_one_row() {
        let rows =
            rows(&[("..", true), ("a/b", false), ("/etc", true), ("", false), ("ok", false)]);
        let page = page(&Key::from("p/"), &rows, 0, 10, |_| Ok(()));
        let refused = page.entries.iter().filter(|row| matches!(row, Entry::Refused(_))).count();
        assert_eq!((refused, page.entries.len()), (4, 5));
    }

    #[test]
    fn the_oldest_listing_is_forgotten() {
        let listings = Listings::default();
        for number in 0..=MAX_DIRECTORIES {
            listings.keep(&Key::from(format!("{number}/")), &rows(&[("a", false)]));
        }
        assert!(listings.known(&Key::from("0/")).is_none());
        assert!(listings.fresh(&Key::from("1/")).is_some());
    }

    #[test]
    fn a_file_is_found_before_a_directory_of_its_name() {
        let rows = rows(&[("a", true), ("a", false), ("b", true)]);
        assert_eq!(find(&rows, b"a"), Found::File(None));
        assert_eq!(find(&rows, b"b"), Found::Directory);
        assert_eq!(find(&rows, b"c"), Found::Nothing);
    }
}
