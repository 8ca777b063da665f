//! What a store answers, held to what is known of the object.

use futures_util::TryStreamExt as _;
use mlfetch_store::{
    Checksum, Error, ErrorKind, Object, ObjectInfo, ReadRequest, Result as StoreResult, Retry,
    StatRequest, Store, WantedChecksums,
};

use super::FileError;
use super::digest::Digests;
use super::transfer::Transfers;
use super::verify::{Verify, strongest};
use crate::destination::DestinationError;

/// Why a transfer came to nothing.
pub(super) struct Broken {
    pub(super) error: FileError,
    /// Whether the same from the first byte may come out right.
    pub(super) again: bool,
}

impl From<FileError> for Broken {
    fn from(error: FileError) -> Self {
        Self { error, again: false }
    }
}

/// A request that failed was repeated already where that could help, with its own patience. An
/// answer that was held to what is known of the object was not.
impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        let again = error.kind() == ErrorKind::Changed && error.retry() != Retry::Never;
        Self { error: error.into(), again }
    }
}

impl From<DestinationError> for Broken {
    fn from(error: DestinationError) -> Self {
        FileError::from(error).into()
    }
}

impl Transfers {
    /// Begins to read, tied to what is known of the object, and looks whether the answer is one to
    /// what was asked.
    pub(super) async fn read(
        &self,
        known: &ObjectInfo,
        request: ReadRequest,
    ) -> StoreResult<Object> {
        let pinned = self.store.info().capabilities.conditional_reads;
        let start = request.range.as_ref().map_or(0, |range| range.start);
        let request = request
            .with_if_match(known.etag.clone().filter(|_| pinned))
            .with_version(known.version.clone());
        let object = self.store.read(&known.key, request).await?;
        unchanged(known, &object.info)?;
        if object.start != start {
            return Err(Error::new(ErrorKind::Protocol, "read", known.key.to_string())
                .with_message(format!("byte {start} was asked for and {} came", object.start)));
        }
        Ok(object)
    }

    /// The next bytes of a body.
    pub(super) async fn next(
        &self,
        body: &mut mlfetch_store::ObjectBody,
        info: &ObjectInfo,
    ) -> Result<Option<bytes::Bytes>, Broken> {
        let next = body.try_next().await.map_err(|error| {
            let again = self.may_pass(&error, info);
            Broken { error: error.into(), again }
        })?;
        if let (Some(chunk), Some(pace)) = (&next, &self.pace) {
            pace.pass(chunk.len()).await;
        }
        Ok(next)
    }

    /// Whether the same file from the start may come out right. A body that can be continued where
    /// it broke was continued as often as patience allows before its error got here.
    fn may_pass(&self, error: &Error, info: &ObjectInfo) -> bool {
        let capabilities = &self.store.info().capabilities;
        let is_tied = info.etag.is_some() || info.version.is_some();
        let was_continued =
            capabilities.ranges && capabilities.conditional_reads && is_tied && info.size.is_some();
        match error.retry() {
            // Where it broke, the store gave something else than the rest; the whole it may give.
            Retry::Never => matches!(
                error.kind(),
                ErrorKind::Integrity | ErrorKind::Protocol | ErrorKind::Unsupported
            ),
            // So it may where the rest came with another length than is known.
            _ => !was_continued || error.kind() == ErrorKind::Changed,
        }
    }

    /// The strongest checksum that the listing or the answer has, and a digest for it, unless none
    /// is wanted. One that costs a request is asked for only where one is required.
    pub(super) async fn checksum(
        &self,
        listed: &ObjectInfo,
        answered: &ObjectInfo,
    ) -> StoreResult<Option<(Checksum, Digests)>> {
        if self.settings.verify == Verify::Off {
            return Ok(None);
        }
        let known = strongest(listed.checksums.iter().chain(&answered.checksums)).cloned();
        let sum = match known {
            None if self.settings.verify == Verify::Required => {
                let info = now(self.store.as_ref(), answered, WantedChecksums::Exact).await?;
                strongest(&info.checksums).cloned()
            }
            known => known,
        };
        Ok(sum.and_then(|sum| Digests::of(&sum).map(|digest| (sum, digest))))
    }
}

/// What a store says now of an object that is known, and with it what was known to tie it by.
/// Checksums may cost a request more.
pub(super) async fn now(
    store: &dyn Store,
    known: &ObjectInfo,
    wanted: WantedChecksums,
) -> StoreResult<ObjectInfo> {
    let mut request = StatRequest::new().with_version(known.version.clone());
    request.checksums = wanted;
    let mut info = store.stat(&known.key, request).await?;
    unchanged(known, &info)?;
    info.etag = info.etag.or_else(|| known.etag.clone());
    info.version = info.version.or_else(|| known.version.clone());
    Ok(info)
}

/// Whether an answer is still about the object that is known: no tag, version or size is another.
/// A size alone may be one of an answer that was cut on its way: it can be asked for again.
pub(super) fn unchanged(known: &ObjectInfo, answered: &ObjectInfo) -> StoreResult<()> {
    fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
        matches!((one, other), (Some(one), Some(other)) if one != other)
    }
    let changed = || Error::new(ErrorKind::Changed, "read", known.key.to_string());
    let is_another = differ(known.etag.as_ref(), answered.etag.as_ref())
        || differ(known.version.as_ref(), answered.version.as_ref());
    if let (Some(listed), Some(answered)) = (known.size, answered.size)
        && listed != answered
    {
        let retry = if is_another { Retry::Never } else { Retry::Later };
        let message = format!("it was {listed} bytes long, and the answer has {answered}");
        return Err(changed().with_message(message).with_retry(retry));
    }
    if is_another {
        return Err(changed());
    }
    Ok(())
}

pub(super) fn wrong_bytes(info: &ObjectInfo, message: String) -> Broken {
    let error = Error::new(ErrorKind::Integrity, "verify", info.key.to_string());
    Broken { error: error.with_message(message).into(), again: true }
}

/// More bytes than were announced, which must not be written anywhere.
pub(super) fn too_long(info: &ObjectInfo, announced: u64) -> Broken {
    wrong_bytes(info, format!("more than the {announced} bytes arrived that were announced"))
}
