//! Facts and bytes of one blob.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::{StreamExt as _, stream};
use mlfetch_http::answer::{check_etag, check_range, exactly};
use mlfetch_http::{HttpResponse, Method};
use mlfetch_store::{Checksum, Error, ErrorKind, Key, Object, ObjectInfo, ReadRequest, Result};

use super::AzureStore;
use crate::answer::{check_blob, info_of};
use crate::request::Call;
use crate::version::Version;

impl AzureStore {
    /// The facts of one blob. The checksum that the service keeps is among them and costs nothing.
    pub(super) async fn stat_one(
        &self,
        operation: &'static str,
        key: &Key,
        version: Option<&Version>,
    ) -> Result<ObjectInfo> {
        let call = self.call_of(operation, Method::HEAD, key, version)?;
        let answer = match self.container.ask(&call).await {
            Err(error) if wants_words(&error) => {
                return self.stat_by_get(operation, key, version).await;
            }
            answer => answer?,
        };
        check_blob(&answer)?;
        Ok(with_version(info_of(&answer, key), version))
    }

    /// An answer to HEAD has a code and no body to say what is wrong; this asks for a byte to hear it.
    async fn stat_by_get(
        &self,
        operation: &'static str,
        key: &Key,
        version: Option<&Version>,
    ) -> Result<ObjectInfo> {
        let call = self.call_of(operation, Method::GET, key, version)?;
        let answer = self.container.ask(&call.header("range", Some(range_text(&(0..1))))).await?;
        check_blob(&answer)?;
        Ok(with_version(info_of(&answer, key), version))
    }

    /// The bytes of one blob.
    pub(super) async fn read_one(&self, key: &Key, request: &ReadRequest) -> Result<Object> {
        let version = self.version_of(key, request.version.as_deref());
        match &request.range {
            Some(range) if range.start == range.end => {
                let if_match = request.if_match.as_deref();
                self.read_nothing(key, range.start, version.as_ref(), if_match).await
            }
            Some(range) if range.start > range.end => {
                Err(Error::new(ErrorKind::InvalidInput, "read", key.to_string())
                    .with_message("the range ends before it begins"))
            }
            _ => self.read_bytes(key, request, version.as_ref()).await,
        }
    }

    async fn read_bytes(
        &self,
        key: &Key,
        request: &ReadRequest,
        version: Option<&Version>,
    ) -> Result<Object> {
        let asked = request.range.as_ref();
        let if_match = request.if_match.as_deref();
        let call = self
            .call_of("read", Method::GET, key, version)?
            .header("if-match", if_match.map(str::to_owned))
            .header("range", asked.map(range_text));
        let (answer, sum) = self.ask_for_sum(call, request).await?;
        check_blob(&answer)?;
        check_etag(&answer, if_match)?;
        let given = check_range(&answer, asked)?;
        let info = with_version(info_of(&answer, key), version);
        let object = match given {
            Some(range) => {
                let body = exactly(answer.body(), range.end - range.start, key);
                Object::new(info, range.start, body)
            }
            None => whole(key, info, answer),
        };
        Ok(object.with_checksum(sum))
    }

    /// Asks for bytes; for their checksum too, if that is wanted and the server does not refuse it.
    async fn ask_for_sum(
        &self,
        call: Call<'_>,
        request: &ReadRequest,
    ) -> Result<(HttpResponse, Option<Checksum>)> {
        let header = self.sums.header(request).filter(|_| !self.sums_are_refused.load(Relaxed));
        let Some(header) = header else { return Ok((self.container.ask(&call).await?, None)) };
        let summing = call.clone().header(header, Some("true".to_owned()));
        match self.container.ask(&summing).await {
            // Emulators and gateways have more than one word for it.
            Err(error)
                if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) =>
            {
                let answer = self.container.ask(&call).await?;
                self.sums_are_refused.store(true, Relaxed);
                Ok((answer, None))
            }
            answer => {
                let answer = answer?;
                let sum = self.sums.of(&answer);
                Ok((answer, sum))
            }
        }
    }

    /// No bytes at all: HTTP has no words for an empty range (RFC 9110, 14.1.1), so only the
    /// conditions are looked at.
    async fn read_nothing(
        &self,
        key: &Key,
        start: u64,
        version: Option<&Version>,
        if_match: Option<&str>,
    ) -> Result<Object> {
        let info = self.stat_one("read", key, version).await?;
        if if_match.is_some() && if_match != info.etag.as_deref() {
            return Err(Error::new(ErrorKind::Changed, "read", key.to_string()));
        }
        Ok(Object::new(info, start, stream::empty().boxed()))
    }

    /// A question about one blob.
    fn call_of<'a>(
        &self,
        operation: &'static str,
        method: Method,
        key: &'a Key,
        version: Option<&'a Version>,
    ) -> Result<Call<'a>> {
        // Without a name the same request is one about the container.
        if key.is_root() {
            return Err(Error::new(ErrorKind::IsDirectory, operation, self.info.root.clone()));
        }
        let call = Call::of_blob(operation, method, key);
        Ok(match version.map(Version::query) {
            Some((name, value)) => call.query(name, Some(Cow::from(value))),
            None => call,
        })
    }
}

fn whole(key: &Key, info: ObjectInfo, answer: HttpResponse) -> Object {
    let body = match answer.content_length() {
        Some(length) => exactly(answer.body(), length, key),
        None => answer.body(),
    };
    Object::new(info, 0, body)
}

/// What an answer to HEAD says too little of. That something is missing or archived is said well
/// enough.
fn wants_words(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::PermissionDenied | ErrorKind::Unauthenticated
    )
}

/// The version counts as known only where one was asked for: in accounts without versions there is
/// none, and an entity tag ties ranges together as well.
fn with_version(info: ObjectInfo, version: Option<&Version>) -> ObjectInfo {
    info.with_version(version.map(ToString::to_string))
}

fn range_text(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end - 1)
}
