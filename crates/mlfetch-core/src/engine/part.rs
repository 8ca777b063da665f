//! A big file in parts, several at once, each written at its own offset.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mlfetch_store::{Error, ErrorKind, ObjectInfo, ReadRequest, StoreInfo};
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::answer::{Broken, now, too_long};
use super::digest::Digests;
use super::follow::Follower;
use super::joined::{Joined, Pieces};
use super::sha256::followed;
use super::transfer::{Content, Planned, Transferred, Transfers};
use super::verify::Verify;
use super::writer::{Range, Writer};
use crate::RelativePath;
use crate::destination::{Destination, DestinationError, StagedFile};

/// Files from this size on are fetched in parts.
const BIG_BYTES: u64 = 64 * 1024 * 1024;

/// The smallest part: large enough that the request does not count.
const MIN_PART_BYTES: u64 = 16 * 1024 * 1024;

/// The largest part: small enough that none of them is what everybody waits for.
const MAX_PART_BYTES: u64 = 128 * 1024 * 1024;

/// As many parts a file has, if they are of a size in between.
const PARTS: u64 = 64;

/// Parts of one file on their way at once.
const PARTS_AT_ONCE: usize = 8;

/// How a file is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    size: u64,
}

impl Parts {
    /// Cuts a file if that is worth it and safe: its size is known, the store reads ranges, and
    /// they can be tied to one version of the object.
    pub(super) fn of(info: &ObjectInfo, store: &StoreInfo) -> Option<Self> {
        let size = info.size.filter(|size| *size >= BIG_BYTES)?;
        let capabilities = &store.capabilities;
        (capabilities.ranges && capabilities.conditional_reads).then_some(Self { size })
    }

    fn ranges(self) -> impl Iterator<Item = std::ops::Range<u64>> {
        let part = (self.size / PARTS).clamp(MIN_PART_BYTES, MAX_PART_BYTES);
        (0..self.size.div_ceil(part)).map(move |index| {
            let start = index * part;
            start..self.size.min(start + part)
        })
    }
}

/// Fetches all parts; the staged file is whole, or there is an error.
pub(super) async fn transfer(
    transfers: &Transfers,
    planned: &Planned,
    parts: Parts,
) -> Result<Transferred, Broken> {
    let info = pinned(transfers, planned).await?;
    let (sum, digest) = transfers.checksum(&planned.info, &info).await?.unzip();
    let staged = transfers.stage(planned, Some(parts.size)).await?;
    let failed = |error: std::io::Error| transfers.destination.io_error(&planned.path, &error);
    let pieces = sum.as_ref().and_then(Pieces::of);
    let mut proving = match (&pieces, digest) {
        (Some(pieces), _) => Proving::Joined(Joined::new(pieces)),
        (None, Some(digest)) => {
            let file = staged.share().map_err(failed)?;
            Proving::Following(Follower::new(&transfers.hands, file, digest))
        }
        (None, None) => Proving::Nothing,
    };
    let mut sha256 = transfers.follow_sha256(sum.as_ref(), &staged).map_err(failed)?;
    let at_once = PARTS_AT_ONCE.min(transfers.settings.jobs.get());
    let turn = Arc::default();
    let mut arriving = stream::iter(parts.ranges())
        .map(|range| {
            let (file, turn) = (staged.share().map_err(failed), Arc::clone(&turn));
            let digest = pieces.as_ref().and_then(|pieces| pieces.digests(&range));
            let (planned, info) = (&planned, &info);
            async move {
                let sink = Range { file: file?, turn, position: range.start, digest };
                let digest = one_part(transfers, planned, info, sink, range.clone()).await?;
                Ok::<_, Broken>((range, digest))
            }
        })
        .buffered(at_once);
    while let Some((range, digest)) = arriving.try_next().await? {
        if let Some(sha256) = &mut sha256 {
            sha256.add(range.clone()).await.map_err(failed)?;
        }
        proving.add(range, digest).await.map_err(failed)?;
    }
    drop(arriving);
    let checksum = sum.zip(proving.finish().await.map_err(failed)?);
    let sha256 = followed(sha256).await.map_err(failed)?;
    Ok(Transferred { bytes: Content::Staged(staged), info, checksum, sha256, size: parts.size })
}

/// How the checksum of the whole comes about while its ranges arrive.
enum Proving<'a> {
    Nothing,
    Joined(Joined<'a>),
    Following(Follower),
}

impl Proving<'_> {
    async fn add(
        &mut self,
        range: std::ops::Range<u64>,
        digest: Option<Digests>,
    ) -> std::io::Result<()> {
        match (self, digest) {
            (Self::Joined(joined), Some(digest)) => joined.add(&range, &digest.values()),
            (Self::Following(follower), _) => follower.add(range).await?,
            _ => {}
        }
        Ok(())
    }

    async fn finish(self) -> std::io::Result<Option<Vec<u8>>> {
        Ok(match self {
            Self::Nothing => None,
            Self::Joined(joined) => Some(joined.finish()),
            Self::Following(follower) => Some(follower.finish().await?),
        })
    }
}

/// What is known of the object now, with what ties the parts to it. Without a tie it comes in one
/// piece: parts of two versions must not be joined.
async fn pinned(transfers: &Transfers, planned: &Planned) -> Result<ObjectInfo, Error> {
    let proves = transfers.settings.verify != Verify::Off;
    let mut info = now(transfers.store.as_ref(), &planned.info, proves).await?;
    info.size = planned.info.size;
    if info.etag.is_none() && info.version.is_none() {
        let key = planned.info.key.to_string();
        return Err(Error::new(ErrorKind::Unsupported, "read in parts", key));
    }
    Ok(info)
}

/// Takes the space before the bytes come, where the file system can.
pub(super) fn reserve(
    destination: &Destination,
    path: &RelativePath,
    staged: &StagedFile,
    size: u64,
) -> Result<(), DestinationError> {
    let file = staged.share().map_err(|error| destination.io_error(path, &error))?;
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, size) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        Err(errno) => Err(destination.error(path, errno)),
    }
}

/// Fetches one range; gives the digest of its bytes, if the sink has one.
async fn one_part(
    transfers: &Transfers,
    planned: &Planned,
    info: &ObjectInfo,
    sink: Range,
    range: std::ops::Range<u64>,
) -> Result<Option<Digests>, Broken> {
    let _turn = transfers.turn().await;
    let request = ReadRequest::new().with_range(range.clone());
    let mut body = transfers.read(info, request).await?.body;
    let failed = |error: std::io::Error| transfers.destination.io_error(&planned.path, &error);
    let mut writer = Writer::new(&transfers.hands, sink);
    let mut position = range.start;
    while let Some(chunk) = transfers.next(&mut body, info).await? {
        position += chunk.len() as u64;
        if position > range.end {
            return Err(too_long(info, range.end - range.start));
        }
        planned.meter.add(chunk.len());
        writer.write(chunk).await.map_err(failed)?;
    }
    let Range { position, digest, .. } = writer.finish().await.map_err(failed)?;
    if position != range.end {
        let error = Error::new(ErrorKind::Integrity, "read", info.key.to_string())
            .with_message(format!("a part ended at byte {position} instead of {}", range.end));
        return Err(Broken { error: error.into(), again: true });
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use mlfetch_store::{
        Capabilities, Key, ListRequest, Listing, Object, Page, ReadRequest, StatRequest, Store,
    };
    use std::os::unix::fs::FileExt as _;

    use super::*;

    #[test]
    fn parts_cover_a_file_once_and_in_order() {
        const MIN: u64 = MIN_PART_BYTES;
        for size in [1, MIN, MIN + 1, 5 * MIN - 1, 64 * MIN + 1, 1 << 31, 1 << 40] {
            let mut at = 0;
            for range in (Parts { size }).ranges() {
                assert_eq!(range.start, at);
                assert!(range.end > at && range.end - at <= MAX_PART_BYTES);
                at = range.end;
            }
            assert_eq!(at, size);
        }
    }

    proptest::proptest! {
        #[test]
        fn parts_of_any_size_cover_it_once_and_in_order(size in 1_u64..=1 << 43) {
            let mut at = 0;
            for range in (Parts { size }).ranges() {
                proptest::prop_assert_eq!(range.start, at);
                let part = range.end - range.start;
                proptest::prop_assert!(part > 0 && part <= MAX_PART_BYTES);
                proptest::prop_assert!(part >= MIN_PART_BYTES || range.end == size);
                at = range.end;
            }
            proptest::prop_assert_eq!(at, size);
        }
    }

    #[test]
    fn only_big_files_of_stores_that_tie_their_ranges_are_cut() {
        let is_cut = |size: Option<u64>, capabilities: Capabilities| {
            let info = ObjectInfo::new(Key::from("x")).with_size(size);
            Parts::of(&info, &StoreInfo::new("test", "test:", capabilities)).is_some()
        };
        let all = Capabilities::new(Listing::Flat);
        assert!(is_cut(Some(BIG_BYTES), all.clone()));
        assert!(!is_cut(Some(BIG_BYTES - 1), all.clone()));
        assert!(!is_cut(None, all.clone()));
        assert!(!is_cut(Some(BIG_BYTES), all.clone().without_ranges()));
        assert!(!is_cut(Some(BIG_BYTES), all.without_conditional_reads()));
    }

    /// Bodies of this length, whatever was asked for, and nothing between the engine and the store
    /// that would notice.
    #[derive(Debug)]
    struct Careless(StoreInfo, usize);

    #[async_trait::async_trait]
    impl Store for Careless {
        fn info(&self) -> &StoreInfo {
            &self.0
        }
        async fn list_page(&self, _: ListRequest) -> mlfetch_store::Result<Page> {
            Ok(Page::default())
        }
        async fn stat(&self, key: &Key, _: StatRequest) -> mlfetch_store::Result<ObjectInfo> {
            Ok(ObjectInfo::new(key.clone()).with_size(10))
        }
        async fn read(&self, key: &Key, request: ReadRequest) -> mlfetch_store::Result<Object> {
            let start = request.range.map_or(0, |range| range.start);
            let chunk = bytes::Bytes::from(vec![b'x'; self.1]);
            let info = ObjectInfo::new(key.clone()).with_size(10);
            Ok(Object::new(info, start, Box::pin(stream::iter([Ok(chunk)]))))
        }
    }

    #[tokio::test]
    async fn a_part_that_is_too_long_or_too_short_is_no_part() {
        for (length, is_right) in [(4, false), (5, true), (6, false)] {
            let info = StoreInfo::new("careless", "careless:", Capabilities::new(Listing::Flat));
            let home = tempfile::tempdir().expect("a directory");
            let transfers = Transfers::over(Arc::new(Careless(info, length)), home.path());
            let planned = Planned::of(Key::from("x"), 10);
            let file = tempfile::tempfile().expect("a file");
            file.write_all_at(b"ab..efghij", 0).expect("written");
            let written = file.try_clone().expect("a handle");
            let sink = Range { file, turn: Arc::default(), position: 2, digest: None };
            let part = one_part(&transfers, &planned, &planned.info, sink, 2..7).await;
            assert_eq!(part.is_ok(), is_right, "{length}");
            let mut bytes = [0; 3];
            written.read_exact_at(&mut bytes, 7).expect("there");
            assert_eq!(&bytes, b"hij", "its neighbour is as it was");
        }
    }
}
