//! The parts that an object was uploaded in: a composite checksum covers their checksums.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use http::Method;
use mlfetch_store::{Coverage, Error, ErrorKind, Key, ObjectInfo, Result, WantedChecksums};

use super::S3Store;
use crate::checksum::Found;
use crate::wire;

/// The most parts that S3 allows.
const MAX_PARTS: usize = 10_000;

/// Up to so many parts are asked for one by one where the server does not list them.
const MAX_SINGLE_PARTS: usize = 128;

/// Parts that are asked for at the same time.
const PARTS_AT_ONCE: usize = 8;

/// The longest list of parts that is read, in bytes (`docs/concepts/limits.md`).
const MAX_LIST_BYTES: usize = 1024 * 1024;

impl S3Store {
    /// The facts with the checksums that an answer carried. One over parts is of use only with
    /// their sizes; where they cannot be had it is left out.
    pub(super) async fn with_checksums(
        &self,
        info: ObjectInfo,
        found: Found,
        version: Option<&str>,
        wanted: WantedChecksums,
    ) -> Result<ObjectInfo> {
        let mut checksums = found.whole;
        if let Some((checksum, count)) = found.composite
            && checksums.is_empty()
            && let Some(sizes) = self.part_sizes(&info, count, version, wanted).await?
        {
            checksums.push(checksum.with_coverage(Coverage::Parts(sizes)));
        }
        Ok(info.with_checksums(checksums))
    }

    /// The sizes of `count` parts in bytes, in order, if they are those of this very object.
    async fn part_sizes(
        &self,
        info: &ObjectInfo,
        count: usize,
        version: Option<&str>,
        wanted: WantedChecksums,
    ) -> Result<Option<Vec<u64>>> {
        let Some(size) = info.size.filter(|_| (1..=MAX_PARTS).contains(&count)) else {
            return Ok(None);
        };
        if count == 1 {
            return Ok(Some(vec![size]));
        }
        let mut sizes = Vec::new();
        if !self.parts_refused.load(Ordering::Relaxed) {
            sizes = self.listed_parts(info, count, version).await.or_else(not_told)?;
            // A server that lists none, or may not, will not for the next object either.
            self.parts_refused.fetch_or(sizes.is_empty(), Ordering::Relaxed);
        }
        if sizes.is_empty() && wanted != WantedChecksums::Exact {
            // Nearly every upload has parts of one length, but for the last.
            let even = self.even_parts(info, size, count, version).await;
            sizes = even.or_else(not_told)?;
        }
        if sizes.is_empty() && count <= MAX_SINGLE_PARTS {
            sizes = self.single_parts(info, count, version).await.or_else(not_told)?;
        }
        let fits = sizes.len() == count && sizes.iter().sum::<u64>() == size;
        Ok(fits.then_some(sizes))
    }

    /// By `GetObjectAttributes`: one request for a thousand parts.
    async fn listed_parts(
        &self,
        info: &ObjectInfo,
        count: usize,
        version: Option<&str>,
    ) -> Result<Vec<u64>> {
        let mut sizes = Vec::with_capacity(count);
        let mut marker: Option<String> = None;
        while sizes.len() < count {
            let call = self.call_of("read", Method::GET, &info.key, version)?;
            let call = call
                .query("attributes", Cow::from(""))
                .header("x-amz-object-attributes", Some("ETag,ObjectParts"))?
                .header("x-amz-max-parts", Some("1000"))?
                .header("x-amz-part-number-marker", marker.as_deref())?;
            let answer = self.bucket.ask(&call).await?;
            let body = answer.bytes(MAX_LIST_BYTES, &self.info.root).await?;
            let page = wire::parts_page(&body).filter(|page| page.etag == info.etag);
            // Of another version, or no list at all: nothing is known.
            let Some(page) = page.filter(|page| !page.sizes.is_empty()) else {
                return Ok(Vec::new());
            };
            sizes.extend(page.sizes);
            marker = page.next;
            if marker.is_none() {
                break;
            }
        }
        Ok(sizes)
    }

    /// By a HEAD for the first part and one for the last; nothing if those lengths and the number of
    /// parts do not come to `size` with all others as long as the first.
    async fn even_parts(
        &self,
        info: &ObjectInfo,
        size: u64,
        count: usize,
        version: Option<&str>,
    ) -> Result<Vec<u64>> {
        let part = |number| self.single_part(&info.key, number, info.etag.as_deref(), version);
        let (first, last) = future::try_join(part(1), part(count)).await?;
        let others = first.checked_mul(count as u64 - 1);
        let is_even = last <= first && others.and_then(|all| all.checked_add(last)) == Some(size);
        let mut sizes = vec![first; if is_even { count } else { 0 }];
        if let Some(end) = sizes.last_mut() {
            *end = last;
        }
        Ok(sizes)
    }

    /// By a HEAD for each part.
    async fn single_parts(
        &self,
        info: &ObjectInfo,
        count: usize,
        version: Option<&str>,
    ) -> Result<Vec<u64>> {
        let parts = stream::iter(1..=count)
            .map(|number| self.single_part(&info.key, number, info.etag.as_deref(), version));
        parts.buffered(PARTS_AT_ONCE).try_collect().await
    }

    async fn single_part(
        &self,
        key: &Key,
        number: usize,
        etag: Option<&str>,
        version: Option<&str>,
    ) -> Result<u64> {
        let call = self.call_of("read", Method::HEAD, key, version)?;
        let call =
            call.query("partNumber", Cow::from(number.to_string())).header("if-match", etag)?;
        let answer = self.bucket.ask(&call).await?;
        let length = answer.content_length();
        length.ok_or_else(|| Error::new(ErrorKind::Unsupported, "read", key.to_string()))
    }
}

/// Servers that keep no parts, and readers without the right to see them, do without this proof. What
/// may pass is passed on, to be asked again.
fn not_told(error: Error) -> Result<Vec<u64>> {
    match error.retry() {
        mlfetch_store::Retry::Never => Ok(Vec::new()),
        _ => Err(error),
    }
}
