//! Files without a checksum of the whole, from a store that computes one over each range it is asked
//! for.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use mlfetch_conformance::{FaultyStore, Operation};
use mlfetch_core::engine::{FetchError, FileError, Proof, Report, Verify};
use mlfetch_store::{
    Algorithm, Checksum, ErrorKind, Key, ListRequest, MemoryStore, Object, ObjectInfo, Page,
    ReadRequest, Result, StatRequest, Store, StoreInfo,
};

use crate::parts::{BIG, MEBIBYTE, assert_whole, big, store, with_checksum};
use crate::support::{Home, Telling};

/// The longest range with a checksum: the big file has 17 of them.
const MOST: u64 = 4 * MEBIBYTE as u64;

/// Computes a CRC-32C over each range that is asked for with one and is short enough.
#[derive(Debug)]
struct Summing {
    inner: Arc<dyn Store>,
    info: StoreInfo,
    computes: bool,
    /// So many reads are answered, and those after them never.
    answers: usize,
    /// So often a bit flips, after it was digested, in the range that has the byte in the middle.
    flips: AtomicUsize,
    /// The ranges that were read, and whether a checksum was asked for.
    asked: Mutex<Vec<(Option<Range<u64>>, bool)>>,
}

impl Summing {
    fn new(inner: impl Store) -> Self {
        let mut info = inner.info().clone();
        info.capabilities = info.capabilities.clone().with_checksum_bytes(MOST);
        Self {
            inner: Arc::new(inner),
            info,
            computes: true,
            answers: usize::MAX,
            flips: AtomicUsize::new(0),
            asked: Mutex::default(),
        }
    }

    fn answering(mut self, reads: usize) -> Self {
        self.answers = reads;
        self
    }

    fn flipping(self, times: usize) -> Self {
        self.flips.store(times, Ordering::SeqCst);
        self
    }

    /// Says that it would, and does not.
    fn in_name_only(mut self) -> Self {
        self.computes = false;
        self
    }

    fn perhaps_flip(&self, size: Option<u64>, start: u64, bytes: &mut [u8]) {
        let middle = size.unwrap_or_default() / 2;
        let at = middle.checked_sub(start).and_then(|at| usize::try_from(at).ok());
        let Some(byte) = at.and_then(|at| bytes.get_mut(at)) else { return };
        let less = |left: usize| left.checked_sub(1);
        if self.flips.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            *byte ^= 1;
        }
    }

    fn asked(&self) -> Vec<(Option<Range<u64>>, bool)> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl Store for Summing {
    fn info(&self) -> &StoreInfo {
        &self.info
    }
    async fn list_page(&self, request: ListRequest) -> Result<Page> {
        self.inner.list_page(request).await
    }
    async fn stat(&self, key: &Key, request: StatRequest) -> Result<ObjectInfo> {
        self.inner.stat(key, request).await
    }
    async fn read(&self, key: &Key, request: ReadRequest) -> Result<Object> {
        let asked = (request.range.clone(), request.checksum);
        let reads = {
            let mut all = self.asked.lock().expect("not poisoned");
            all.push(asked);
            all.len()
        };
        if reads > self.answers {
            std::future::pending::<()>().await;
        }
        let is_short = request.range.as_ref().is_some_and(|range| range.end - range.start <= MOST);
        let sums = self.computes && request.checksum && is_short;
        let mut object = self.inner.read(key, request).await?;
        if sums {
            let chunks: Vec<Bytes> = object.body.try_collect().await?;
            let mut bytes = chunks.concat();
            let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &bytes);
            let sum = Checksum::new(Algorithm::Crc32c, &sum.to_be_bytes()[4..]);
            self.perhaps_flip(object.info.size, object.start, &mut bytes);
            let body = Box::pin(futures_util::stream::iter([Ok(bytes.into())]));
            object = Object::new(object.info, object.start, body).with_checksum(sum);
        }
        Ok(object)
    }
}

fn proofs(report: Report) -> Vec<Proof> {
    report.proofs.into_keys().collect()
}

fn is_integrity(error: &FetchError) -> bool {
    let FetchError::File(failure) = error else { return false };
    matches!(&failure.error, FileError::Store(error) if error.kind() == ErrorKind::Integrity)
}

#[tokio::test]
async fn a_big_file_comes_in_ranges_each_of_which_is_proven() {
    for verify in [Verify::IfPresent, Verify::Required] {
        let store = Arc::new(Summing::new(store()));
        let home = Home::new(Arc::clone(&store) as Arc<dyn Store>).set(|s| s.verify = verify);
        let report = home.fetch().await.expect("fetched");
        assert_whole(&home);
        assert_eq!(proofs(report), [Proof::Ranges(Algorithm::Crc32c)]);
        let asked = store.asked();
        assert_eq!(asked.len(), 17, "{asked:?}");
        let is_short = |range: &Range<u64>| range.end - range.start <= MOST;
        assert!(asked.iter().all(|(range, sum)| *sum && range.as_ref().is_some_and(is_short)));
    }
}

#[tokio::test]
async fn a_bit_that_flips_in_a_range_is_found() {
    let store = Arc::new(Summing::new(store()).flipping(2));
    let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
    let report = home.fetch().await.expect("the third time it is right");
    assert_whole(&home);
    assert_eq!(proofs(report), [Proof::Ranges(Algorithm::Crc32c)]);
    assert_eq!(store.asked().len(), 17 + 2, "nothing else came again");
    let home = Home::new(Arc::new(Summing::new(crate::parts::store()).flipping(usize::MAX)));
    assert!(is_integrity(&home.fetch().await.expect_err("never right")));
    assert!(home.is_untouched());
}

#[tokio::test]
async fn a_range_that_breaks_is_continued_and_proven_as_one() {
    let store = FaultyStore::new(Arc::new(Summing::new(store())))
        .break_body(3, MEBIBYTE as u64, ErrorKind::Network)
        .truncate(1, 7);
    let home = Home::new(Arc::new(store));
    let report = home.fetch().await.expect("fetched");
    assert_whole(&home);
    assert_eq!(proofs(report), [Proof::Ranges(Algorithm::Crc32c)]);
}

#[tokio::test]
async fn a_short_file_is_one_range_and_its_checksum_that_of_the_whole() {
    let whole = Proof::Checksum(Algorithm::Crc32c);
    let ranges = Proof::Ranges(Algorithm::Crc32c);
    for (size, reads, proof) in
        [(1, 1, whole.clone()), (4 * MEBIBYTE, 1, whole), (5 * MEBIBYTE, 2, ranges)]
    {
        let inner = MemoryStore::new().with(Key::from("x"), big().slice(..size));
        let store = Arc::new(Summing::new(inner));
        let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
        let report = home.fetch().await.expect("fetched");
        assert!(std::fs::read(home.destination().join("x")).expect("there") == big()[..size]);
        assert_eq!((store.asked().len(), proofs(report)), (reads, vec![proof]), "{size}");
    }
    let inner = Summing::new(MemoryStore::new().with(Key::from("x"), big().slice(..100)));
    let home = Home::new(Arc::new(inner.flipping(usize::MAX)));
    assert!(is_integrity(&home.fetch().await.expect_err("never right")));
}

#[tokio::test]
async fn nothing_is_asked_for_where_there_is_nothing_or_something_better() {
    let empty = || MemoryStore::new().with(Key::from("x"), "");
    let proven = || Telling::new(store()).listing(with_checksum).stating(with_checksum);
    for (store, verify, expected) in [
        (Summing::new(empty()), Verify::IfPresent, Proof::Size),
        (Summing::new(store()), Verify::Off, Proof::Size),
        (Summing::new(proven()), Verify::IfPresent, Proof::Checksum(Algorithm::Crc32c)),
    ] {
        let store = Arc::new(store);
        let home = Home::new(Arc::clone(&store) as Arc<dyn Store>).set(|s| s.verify = verify);
        assert_eq!(proofs(home.fetch().await.expect("fetched")), [expected]);
        let asked = store.asked();
        assert!(asked.len() <= 5 && asked.iter().all(|(_, sum)| !sum), "{asked:?}");
    }
}

#[tokio::test]
async fn a_server_that_computes_none_is_not_asked_in_short_ranges_for_long() {
    let store = Arc::new(Summing::new(store()).in_name_only());
    let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
    let report = home.fetch().await.expect("fetched");
    assert_whole(&home);
    assert_eq!(proofs(report), [Proof::Size]);
    let asked = store.asked();
    // The parts that begin together learn it together.
    assert!(asked.len() <= 9, "{asked:?}");
    let home = Home::new(store).set(|s| s.verify = Verify::Required);
    assert!(is_integrity(&home.fetch().await.expect_err("nothing proves it")));
    assert!(home.is_untouched());
}

#[tokio::test]
async fn what_an_earlier_fetch_brought_is_not_called_proven() {
    for (verify, expected, again) in [
        (Verify::IfPresent, Proof::Size, false),
        (Verify::Required, Proof::Ranges(Algorithm::Crc32c), true),
    ] {
        // Some ranges are on the disk, and then nothing comes.
        let stalling = Summing::new(store()).answering(9);
        let mut home = Home::new(Arc::new(stalling)).set(|s| s.verify = verify);
        let is_noted = async {
            while !again && !is_noted(home.destination()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        tokio::select! {
            _ = home.fetch() => panic!("it stalls"),
            () = is_noted => {}
        }
        let store = Arc::new(Summing::new(store()));
        home.stores = vec![Arc::clone(&store) as Arc<dyn Store>];
        home.progress = Arc::default();
        let report = home.fetch().await.expect("fetched");
        assert!(std::fs::read(home.destination().join("d/big")).expect("there") == big());
        assert_eq!(proofs(report), [expected]);
        let asked = store.asked().into_iter().filter_map(|(range, _)| range);
        let came: u64 = asked.map(|range| range.end - range.start).sum();
        assert_eq!(came == BIG as u64, again, "{came}");
    }
}

/// Whether a journal has a line.
fn is_noted(destination: PathBuf) -> bool {
    let below = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten();
    let journals = below(destination).flat_map(|row| below(row.path()));
    journals
        .filter(|row| row.path().extension().is_some_and(|end| end == "journal"))
        .any(|row| row.metadata().is_ok_and(|found| found.len() > 0))
}

#[tokio::test]
async fn one_answer_without_a_checksum_says_nothing_of_the_others() {
    let forgetting = Telling::new(Summing::new(store())).answering(|object| {
        if object.start == 20 * MEBIBYTE as u64 {
            object.checksum = None;
        }
    });
    let home = Home::new(Arc::new(forgetting));
    let report = home.fetch().await.expect("fetched");
    assert_whole(&home);
    assert_eq!(proofs(report), [Proof::Size], "not every byte was proven");
}

#[tokio::test]
async fn a_short_file_of_a_server_without_ranges_comes_whole() {
    let inner = Summing::new(MemoryStore::new().with(Key::from("x"), big().slice(..100)));
    let store = FaultyStore::new(Arc::new(inner)).fail(Operation::Read, 1, ErrorKind::Unsupported);
    let home = Home::new(Arc::new(store));
    assert_eq!(proofs(home.fetch().await.expect("fetched")), [Proof::Size]);
}
