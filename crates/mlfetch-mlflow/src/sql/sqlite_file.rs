//! Which file a SQLite URI means, and what is known of it before it is opened.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use mlfetch_store::{Error, ErrorKind, Result, escape};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use crate::Environment;

/// The first bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where the header says which journal is used; 2 is the write-ahead log (SQLite's file format,
/// 1.3.3).
const READ_VERSION_AT: usize = 19;
const WRITE_AHEAD_LOG: u8 = 2;
/// All but what a path may hold as it is (RFC 3986, 2.3, and `/`).
const ESCAPED_IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A database file and how it must be opened.
#[derive(Debug)]
pub(super) struct SqliteFile {
    pub(super) path: PathBuf,
    /// Nobody writes it: no lock is taken and no file is made beside it.
    pub(super) immutable: bool,
}

/// The path in `sqlite:///relative`, `sqlite:////absolute`, also with `+driver`. As `SQLAlchemy`
/// reads it: nothing is percent-decoded, what follows `?` are settings of the driver, and
/// `file:path?uri=true` is `path`.
pub(super) fn path(uri: &str, environment: &Environment) -> Result<PathBuf> {
    let rest = uri.split_once("://").map(|(_, rest)| rest);
    let shown = || escape(uri.as_bytes());
    let rest = rest.and_then(|rest| rest.strip_prefix('/')).ok_or_else(|| {
        Error::new(ErrorKind::InvalidInput, "open the database", shown())
            .with_message("it names no file")
            .with_hint("write sqlite:///relative/path.db or sqlite:////absolute/path.db")
    })?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_uri = query.split('&').any(|pair| pair.eq_ignore_ascii_case("uri=true"));
    let path = if is_uri { path.strip_prefix("file:").unwrap_or(path) } else { path };
    if path.is_empty() || path == ":memory:" {
        return Err(Error::new(ErrorKind::InvalidInput, "open the database", shown())
            .with_message("a database in memory is that of another process")
            .with_hint("give the file: sqlite:///mlflow.db"));
    }
    Ok(environment.current_directory().join(path))
}

/// Looks at the file: it must be there, be readable, and begin as a SQLite database does.
pub(super) fn inspect(path: PathBuf) -> Result<SqliteFile> {
    let fail = |kind, message: String| {
        Error::new(kind, "open the database", path.display().to_string()).with_message(message)
    };
    let metadata = std::fs::metadata(&path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => fail(ErrorKind::NotFound, "there is no such file".into())
            .with_hint("give the store by --tracking-uri or MLFLOW_TRACKING_URI"),
        _ => fail(ErrorKind::Io, cause.to_string()),
    })?;
    if metadata.is_dir() {
        let error = fail(ErrorKind::InvalidInput, "it is a directory".into());
        return Err(error.with_hint("a file store is named by its path, without sqlite://"));
    }
    let mut header = [0; READ_VERSION_AT + 1];
    let read =
        File::open(&path).and_then(|file| file.take(header.len() as u64).read_all(&mut header));
    let read = read.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::PermissionDenied => {
            fail(ErrorKind::PermissionDenied, "it may not be read by this user".into())
        }
        _ => fail(ErrorKind::Io, cause.to_string()),
    })?;
    if read == 0 {
        return Err(fail(ErrorKind::InvalidInput, "the file is empty".into())
            .with_hint("MLflow has not written to it yet"));
    }
    if read < header.len() || !header.starts_with(MAGIC) {
        return Err(fail(ErrorKind::InvalidInput, "it is not a SQLite database".into()));
    }
    let logged_ahead = header[READ_VERSION_AT] == WRITE_AHEAD_LOG;
    // Whoever has such a database open keeps its log beside it. Without one nobody writes, and
    // opening it in the usual way would leave two new files there: nothing is created by a read.
    let immutable = logged_ahead && !beside(&path, "-wal").exists();
    Ok(SqliteFile { path, immutable })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Reads until the buffer is full or the file ends.
trait ReadAll {
    fn read_all(self, buffer: &mut [u8]) -> std::io::Result<usize>;
}

impl<R: std::io::Read> ReadAll for R {
    fn read_all(mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }
}

impl SqliteFile {
    /// The file as a URI for SQLite, its path percent-encoded.
    pub(super) fn uri(&self) -> String {
        let path = self.path.as_os_str().as_encoded_bytes();
        let path = percent_encoding::percent_encode(path, ESCAPED_IN_PATH);
        let immutable = if self.immutable { "?immutable=1" } else { "" };
        format!("file:{path}{immutable}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_slashes_are_relative_and_four_are_absolute() {
        let environment = Environment::new("/here");
        let rows = [
            ("sqlite:///a b.db", "/here/a b.db"),
            ("sqlite:////tmp/a.db", "/tmp/a.db"),
            ("sqlite+pysqlite:///a%20b.db?timeout=5", "/here/a%20b.db"),
            ("sqlite:///file:a.db?mode=ro&uri=true", "/here/a.db"),
            ("SQLITE:///a.db", "/here/a.db"),
        ];
        for (uri, expected) in rows {
            assert_eq!(path(uri, &environment).expect(uri), Path::new(expected), "{uri}");
        }
        for uri in ["sqlite:a.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://a.db"]
        {
            let error = path(uri, &environment).expect_err(uri);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{uri}");
        }
    }

    #[test]
    fn the_uri_for_sqlite_keeps_every_byte_of_the_path() {
        let file = SqliteFile { path: "/a b/50%#?.db".into(), immutable: true };
        assert_eq!(file.uri(), "file:/a%20b/50%25%23%3F.db?immutable=1");
    }
}
