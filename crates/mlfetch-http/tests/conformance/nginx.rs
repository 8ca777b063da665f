//! The nginx that the tests run against, as the environment describes it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use mlfetch_conformance::Bytes;
use mlfetch_http::HttpBackend;
use mlfetch_store::{Backend as _, BoxError, Key, Location, Opened, Options, Result, Secret};

/// A variable that describes the server; a test without a server fails, it is never skipped.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "the variable `{name}` is not set: run `cargo xtask test`, or export what \
             `cargo xtask services up` prints"
        )
    })
}

/// Opens a location with these settings.
pub(crate) async fn open(url: &str, options: &Options) -> Result<Opened> {
    HttpBackend::new().open(&Location::parse(url)?, options).await
}

/// User and password as options.
pub(crate) fn signed_in(password: &str) -> Options {
    Options::new()
        .with("http-username", variable("MLFETCH_TEST_NGINX_USERNAME"))
        .with_secret("http-password", Secret::new(password))
}

/// A directory of its own below the server's root. It goes away with the value.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    name: String,
}

impl Directory {
    /// Makes it, with these files in it.
    pub(crate) fn with(objects: &[(Key, Bytes)]) -> Result<Self, BoxError> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("http-{}-{number}", std::process::id());
        let path = Path::new(&variable("MLFETCH_TEST_NGINX_ROOT")).join(&name);
        std::fs::create_dir(&path)?;
        let directory = Self { path, name };
        for (key, bytes) in objects {
            directory.write(key, bytes)?;
        }
        Ok(directory)
    }

    /// Its name below the server's root.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Writes one file under exactly this name; a name that the file system would take for another
    /// is an error.
    fn write(&self, key: &Key, bytes: &[u8]) -> Result<(), BoxError> {
        let mut path = self.path.clone();
        let mut segments = key.as_bytes().split(|byte| *byte == b'/').peekable();
        while let Some(segment) = segments.next() {
            if matches!(segment, b"" | b"." | b"..") {
                return Err(format!("no file can have the name `{key}`").into());
            }
            path.push(os_name(segment)?);
            if segments.peek().is_some() {
                std::fs::create_dir_all(&path)?;
            }
        }
        Ok(std::fs::write(path, bytes)?)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left goes with the server's own directory.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere a name must be text")]
fn os_name(segment: &[u8]) -> Result<std::ffi::OsString, BoxError> {
    use std::os::unix::ffi::OsStringExt as _;
    Ok(std::ffi::OsString::from_vec(segment.to_vec()))
}

#[cfg(not(unix))]
fn os_name(segment: &[u8]) -> Result<std::ffi::OsString, BoxError> {
    Ok(std::str::from_utf8(segment)?.into())
}
