//! A big file in parts, several at once, each written at its own offset.

use std::collections::BTreeSet;
use std::ops::Range;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mlfetch_store::{
    Algorithm, Checksum, Error, ErrorKind, ObjectBody, ObjectInfo, ReadRequest, WantedChecksums,
};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::FileError;
use super::answer::{Broken, now, too_long};
use super::digest::Digests;
use super::follow::{Follower, digest_range};
use super::joined::{Joined, Pieces};
use super::journal::{Journal, Step};
use super::lanes::{self, Lanes};
use super::parts::{Cuts, Parts};
use super::ranges::Held;
use super::sha256::followed;
use super::steps::Stepping;
use super::transfer::{Content, Planned, Transferred, Transfers};
use super::verify::Verify;
use super::writer::{self, Writer};
use crate::destination::StagedFile;
use crate::manifest::Sha256Sum;

/// How often a range is asked for whose bytes are not those that its checksum says.
const MAX_TRIES: u32 = 3;

/// A stretch of a file on its way.
enum Cut {
    /// An earlier fetch wrote it.
    Kept(Step),
    /// It is to be fetched, in a lane that never closes.
    Missing(Range<u64>, Option<OwnedSemaphorePermit>),
}

/// The next stretch. What is missing is cut when there is a lane for it, so that files take turns.
async fn next(lanes: Arc<Lanes>, mut cuts: Cuts) -> Option<(Cut, Cuts)> {
    let cut = match cuts.next_kept() {
        Some(step) => Cut::Kept(step),
        None if cuts.is_at_end() => return None,
        None => {
            let lane = lanes.take().await;
            let range = cuts.next_missing(lanes.are_enough());
            Cut::Missing(range, lane)
        }
    };
    Some((cut, cuts))
}

/// Fetches all parts; the staged file is whole, or there is an error. If an answer has `told` of
/// the object what ties its parts, nobody is asked for it again.
pub(super) async fn transfer(
    transfers: &Transfers,
    planned: &Planned,
    told: Option<&ObjectInfo>,
    parts: Parts,
    wanted: WantedChecksums,
) -> Result<Transferred, Broken> {
    let info = match told {
        Some(told) => told.clone(),
        None => pinned(transfers, planned, wanted).await?,
    };
    let (sum, digest) = transfers.checksum(&planned.info, &info).await?.unzip();
    let staged = transfers.stage_big(planned, &info, sum.as_ref()).await?;
    let arriving = Arriving { transfers, planned, info: &info, parts, staged: &staged };
    match arriving.all(sum, digest).await {
        Ok(Proven { checksum, ranges, sha256 }) => {
            let (bytes, size) = (Content::Staged(staged), parts.size());
            Ok(Transferred { bytes, info, checksum, ranges, sha256, size })
        }
        Err(broken) => {
            // Bytes of another version, or of nobody knows what, are not continued.
            if let FileError::Store(error) = &broken.error
                && matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Changed)
            {
                staged.discard();
            }
            Err(broken)
        }
    }
}

/// One big file on its way.
struct Arriving<'a> {
    transfers: &'a Transfers,
    planned: &'a Planned,
    info: &'a ObjectInfo,
    parts: Parts,
    staged: &'a StagedFile,
}

/// What proves a file, and its SHA-256, if that was asked for.
struct Proven {
    /// The store's checksum and ours, if it gave one.
    checksum: Option<(Checksum, Vec<u8>)>,
    /// How the checksums of its ranges were computed, if all of them came with one.
    ranges: Option<Algorithm>,
    sha256: Option<Sha256Sum>,
}

/// A stretch that is on the disk.
struct Came {
    step: Step,
    /// How the checksums of its ranges were computed, if all of them came with one.
    ranges: Option<Algorithm>,
}

impl Arriving<'_> {
    async fn all(&self, sum: Option<Checksum>, digest: Option<Digests>) -> Result<Proven, Broken> {
        let Self { transfers, parts, staged, .. } = self;
        let failed = |error| self.failed(&error);
        let crc = sum.as_ref().and_then(Pieces::of);
        let is_joined = crc.is_some();
        let stepping = Stepping {
            pieces: Arc::new(crc.unwrap_or_else(Pieces::of_whole)),
            journal: staged.journal().map(Journal::new),
            step_bytes: parts.step_bytes(),
        };
        let mut proving = match digest {
            Some(_) if is_joined => Proving::Joined(Joined::new(&stepping.pieces)),
            Some(digest) => {
                let file = staged.share().map_err(failed)?;
                Proving::Following(Follower::new(&transfers.hands, file, digest))
            }
            None => Proving::Nothing,
        };
        let mut sha256 = transfers.follow_sha256(sum.as_ref(), staged).map_err(failed)?;
        let turn = Arc::default();
        let cuts = parts.cut(self.kept(&stepping).await?);
        let mut arriving = pin!(
            stream::unfold(cuts, |cuts| next(Arc::clone(&transfers.lanes), cuts))
                .map(|stretch| self.stretch(stretch, &stepping, &turn))
                .buffered(lanes::MOST)
        );
        let mut ranges = BTreeSet::new();
        while let Some(came) = arriving.try_next().await? {
            ranges.insert(came.ranges);
            if let Some(sha256) = &mut sha256 {
                sha256.add(came.step.range.clone()).await.map_err(failed)?;
            }
            proving.add(came.step).await.map_err(failed)?;
        }
        let checksum = sum.zip(proving.finish().await.map_err(failed)?);
        let ranges = only(ranges);
        Ok(Proven { checksum, ranges, sha256: followed(sha256).await.map_err(failed)? })
    }

    fn failed(&self, error: &std::io::Error) -> Broken {
        self.transfers.destination.io_error(&self.planned.path, error).into()
    }

    /// The steps that an earlier fetch noted.
    async fn kept(&self, stepping: &Stepping) -> Result<Vec<Step>, Broken> {
        let Some(journal) = stepping.journal.clone() else { return Ok(Vec::new()) };
        let (size, pieces) = (self.parts.size(), Arc::clone(&stepping.pieces));
        let steps = move || Ok(journal.steps(size, &pieces));
        Ok(self.transfers.hands.step(steps).await?)
    }

    /// A stretch, on the disk.
    async fn stretch(
        &self,
        cut: Cut,
        stepping: &Stepping,
        turn: &Arc<Mutex<()>>,
    ) -> Result<Came, Broken> {
        let (range, _lane) = match cut {
            Cut::Kept(step) if self.is_there(&step, stepping).await? => {
                let size = step.range.end - step.range.start;
                self.planned.meter.keep(size);
                return Ok(Came { step, ranges: None });
            }
            Cut::Kept(step) => (step.range, self.transfers.lanes.take().await),
            Cut::Missing(range, lane) => (range, lane),
        };
        let sink = writer::Range {
            file: self.staged.share().map_err(|error| self.failed(&error))?,
            turn: Arc::clone(turn),
            position: range.start,
            steps: stepping.begin(&range),
        };
        one_part(self.transfers, self.planned, self.info, sink, range).await
    }

    /// Whether the bytes of a step are what was noted. After a loss of power they may not be.
    async fn is_there(&self, step: &Step, stepping: &Stepping) -> Result<bool, Broken> {
        let file = self.staged.share().map_err(|error| self.failed(&error))?;
        let (step, pieces) = (step.clone(), Arc::clone(&stepping.pieces));
        let is_same = move || {
            let mut digest = pieces.digests(&step.range);
            let read = digest_range(&file, &mut digest, step.range);
            Ok(read.is_ok() && digest.values() == step.values)
        };
        Ok(self.transfers.hands.step(is_same).await?)
    }
}

/// How the checksum of the whole comes about while its ranges arrive.
enum Proving<'a> {
    Nothing,
    Joined(Joined<'a>),
    Following(Follower),
}

impl Proving<'_> {
    async fn add(&mut self, step: Step) -> std::io::Result<()> {
        match self {
            Self::Joined(joined) => joined.add(&step.range, &step.values),
            Self::Following(follower) => follower.add(step.range).await?,
            Self::Nothing => {}
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
async fn pinned(
    transfers: &Transfers,
    planned: &Planned,
    wanted: WantedChecksums,
) -> Result<ObjectInfo, Error> {
    let proves = transfers.settings.verify != Verify::Off;
    let wanted = if proves { wanted } else { WantedChecksums::Free };
    let mut info = now(transfers.store.as_ref(), &planned.info, wanted).await?;
    info.size = planned.info.size;
    if info.etag.is_none() && info.version.is_none() {
        let key = planned.info.key.to_string();
        return Err(Error::new(ErrorKind::Unsupported, "read in parts", key));
    }
    Ok(info)
}

/// Fetches one range. Where nothing proves the whole it comes in shorter ones, each with a checksum.
async fn one_part(
    transfers: &Transfers,
    planned: &Planned,
    info: &ObjectInfo,
    sink: writer::Range,
    range: Range<u64>,
) -> Result<Came, Broken> {
    let length = range.end - range.start;
    let held = transfers.sum_bytes(info).unwrap_or_default().min(length);
    let _turn = transfers.turns.take_and_hold(Some(length), held).await;
    let writer = Writer::new(&transfers.hands, sink);
    let mut part = Part { transfers, planned, info, writer, is_silent: true };
    let mut position = range.start;
    let mut ranges = BTreeSet::new();
    let mut tries = 1;
    while position < range.end {
        let asked = Instant::now();
        let most = transfers.sum_bytes(info);
        let end = most.map_or(range.end, |most| range.end.min(position + most));
        let mut request = ReadRequest::new().with_range(position..end);
        request.checksum = most.is_some();
        let object = transfers.read(info, request).await?;
        if most.is_some() {
            transfers.range_sums.came(object.checksum.as_ref());
        }
        let held = object.checksum.as_ref().and_then(Held::of);
        let is_held = held.is_some();
        match part.take(object.body, position..end, asked, held).await {
            Ok(algorithm) => {
                ranges.insert(algorithm);
                position = end;
                tries = 1;
            }
            // Nothing of it was written.
            Err(Broken { again: true, .. }) if is_held && tries < MAX_TRIES => {
                tries += 1;
            }
            Err(broken) => return Err(broken),
        }
    }
    let failed = |error: std::io::Error| transfers.destination.io_error(&planned.path, &error);
    let step = part.writer.finish().await.map_err(failed)?.steps.finish();
    if step.range != range {
        return Err(too_short(info, step.range.end, range.end));
    }
    Ok(Came { step, ranges: only(ranges) })
}

/// A part on its way.
struct Part<'a> {
    transfers: &'a Transfers,
    planned: &'a Planned,
    info: &'a ObjectInfo,
    writer: Writer<writer::Range>,
    /// Whether nothing came yet.
    is_silent: bool,
}

impl Part<'_> {
    /// Takes the bytes of a range. If they came with a checksum, they wait until they agree with it;
    /// says how that was computed.
    async fn take(
        &mut self,
        mut body: ObjectBody,
        range: Range<u64>,
        asked: Instant,
        mut held: Option<Held>,
    ) -> Result<Option<Algorithm>, Broken> {
        let mut position = range.start;
        while let Some(chunk) = self.transfers.next(&mut body, self.info).await? {
            let now = Instant::now();
            if std::mem::take(&mut self.is_silent) {
                self.transfers.lanes.answered(now - asked, now);
            }
            self.transfers.lanes.passed(chunk.len(), now);
            position += chunk.len() as u64;
            if position > range.end {
                return Err(too_long(self.info, range.end - range.start));
            }
            match &mut held {
                Some(held) => held.push(chunk),
                None => self.write(chunk).await?,
            }
        }
        if position != range.end {
            return Err(too_short(self.info, position, range.end));
        }
        let Some(held) = held else { return Ok(None) };
        let (chunks, algorithm) = held.proven(self.info)?;
        for chunk in chunks {
            self.write(chunk).await?;
        }
        Ok(Some(algorithm))
    }

    async fn write(&mut self, chunk: Bytes) -> Result<(), Broken> {
        self.planned.meter.add(chunk.len());
        let written = self.writer.write(chunk).await;
        written.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Broken {
        self.transfers.destination.io_error(&self.planned.path, error).into()
    }
}

/// The one that all are.
fn only(mut ranges: BTreeSet<Option<Algorithm>>) -> Option<Algorithm> {
    if ranges.len() == 1 { ranges.pop_first().flatten() } else { None }
}

fn too_short(info: &ObjectInfo, position: u64, end: u64) -> Broken {
    let error = Error::new(ErrorKind::Integrity, "read", info.key.to_string())
        .with_message(format!("a part ended at byte {position} instead of {end}"));
    Broken { error: error.into(), again: true }
}

#[cfg(test)]
mod tests {
    use mlfetch_store::{
        Capabilities, Key, ListRequest, Listing, Object, Page, ReadRequest, StatRequest, Store,
        StoreInfo,
    };
    use std::os::unix::fs::FileExt as _;

    use super::*;

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
            let chunk = Bytes::from(vec![b'x'; self.1]);
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
            let stepping =
                Stepping { pieces: Arc::new(Pieces::of_whole()), journal: None, step_bytes: 2 };
            let steps = stepping.begin(&(2..7));
            let sink = writer::Range { file, turn: Arc::default(), position: 2, steps };
            let part = one_part(&transfers, &planned, &planned.info, sink, 2..7).await;
            assert_eq!(part.is_ok(), is_right, "{length}");
            let mut bytes = [0; 3];
            written.read_exact_at(&mut bytes, 7).expect("there");
            assert_eq!(&bytes, b"hij", "its neighbour is as it was");
        }
    }
}
