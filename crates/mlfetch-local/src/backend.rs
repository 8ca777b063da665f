//! `file:` URIs and plain paths.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_store::{Backend, Key, Location, Opened, OptionSpec, Options, Result};
use rustix::io::Errno;

use crate::config::OPTIONS;
use crate::location::{local_path, open_error};
use crate::store::blocking;
use crate::{LocalConfig, LocalStore};

/// Opens `file:` URIs and plain paths.
///
/// A directory is opened as the artifact root; of a file, the directory it lies in is the root and
/// the file's name the key.
///
/// ```
/// use mlfetch_local::LocalBackend;
/// use mlfetch_store::{Backends, Key, Location, Options};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let backends = Backends::new().with(LocalBackend);
/// let opened = backends.open(&Location::parse("src/lib.rs")?, &Options::new()).await?;
/// assert_eq!(opened.key, Key::from("lib.rs"));
/// # Ok::<(), mlfetch_store::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalBackend;

impl From<LocalBackend> for Arc<dyn Backend> {
    fn from(backend: LocalBackend) -> Self {
        Arc::new(backend)
    }
}

#[async_trait]
impl Backend for LocalBackend {
    fn name(&self) -> &'static str {
        "local"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["", "file"]
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    async fn open(&self, location: &Location, options: &Options) -> Result<Opened> {
        let config = LocalConfig::from_options(options)?;
        let path = local_path(location)?;
        blocking("open", location.to_string(), move || open(&path, config)).await
    }
}

fn open(path: &Path, config: LocalConfig) -> Result<Opened> {
    let (root, key) = split(path).map_err(|error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        open_error(path, errno)
    })?;
    Ok(Opened::new(Arc::new(LocalStore::open(root, config)?), key))
}

/// The root and the key in it. What is no directory is left to the store to judge, also a link that
/// leads nowhere.
fn split(path: &Path) -> io::Result<(PathBuf, Key)> {
    let is_directory = match fs::metadata(path) {
        Ok(facts) => facts.is_dir(),
        Err(error) => match fs::symlink_metadata(path) {
            Ok(_) => false,
            Err(_) => return Err(error),
        },
    };
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if !is_directory => {
            let empty = parent.as_os_str().is_empty();
            let root = if empty { PathBuf::from(".") } else { parent.to_owned() };
            Ok((root, Key::new(name.as_bytes())))
        }
        _ => Ok((path.to_owned(), Key::root())),
    }
}
