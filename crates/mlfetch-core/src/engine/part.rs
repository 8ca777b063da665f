//! A big file in parts, several at once, each written at its own offset.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::join;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mlfetch_store::{
    Algorithm, Checksum, Error, ErrorKind, ObjectBody, ObjectInfo, ReadRequest, StoreInfo,
    WantedChecksums,
};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, retry_on_intr};
use tokio::time::Instant;

use super::FileError;
use super::answer::{Broken, now, too_long};
use super::digest::Digests;
use super::follow::{Follower, digest_range};
use super::joined::{Joined, Pieces};
use super::journal::{Journal, Step};
use super::lanes::{self, Lanes};
use super::ranges::Held;
use super::sha256::followed;
use super::steps::Stepping;
use super::transfer::{Content, Planned, Transferred, Transfers};
use super::verify::Verify;
use super::writer::{self, Writer};
use crate::destination::StagedFile;
use crate::manifest::Sha256Sum;

/// Files from this size on are fetched in parts, and continued where they ended.
const BIG_BYTES: u64 = 32 * 1024 * 1024;

/// The smallest part: large enough that the request does not count.
const MIN_PART_BYTES: u64 = 16 * 1024 * 1024;

/// The largest part: small enough that none of them is what everybody waits for.
const MAX_PART_BYTES: u64 = 128 * 1024 * 1024;

/// As many parts a file has, if they are of a size in between.
const PARTS: u64 = 32;

/// What is noted of a part as it arrives, in as many steps: if all parts on their way are cut off,
/// no more bytes come again than one part has, and what the network held.
const STEPS: u64 = lanes::MOST as u64;

/// How often a range is asked for whose bytes are not those that its checksum says.
const MAX_TRIES: u32 = 3;

/// How a file is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    size: u64,
}

impl Parts {
    /// Cuts a file if that is worth it and safe: its size is known, the store reads ranges, and
    /// they can be tied to one version of the object.
    pub(super) fn of(info: &ObjectInfo, store: &StoreInfo) -> Option<Self> {
        Self::from(BIG_BYTES, info, store)
    }

    /// The same for files from so many bytes on.
    fn from(least: u64, info: &ObjectInfo, store: &StoreInfo) -> Option<Self> {
        let size = info.size.filter(|size| *size >= least)?;
        let capabilities = &store.capabilities;
        (capabilities.ranges && capabilities.conditional_reads).then_some(Self { size })
    }

    fn part_bytes(self) -> u64 {
        (self.size / PARTS).clamp(MIN_PART_BYTES, MAX_PART_BYTES)
    }

    /// What a file is made of, in order, if these steps of it are there already.
    fn stretches(self, kept: Vec<Step>) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut position = 0;
        for step in kept {
            stretches.extend(self.missing(position..step.range.start));
            position = step.range.end;
            stretches.push(Stretch::Kept(step));
        }
        stretches.extend(self.missing(position..self.size));
        stretches
    }

    fn missing(self, gap: Range<u64>) -> impl Iterator<Item = Stretch> {
        let part = self.part_bytes();
        (0..(gap.end - gap.start).div_ceil(part)).map(move |index| {
            let start = gap.start + index * part;
            Stretch::Missing(start..gap.end.min(start + part))
        })
    }
}

impl Transfers {
    /// Cuts a file if that is worth it and safe. It is worth it already where only ranges of less have
    /// checksums.
    pub(super) fn parts(&self, info: &ObjectInfo) -> Option<Parts> {
        let least = self.sum_bytes(info).map_or(BIG_BYTES, |most| BIG_BYTES.min(most + 1));
        Parts::from(least, info, self.store.info())
    }
}

/// A stretch of a file.
#[derive(Debug)]
enum Stretch {
    /// An earlier fetch wrote it.
    Kept(Step),
    /// It is to be fetched.
    Missing(Range<u64>),
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
            let (bytes, size) = (Content::Staged(staged), parts.size);
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
    steps: Vec<Step>,
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
            step_bytes: parts.part_bytes() / STEPS,
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
        let lanes = Lanes::new(transfers.settings.jobs.map(NonZeroUsize::get));
        let turn = Arc::default();
        let stretches = parts.stretches(self.kept(&stepping).await?);
        let mut arriving = stream::iter(stretches)
            .map(|stretch| self.stretch(stretch, &stepping, &lanes, &turn))
            .buffered(lanes::MOST);
        let mut ranges = BTreeSet::new();
        while let Some(came) = arriving.try_next().await? {
            ranges.insert(came.ranges);
            for step in came.steps {
                if let Some(sha256) = &mut sha256 {
                    sha256.add(step.range.clone()).await.map_err(failed)?;
                }
                proving.add(step).await.map_err(failed)?;
            }
        }
        drop(arriving);
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
        let (size, pieces) = (self.parts.size, Arc::clone(&stepping.pieces));
        let steps = move || Ok(journal.steps(size, &pieces));
        Ok(self.transfers.hands.step(steps).await?)
    }

    /// The steps of a stretch, all of them on the disk.
    async fn stretch(
        &self,
        stretch: Stretch,
        stepping: &Stepping,
        lanes: &Lanes,
        turn: &Arc<Mutex<()>>,
    ) -> Result<Came, Broken> {
        let range = match stretch {
            Stretch::Kept(step) if self.is_there(&step, stepping).await? => {
                let size = step.range.end - step.range.start;
                self.planned.meter.keep(size);
                return Ok(Came { steps: vec![step], ranges: None });
            }
            Stretch::Kept(step) => step.range,
            Stretch::Missing(range) => range,
        };
        let _lane = lanes.take().await;
        let sink = writer::Range {
            file: self.staged.share().map_err(|error| self.failed(&error))?,
            turn: Arc::clone(turn),
            position: range.start,
            steps: stepping.begin(&range),
        };
        let reserved = self.reserve(range.clone(), turn);
        one_part(self.transfers, self.planned, self.info, sink, range, lanes, reserved).await
    }

    /// Takes the space of a range where the file system can: taken for the whole file at once, it
    /// would keep one processor busy and everybody else waiting.
    async fn reserve(&self, range: Range<u64>, turn: &Arc<Mutex<()>>) -> Result<(), FileError> {
        let Self { transfers, planned, staged, .. } = self;
        if staged.is_in_memory() {
            return Ok(());
        }
        let destination = Arc::clone(&transfers.destination);
        let (path, turn) = (planned.path.clone(), Arc::clone(turn));
        let file = staged.share().map_err(|error| destination.io_error(&path, &error))?;
        let reserve = move || {
            let _turn = turn.lock();
            let size = range.end - range.start;
            let take =
                || retry_on_intr(|| fallocate(&file, FallocateFlags::empty(), range.start, size));
            let taken = match take() {
                Err(Errno::NOSPC | Errno::DQUOT) => {
                    destination.give_way();
                    take()
                }
                taken => taken,
            };
            match taken {
                Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
                Err(errno) => Err(destination.error(&path, errno)),
            }
        };
        transfers.hands.step(reserve).await
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

/// Fetches one range, once its space is `reserved`, which happens while the store is asked. Where
/// nothing proves the whole it comes in shorter ones, each with a checksum.
async fn one_part(
    transfers: &Transfers,
    planned: &Planned,
    info: &ObjectInfo,
    sink: writer::Range,
    range: Range<u64>,
    lanes: &Lanes,
    reserved: impl Future<Output = Result<(), FileError>>,
) -> Result<Came, Broken> {
    let length = range.end - range.start;
    let held = transfers.sum_bytes(info).unwrap_or_default().min(length);
    let _turn = transfers.turns.take_and_hold(Some(length), held).await;
    let writer = Writer::new(&transfers.hands, sink);
    let mut part = Part { transfers, planned, info, lanes, writer, is_silent: true };
    let mut reserved = Some(reserved);
    let mut position = range.start;
    let mut ranges = BTreeSet::new();
    let mut tries = 1;
    while position < range.end {
        let asked = Instant::now();
        let most = transfers.sum_bytes(info);
        let end = most.map_or(range.end, |most| range.end.min(position + most));
        let mut request = ReadRequest::new().with_range(position..end);
        request.checksum = most.is_some();
        let answer = transfers.read(info, request);
        let object = match reserved.take() {
            Some(reserved) => {
                let (reserved, object) = join(reserved, answer).await;
                reserved?;
                object?
            }
            None => answer.await?,
        };
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
    let (steps, position) = part.writer.finish().await.map_err(failed)?.steps.finish();
    if position != range.end {
        return Err(too_short(info, position, range.end));
    }
    Ok(Came { steps, ranges: only(ranges) })
}

/// A part on its way.
struct Part<'a> {
    transfers: &'a Transfers,
    planned: &'a Planned,
    info: &'a ObjectInfo,
    lanes: &'a Lanes,
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
                self.lanes.answered(now - asked, now);
            }
            self.lanes.passed(chunk.len(), now);
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
    use std::future::ready;

    use mlfetch_store::{
        Capabilities, Key, ListRequest, Listing, Object, Page, ReadRequest, StatRequest, Store,
    };
    use std::os::unix::fs::FileExt as _;

    use super::*;

    #[test]
    fn parts_cover_a_file_once_and_in_order() {
        const MIN: u64 = MIN_PART_BYTES;
        let step = |range| Step { range, values: Vec::new() };
        for size in [1, MIN, MIN + 1, 5 * MIN - 1, 64 * MIN + 1, 1 << 31, 1 << 40] {
            let kept =
                [vec![], vec![step(0..1)], vec![step(size / 3..size / 2), step(size - 1..size)]];
            for kept in
                kept.into_iter().filter(|kept| kept.iter().all(|step| !step.range.is_empty()))
            {
                let mut at = 0;
                for stretch in (Parts { size }).stretches(kept) {
                    let (Stretch::Kept(Step { range, .. }) | Stretch::Missing(range)) = stretch;
                    assert_eq!(range.start, at);
                    assert!(range.end > at);
                    at = range.end;
                }
                assert_eq!(at, size);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn parts_of_any_size_cover_it_once_and_in_order(size in 1_u64..=1 << 43) {
            let mut at = 0;
            for stretch in (Parts { size }).stretches(Vec::new()) {
                let (Stretch::Kept(Step { range, .. }) | Stretch::Missing(range)) = stretch;
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
            let lanes = Lanes::new(None);
            let sink = writer::Range { file, turn: Arc::default(), position: 2, steps };
            let part =
                one_part(&transfers, &planned, &planned.info, sink, 2..7, &lanes, ready(Ok(())))
                    .await;
            assert_eq!(part.is_ok(), is_right, "{length}");
            let mut bytes = [0; 3];
            written.read_exact_at(&mut bytes, 7).expect("there");
            assert_eq!(&bytes, b"hij", "its neighbour is as it was");
        }
    }
}
