//! The bytes of one file.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use mlfetch_store::{Error, ErrorKind, Key, Object, ObjectBody, ReadRequest, Result};
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread, retry_on_intr};

use crate::error::{Problem, system};
use crate::facts::Facts;
use crate::names::split;
use crate::root::Root;
use crate::store::{blocking, no_versions};

/// What is read in one hop to a blocking thread.
const CHUNK_BYTES: u64 = 512 * 1024;

/// What is read in the same hop that opens the file.
const SMALL_BYTES: u64 = 64 * 1024;

/// A file with the part of it that is to be read.
#[derive(Debug)]
struct Reading {
    file: Arc<File>,
    key: Key,
    /// As it was when it was opened.
    opened: Facts,
    left: Range<u64>,
}

/// Opens a file and reads it, if it is small, or prepares to. Blocks.
pub(crate) fn open(root: &Root, key: &Key, request: &ReadRequest) -> Result<Object> {
    no_versions("read", key, request.version.as_ref())?;
    let mut reading =
        Reading::open(root, key).map_err(|problem| problem.into_error("read", key))?;
    let tag = reading.opened.tag();
    if request.if_match.as_ref().is_some_and(|wanted| *wanted != tag) {
        return Err(changed(key, "it is not the file that was listed"));
    }
    let size = reading.opened.size;
    let range = request.range.clone().unwrap_or(0..size);
    let start = range.start.min(size);
    reading.left = start..range.end.clamp(start, size);
    let info = reading.opened.info(key.clone());
    if reading.left.end - start <= SMALL_BYTES {
        return Ok(Object::new(info, start, stream::iter(reading.rest()?.map(Ok)).boxed()));
    }
    let file = request.range.is_none().then(|| Arc::clone(&reading.file));
    Ok(Object::new(info, start, stream_of(reading)).with_file(file))
}

fn stream_of(reading: Reading) -> ObjectBody {
    let reading = Arc::new(reading);
    let left = reading.left.clone();
    stream::try_unfold(left, move |left| {
        let reading = Arc::clone(&reading);
        async move {
            if left.is_empty() {
                return Ok(None);
            }
            blocking("read", reading.key.to_string(), move || {
                let chunk = reading.chunk(&left)?;
                let after = left.start + chunk.len() as u64;
                Ok(Some((chunk, after..left.end)))
            })
            .await
        }
    })
    .boxed()
}

impl Reading {
    fn open(root: &Root, key: &Key) -> Result<Self, Problem> {
        let segments = split(key)?;
        if segments.directory {
            root.open_directory(&segments.names)?;
            return Err(Problem::IsDirectory);
        }
        let (file, opened) = root.open_file(&segments.names)?;
        Ok(Self { file: Arc::new(file), key: key.clone(), opened, left: 0..0 })
    }

    /// All that is left, which is not much; none if there is nothing.
    fn rest(mut self) -> Result<Option<Bytes>> {
        let mut all: Vec<u8> = Vec::new();
        while !self.left.is_empty() {
            let chunk = self.chunk(&self.left)?;
            self.left.start += chunk.len() as u64;
            if all.is_empty() && self.left.is_empty() {
                return Ok(Some(chunk));
            }
            all.extend_from_slice(&chunk);
        }
        Ok((!all.is_empty()).then(|| all.into()))
    }

    /// The next bytes. Before the last of them are given out, the file must be as it was.
    fn chunk(&self, left: &Range<u64>) -> Result<Bytes> {
        let failed = |errno: Errno| system(errno, "read", self.key.to_string());
        let length = usize::try_from((left.end - left.start).min(CHUNK_BYTES));
        let mut buffer: Vec<u8> = Vec::with_capacity(length.unwrap_or(usize::MAX));
        // A vector may have more room than was asked for, and what lies behind is not wanted.
        let wanted = left.end - left.start;
        retry_on_intr(|| pread(&self.file, spare_capacity(&mut buffer), left.start))
            .map_err(failed)?;
        buffer.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        if buffer.is_empty() {
            return Err(changed(&self.key, "it became shorter while it was read"));
        }
        let is_last = buffer.len() as u64 == wanted;
        if is_last && !Facts::of(&self.file).map_err(failed)?.has_same_bytes(&self.opened) {
            return Err(changed(&self.key, "it was written to while it was read"));
        }
        Ok(buffer.into())
    }
}

fn changed(key: &Key, why: &'static str) -> Error {
    Error::new(ErrorKind::Changed, "read", key.to_string())
        .with_message(why)
        .with_hint("fetch it again when nobody writes to it")
}
