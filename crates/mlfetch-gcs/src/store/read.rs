//! Facts and bytes of one object.

use std::borrow::Cow;
use std::ops::Range;

use futures_util::{StreamExt as _, stream};
use mlfetch_http::answer::{check_range, exactly};
use mlfetch_http::header::{ACCEPT_ENCODING, HeaderValue, RANGE};
use mlfetch_store::{Error, ErrorKind, Key, Object, ObjectInfo, ReadRequest, Result};

use super::GcsStore;
use crate::answer::{check_generation, check_object, info};
use crate::error::ENDPOINT;
use crate::request::Call;
use crate::wire::{self, Resource};

/// The longest description of an object that is read, in bytes (`docs/concepts/limits.md`).
const MAX_FACTS_BYTES: usize = 1024 * 1024;

impl GcsStore {
    /// The facts of one object.
    pub(super) async fn stat_one(
        &self,
        operation: &'static str,
        key: &Key,
        generation: Option<&str>,
    ) -> Result<ObjectInfo> {
        let call = self
            .call_of(operation, key, generation)?
            .query("fields", Cow::from(wire::OBJECT_FIELDS));
        let plain = (ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let answer = self.ask(call, [plain]).await?;
        let nonsense = answer
            .error(ErrorKind::Protocol)
            .with_message("the answer does not describe this object")
            .with_hint(ENDPOINT);
        let body = answer.bytes(MAX_FACTS_BYTES).await?;
        let info = wire::resource(&body).map(Resource::into_info);
        info.filter(|info| info.key == *key).ok_or(nonsense)
    }

    /// The bytes of one object.
    pub(super) async fn read_one(&self, key: &Key, request: &ReadRequest) -> Result<Object> {
        match &request.range {
            Some(range) if range.start == range.end => {
                self.read_nothing(key, range.start, request).await
            }
            Some(range) if range.start > range.end => {
                Err(Error::new(ErrorKind::InvalidInput, "read", key.to_string())
                    .with_message("the range ends before it begins"))
            }
            _ => self.read_bytes(key, request).await,
        }
    }

    async fn read_bytes(&self, key: &Key, request: &ReadRequest) -> Result<Object> {
        let asked = request.range.as_ref();
        let if_match = checked_tag(key, request.if_match.as_deref())?;
        let generation = self.generation_of(key, request.version.as_deref());
        // The condition alone says as much, and is cheaper: the emulator looks for a generation among
        // all that it has.
        let named = generation.filter(|generation| if_match != Some(*generation));
        let call = self
            .call_of("read", key, named)?
            .query("alt", Cow::from("media"))
            .query("ifGenerationMatch", if_match.map(Cow::from));
        // Whoever takes gzip gets what is stored; for others the server decompresses on the way, and
        // neither size nor checksum nor ranges are those of the bytes that come.
        let stored = (ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let headers = [stored].into_iter().chain(asked.map(range_header));
        let answer = self.ask(call, headers).await.map_err(|error| gone(error, if_match))?;
        check_object(&answer)?;
        check_generation(&answer, if_match.or(generation))?;
        let given = check_range(&answer, asked)?;
        let info = info(&answer, key);
        let (start, length) = match &given {
            Some(range) => (range.start, Some(range.end - range.start)),
            None => (0, info.size),
        };
        let body = match length {
            Some(length) => exactly(answer.body(), length, key),
            None => answer.body(),
        };
        Ok(Object::new(info, start, body))
    }

    /// No bytes at all: HTTP has no words for an empty range (RFC 9110, 14.1.1), so only the
    /// conditions are looked at.
    async fn read_nothing(&self, key: &Key, start: u64, request: &ReadRequest) -> Result<Object> {
        let if_match = checked_tag(key, request.if_match.as_deref())?;
        let generation = self.generation_of(key, request.version.as_deref());
        let info = self.stat_one("read", key, generation).await;
        let info = info.map_err(|error| gone(error, if_match))?;
        if if_match.is_some() && if_match != info.etag.as_deref() {
            return Err(Error::new(ErrorKind::Changed, "read", key.to_string()));
        }
        Ok(Object::new(info, start, stream::empty().boxed()))
    }

    /// A question about one object.
    fn call_of<'a>(
        &self,
        operation: &'static str,
        key: &'a Key,
        generation: Option<&'a str>,
    ) -> Result<Call<'a>> {
        // Without a key the same request asks for a listing.
        if key.is_root() {
            return Err(Error::new(ErrorKind::IsDirectory, operation, self.info.root.clone()));
        }
        Ok(Call::of_object(operation, key).query("generation", generation.map(Cow::from)))
    }
}

/// A tag of this store is a generation. No object here ever has another, and the server takes a
/// condition that is no number for a mistake.
fn checked_tag<'a>(key: &Key, if_match: Option<&'a str>) -> Result<Option<&'a str>> {
    match if_match {
        Some(tag) if tag.is_empty() || !tag.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(Error::new(ErrorKind::Changed, "read", key.to_string())
                .with_message("the tag that it should have is no generation"))
        }
        tag => Ok(tag),
    }
}

/// A generation that was listed and is not there any more was replaced, or deleted.
fn gone(error: Error, if_match: Option<&str>) -> Error {
    if if_match.is_none() || error.kind() != ErrorKind::NotFound {
        return error;
    }
    Error::new(ErrorKind::Changed, "read", error.subject())
        .with_message("the generation that was listed is gone: it was replaced or deleted")
}

fn range_header(range: &Range<u64>) -> (mlfetch_http::header::HeaderName, HeaderValue) {
    let text = format!("bytes={}-{}", range.start, range.end - 1);
    (RANGE, HeaderValue::try_from(text).expect("digits are a header's value"))
}
