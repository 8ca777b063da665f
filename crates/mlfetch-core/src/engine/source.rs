//! What was asked for, opened, and whether it is a file or a directory.

use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Key, ObjectInfo, Result, StatRequest, Store};

use super::near::near_names;

/// What was asked for, opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Source {
    /// The store it lies in.
    pub store: Arc<dyn Store>,
    /// Its name there: an object's, or a directory's without or with its `/`.
    pub key: Key,
    /// What it is.
    pub shape: Shape,
    /// Whether nothing may be there: a whole store, or the root of a run or model.
    pub may_be_empty: bool,
}

/// What a name turned out to be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Shape {
    /// One object.
    File(ObjectInfo),
    /// A directory that the store knows.
    Directory,
    /// Not an object; a directory if something lies below it.
    Perhaps,
}

/// The key of a path below another.
pub(super) fn at(root: &Key, path: &Key) -> Key {
    if path.is_root() { root.clone() } else { root.to_prefix().append(path.as_bytes()) }
}

impl Source {
    /// Finds out what `path` below `root` is, with one request or none.
    ///
    /// # Errors
    /// Those of [`Store::stat`], except `NotFound`, which only the listing can tell.
    pub async fn open(
        store: Arc<dyn Store>,
        root: &Key,
        path: &Key,
        may_be_empty: bool,
    ) -> Result<Self> {
        let key = at(root, path);
        let may_be_empty = key.is_root() || may_be_empty && path.is_root();
        if key.is_prefix() {
            return Ok(Self { store, key, shape: Shape::Perhaps, may_be_empty });
        }
        let shape = match store.stat(&key, StatRequest::new()).await {
            Ok(info) => Shape::File(info),
            Err(error) if error.kind() == ErrorKind::IsDirectory => Shape::Directory,
            Err(error) if error.kind() == ErrorKind::NotFound => Shape::Perhaps,
            Err(error) => return Err(error),
        };
        Ok(Self { store, key, shape, may_be_empty })
    }

    /// Why nothing was found below this name: it is a file that was asked for as a directory, it
    /// does not exist, or it is there and empty.
    ///
    /// # Errors
    /// The first two.
    pub async fn explain_nothing(&self) -> Result<()> {
        if self.may_be_empty || matches!(self.shape, Shape::Directory) {
            return Ok(());
        }
        let bare = Key::new(self.key.as_bytes().strip_suffix(b"/").unwrap_or(self.key.as_bytes()));
        match self.store.stat(&bare, StatRequest::new()).await {
            Err(error) if error.kind() == ErrorKind::IsDirectory => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(self.not_found(&bare).await),
            Err(error) => Err(error),
            Ok(_) => Err(Error::new(ErrorKind::InvalidInput, "fetch", self.key.to_string())
                .with_message("a trailing `/` asks for a directory's contents, and this is a file")
                .with_hint("leave the `/` out")),
        }
    }

    async fn not_found(&self, key: &Key) -> Error {
        let root = &self.store.info().root;
        let error = Error::new(ErrorKind::NotFound, "find", key.to_string())
            .with_message(format!("no artifact of that name is in {root}"));
        let near = match near_names(self.store.as_ref(), key).await {
            // Not the name, the whole bucket is missing.
            Err(error)
                if error.kind() == ErrorKind::NotFound && error.subject() == root.as_str() =>
            {
                return error;
            }
            near => near.unwrap_or_default(),
        };
        if near.is_empty() {
            return error.with_hint("`mlfetch ls` shows what is there");
        }
        let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
        error.with_hint(format!("did you mean {}?", near.join(" or ")))
    }
}
