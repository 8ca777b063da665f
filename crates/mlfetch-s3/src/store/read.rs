//! Facts and bytes of one object.

use std::borrow::Cow;
use std::ops::Range;

use futures_util::{StreamExt as _, stream};
use http::Method;
use mlfetch_store::{
    Error, ErrorKind, Key, Object, ObjectInfo, ReadRequest, Result, WantedChecksums,
};

use super::S3Store;
use crate::answer::Answer;
use crate::request::Call;

impl S3Store {
    /// The facts of one object.
    pub(super) async fn stat_one(
        &self,
        operation: &'static str,
        key: &Key,
        version: Option<&str>,
        checksums: WantedChecksums,
    ) -> Result<ObjectInfo> {
        let call = self.call_of(operation, Method::HEAD, key, version)?;
        // Without being asked S3 leaves them out, because they cost it a key to decrypt.
        let wanted = checksums != WantedChecksums::Free;
        let call = call.header("x-amz-checksum-mode", wanted.then_some("ENABLED"))?;
        let answer = match self.bucket.ask(&call).await {
            Err(error) if wants_words(&error) => {
                return self.stat_by_get(operation, key, version).await;
            }
            answer => answer?,
        };
        answer.check_object(operation, key)?;
        let info = with_version(answer.info(key), version);
        if !wanted {
            return Ok(info);
        }
        let found = crate::checksum::found(&answer.head.headers);
        self.with_checksums(info, found, version, checksums).await
    }

    /// An answer to HEAD has no body to say what is wrong; this asks for a byte to hear it.
    async fn stat_by_get(
        &self,
        operation: &'static str,
        key: &Key,
        version: Option<&str>,
    ) -> Result<ObjectInfo> {
        let call = self.call_of(operation, Method::GET, key, version)?;
        let call = call.header("range", Some("bytes=0-0"))?;
        let answer = self.bucket.ask(&call).await?;
        answer.check_object(operation, key)?;
        Ok(with_version(answer.info(key), version))
    }

    /// The bytes of one object.
    pub(super) async fn read_one(&self, key: &Key, request: &ReadRequest) -> Result<Object> {
        let version = self.version_of(key, request.version.as_deref());
        match &request.range {
            Some(range) if range.start == range.end => {
                self.read_nothing(key, range.start, version, request.if_match.as_deref()).await
            }
            Some(range) if range.start > range.end => {
                Err(Error::new(ErrorKind::InvalidInput, "read", key.to_string())
                    .with_message("the range ends before it begins"))
            }
            _ => self.read_bytes(key, request, version).await,
        }
    }

    async fn read_bytes(
        &self,
        key: &Key,
        request: &ReadRequest,
        version: Option<&str>,
    ) -> Result<Object> {
        let asked = request.range.as_ref();
        let if_match = request.if_match.as_deref();
        let call = self.call_of("read", Method::GET, key, version)?;
        let call =
            call.header("if-match", if_match)?.header("range", range_text(asked).as_deref())?;
        // A checksum of the whole proves nothing of a range.
        let call = call.header("x-amz-checksum-mode", asked.is_none().then_some("ENABLED"))?;
        let answer = self.bucket.ask(&call).await?;
        answer.check_object("read", key)?;
        answer.check_etag(key, if_match)?;
        let given = answer.check_range(key, asked)?;
        let info = with_version(answer.info(key), version);
        match given {
            Some(range) => {
                let body = answer.object_body(key, Some(range.end - range.start));
                Ok(Object::new(info, range.start, body))
            }
            None => self.whole(key, info, answer, version).await,
        }
    }

    async fn whole(
        &self,
        key: &Key,
        info: ObjectInfo,
        answer: Answer,
        version: Option<&str>,
    ) -> Result<Object> {
        let found = crate::checksum::found(&answer.head.headers);
        let info = self.with_checksums(info, found, version, WantedChecksums::Exact).await?;
        let length = answer.content_length();
        Ok(Object::new(info, 0, answer.object_body(key, length)))
    }

    /// No bytes at all: HTTP has no words for an empty range (RFC 9110, 14.1.1), so only the
    /// conditions are looked at.
    async fn read_nothing(
        &self,
        key: &Key,
        start: u64,
        version: Option<&str>,
        if_match: Option<&str>,
    ) -> Result<Object> {
        let info = self.stat_one("read", key, version, WantedChecksums::Free).await?;
        if if_match.is_some() && if_match != info.etag.as_deref() {
            return Err(Error::new(ErrorKind::Changed, "read", key.to_string()));
        }
        Ok(Object::new(info, start, stream::empty().boxed()))
    }

    /// A question about one object.
    pub(super) fn call_of<'a>(
        &self,
        operation: &'static str,
        method: Method,
        key: &'a Key,
        version: Option<&'a str>,
    ) -> Result<Call<'a>> {
        // Without a key the same request asks for a listing.
        if key.is_root() {
            return Err(Error::new(ErrorKind::IsDirectory, operation, self.info.root.clone()));
        }
        let call = self.bucket.call(Call::of_object(operation, method, key))?;
        Ok(call.query("versionId", version.map(Cow::from)))
    }
}

/// What an answer to HEAD says too little of. That something is missing is said well enough.
fn wants_words(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::PermissionDenied | ErrorKind::Unsupported
    )
}

/// The version counts as known only where one was asked for: to name it needs a right of its own
/// (`s3:GetObjectVersion`), and an entity tag ties ranges together as well.
fn with_version(info: ObjectInfo, version: Option<&str>) -> ObjectInfo {
    info.with_version(version.map(str::to_owned))
}

fn range_text(range: Option<&Range<u64>>) -> Option<String> {
    range.map(|range| format!("bytes={}-{}", range.start, range.end - 1))
}
