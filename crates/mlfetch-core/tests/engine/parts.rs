//! Big files in parts. A file of 65 MiB is big, and has five parts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use mlfetch_conformance::{FaultyStore, Operation};
use mlfetch_core::engine::{Digests, FetchError, FetchSettings, FileError, Proof, Verify};
use mlfetch_store::{
    Algorithm, Checksum, Coverage, ErrorKind, Key, MemoryStore, ObjectInfo, Store,
};

use crate::support::{Home, Telling};

pub(crate) const MEBIBYTE: usize = 1024 * 1024;
pub(crate) const BIG: usize = 65 * MEBIBYTE;

/// Bytes of which no two parts are equal, made once.
pub(crate) fn big() -> Bytes {
    static BYTES: LazyLock<Bytes> = LazyLock::new(|| {
        let mut bytes = vec![0_u8; BIG];
        for (index, block) in bytes.chunks_mut(4096).enumerate() {
            block[..8].copy_from_slice(&index.to_le_bytes());
        }
        bytes.into()
    });
    BYTES.clone()
}

pub(crate) fn store() -> MemoryStore {
    MemoryStore::new().with(Key::from("d/big"), big())
}

pub(crate) fn with_checksum(info: &mut ObjectInfo) {
    static SUM: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &big());
        sum.to_be_bytes()[4..].to_vec()
    });
    info.checksums = vec![Checksum::new(Algorithm::Crc32c, SUM.clone())];
}

/// Tells another checksum than a CRC of the whole: over the parts of an upload that ends elsewhere
/// than our own parts, and one that takes the bytes in order.
pub(crate) fn with_others() -> [fn(&mut ObjectInfo); 2] {
    fn sum(mut sum: Checksum) -> Checksum {
        let mut digest = Digests::of(&sum).expect("computed here");
        digest.update(&big());
        sum.value = digest.finish();
        sum
    }
    static OF_PARTS: LazyLock<Checksum> = LazyLock::new(|| {
        let parts = [10, 10, 40, 5].map(|size| size * MEBIBYTE as u64).to_vec();
        sum(Checksum::new(Algorithm::Crc64Nvme, vec![]).with_coverage(Coverage::Parts(parts)))
    });
    static IN_ORDER: LazyLock<Checksum> =
        LazyLock::new(|| sum(Checksum::new(Algorithm::Sha256, vec![])));
    [|info| info.checksums = vec![OF_PARTS.clone()], |info| info.checksums = vec![IN_ORDER.clone()]]
}

pub(crate) fn assert_whole(home: &Home) {
    let found = std::fs::read(home.destination().join("d/big")).expect("there");
    assert!(found == big(), "every byte is in its place");
    assert_eq!(home.counters(), [1, BIG as u64, 1, BIG as u64, 1]);
}

fn kind(error: &FetchError) -> ErrorKind {
    match error {
        FetchError::File(failure) => match &failure.error {
            FileError::Store(error) => error.kind(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn parts_come_to_the_same_bytes_and_the_whole_is_proven() {
    let store = Arc::new(FaultyStore::new(Arc::new(Telling::new(store()).stating(with_checksum))));
    let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
    let report = home.fetch().await.expect("fetched");
    assert_whole(&home);
    assert_eq!(report.proofs.into_keys().collect::<Vec<_>>(), [Proof::Checksum(Algorithm::Crc32c)]);
    assert_eq!(store.calls(Operation::Read), 5);
    assert_eq!(store.calls(Operation::Stat), 1);
}

#[tokio::test]
async fn every_kind_of_checksum_is_proven_of_parts_and_finds_a_bit_that_flips() {
    for telling in with_others() {
        let store = Telling::new(store()).stating(telling);
        let store = Arc::new(FaultyStore::new(Arc::new(store)).flip_bit(5, 40_000_000));
        let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
        let report = home.fetch().await.expect("the second round is right");
        assert_whole(&home);
        assert!(matches!(report.proofs.keys().next(), Some(Proof::Checksum(_))));
        assert_eq!(store.calls(Operation::Read), 10);
    }
}

#[tokio::test]
async fn parts_that_were_taken_for_equal_and_are_not_are_asked_for_again() {
    let [of_parts, _] = with_others();
    let asked = AtomicUsize::new(0);
    let store = Telling::new(store()).stating(move |info| {
        of_parts(info);
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let equal = [10, 10, 10, 35].map(|size| size * MEBIBYTE as u64).to_vec();
            info.checksums[0].coverage = Coverage::Parts(equal);
        }
    });
    let home = Home::new(Arc::new(store));
    home.fetch().await.expect("the second round knows better");
    assert_whole(&home);
}

#[tokio::test]
async fn a_store_that_cannot_tie_its_ranges_gives_the_file_in_one_piece() {
    let untied = |info: &mut ObjectInfo| info.etag = None;
    let whole: [Telling; 3] = [
        Telling::new(store()).being(|info| info.capabilities.ranges = false),
        Telling::new(store()).being(|info| info.capabilities.conditional_reads = false),
        Telling::new(store())
            .listing(untied)
            .stating(untied)
            .answering(move |object| untied(&mut object.info)),
    ];
    for store in whole {
        let store = Arc::new(FaultyStore::new(Arc::new(store)));
        let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
        home.fetch().await.expect("fetched");
        assert_whole(&home);
        assert_eq!(store.calls(Operation::Read), 1);
    }
}

#[tokio::test]
async fn a_file_whose_size_only_the_answer_tells_comes_in_parts() {
    let no_size = |info: &mut ObjectInfo| info.size = None;
    let telling = || Telling::new(store()).listing(no_size);
    let store = Arc::new(FaultyStore::new(Arc::new(telling())));
    let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
    home.fetch().await.expect("fetched");
    assert_whole(&home);
    assert_eq!(store.calls(Operation::Read), 6, "the answer that told it, and five parts");
    assert_eq!(store.calls(Operation::Stat), 0);

    // Without ranges, or without a tag, it stays one piece.
    let no_ranges = FaultyStore::new(Arc::new(telling())).truncate(1, BIG as u64);
    let no_ranges = no_ranges.fail(Operation::Read, 1, ErrorKind::Unsupported);
    let untied = telling().listing(|info| (info.size, info.etag) = (None, None));
    let untied = FaultyStore::new(Arc::new(untied.answering(|object| object.info.etag = None)));
    for (store, most) in [(no_ranges, 7), (untied, 1)] {
        let store = Arc::new(store);
        let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
        home.fetch().await.expect("fetched");
        assert_whole(&home);
        assert!(store.calls(Operation::Read) <= most);
    }
}

#[tokio::test]
async fn an_object_that_changes_after_its_answer_told_its_size_is_an_error() {
    let store = Telling::new(store()).listing(|info| (info.size, info.etag) = (None, None));
    let store =
        FaultyStore::new(Arc::new(store)).truncate(1, BIG as u64).change_tag(Operation::Read, 1);
    let home = Home::new(Arc::new(store));
    let error = home.fetch().await.expect_err("it changed");
    assert_eq!(kind(&error), ErrorKind::Changed);
    assert!(home.is_untouched());
}

#[tokio::test]
async fn an_object_without_ranges_comes_in_one_piece_although_its_store_has_them() {
    let store =
        FaultyStore::new(Arc::new(store())).fail(Operation::Read, 1, ErrorKind::Unsupported);
    let home = Home::new(Arc::new(store));
    home.fetch().await.expect("fetched");
    assert_whole(&home);
}

#[tokio::test]
async fn a_file_that_begins_anew_waits_for_no_turn_that_it_has_itself() {
    // In parts it does not come, in one piece a bit flips, and then it comes in parts again.
    let store = FaultyStore::new(Arc::new(Telling::new(store()).stating(with_checksum)))
        .fail(Operation::Read, 1, ErrorKind::Unsupported)
        .flip_bit(1, 40_000_000);
    let home = Home::new(Arc::new(store)).set(|s| {
        s.jobs = Some(1.try_into().expect("some"));
        s.verify = Verify::Required;
    });
    let fetched = tokio::time::timeout(std::time::Duration::from_mins(1), home.fetch()).await;
    fetched.expect("it ends").expect("fetched");
    assert_whole(&home);
}

#[tokio::test]
async fn a_part_that_breaks_is_continued() {
    let store = FaultyStore::new(Arc::new(Telling::new(store()).stating(with_checksum)))
        .break_body(2, 5 * MEBIBYTE as u64, ErrorKind::Network)
        .truncate(1, 7);
    let home = Home::new(Arc::new(store)).set(|s| s.verify = Verify::Required);
    home.fetch().await.expect("fetched");
    assert_whole(&home);
}

#[tokio::test]
async fn a_part_that_fails_for_good_leaves_nothing_if_nothing_is_to_be_continued() {
    // All five are begun; one breaks in the middle.
    let store = FaultyStore::new(Arc::new(store())).break_body(
        1,
        3 * MEBIBYTE as u64,
        ErrorKind::PermissionDenied,
    );
    let home = Home::new(Arc::new(store)).set(|s| s.resume = false);
    let error = home.fetch().await.expect_err("it may not be read");
    assert_eq!(kind(&error), ErrorKind::PermissionDenied);
    assert!(home.is_untouched());
    assert_eq!(home.counters()[3], 0);
}

#[tokio::test]
async fn a_bit_that_flips_in_a_part_is_found() {
    let flipping = |times| {
        let store = Telling::new(store()).stating(with_checksum);
        Home::new(Arc::new(FaultyStore::new(Arc::new(store)).flip_bit(times, 40_000_000)))
    };
    // Only the part that holds the byte is spoiled: five bodies are one round.
    let home = flipping(5);
    home.fetch().await.expect("the second round is right");
    assert_whole(&home);
    let home = flipping(usize::MAX);
    assert_eq!(kind(&home.fetch().await.expect_err("never right")), ErrorKind::Integrity);
    assert!(home.is_untouched());
}

#[tokio::test]
async fn an_object_that_changes_between_its_parts_is_an_error() {
    for operation in [Operation::Read, Operation::Stat] {
        let store =
            FaultyStore::new(Arc::new(store())).change_tag(operation, 1).only(Key::from("d/big"));
        let home = Home::new(Arc::new(store));
        let error = home.fetch().await.expect_err("it changed");
        assert_eq!(kind(&error), ErrorKind::Changed, "{operation:?}");
        assert!(home.is_untouched());
    }
}

#[tokio::test]
async fn a_part_that_is_longer_than_was_asked_for_is_refused() {
    let longer = |object: &mut mlfetch_store::Object| {
        let chunk = big().slice(..17 * MEBIBYTE);
        object.body = Box::pin(futures_util::stream::iter([Ok(chunk)]));
    };
    let home = Home::new(Arc::new(Telling::new(store()).answering(longer)));
    let error = home.fetch().await.expect_err("it would run into its neighbour");
    assert_eq!(kind(&error), ErrorKind::Integrity);
    assert!(home.is_untouched());
}

#[tokio::test]
async fn no_more_bodies_are_on_their_way_than_jobs() {
    let names = ["a", "b", "c"];
    let store = names.iter().fold(MemoryStore::new(), |store, name| {
        store.with(Key::from(*name), big()).with(Key::from(format!("small-{name}")), "x")
    });
    let most = most_bodies(store, |s| s.jobs = Some(3.try_into().expect("some"))).await;
    assert_eq!(most, 3);
}

#[tokio::test]
async fn no_more_bodies_are_on_their_way_than_fit_into_memory() {
    for (mebibytes, expected) in [(1, 1), (5, 2), (8, 4)] {
        // Parts of 16 MiB, each of which counts for the most that one holds: 1.75 MiB.
        let parts = big().slice(..48 * MEBIBYTE);
        let names = ["a", "b", "c"].map(Key::from);
        let with = |store: MemoryStore, name| store.with(name, parts.clone());
        let store = names.into_iter().fold(MemoryStore::new(), with);
        let bytes = std::num::NonZeroU64::new(mebibytes << 20);
        assert_eq!(most_bodies(store, |s| s.max_memory_bytes = bytes).await, expected);
    }
}

/// How many bodies are on their way at most while a store is fetched.
async fn most_bodies(inner: MemoryStore, set: impl FnOnce(&mut FetchSettings)) -> usize {
    let most = Arc::new(Most::default());
    let counting = Arc::clone(&most);
    let store = Telling::new(inner).answering(move |object| {
        let guard = Most::begin(&counting);
        let body = std::mem::replace(&mut object.body, Box::pin(futures_util::stream::empty()));
        let slow = futures_util::StreamExt::then(body, move |chunk| {
            let _held = &guard;
            async move {
                // Long enough for every file to have begun.
                tokio::time::sleep(std::time::Duration::from_millis(30)).await;
                chunk
            }
        });
        object.body = Box::pin(slow);
    });
    Home::new(Arc::new(store)).set(set).fetch().await.expect("fetched");
    most.most.load(Ordering::SeqCst)
}

/// How many there are, and were at most.
#[derive(Default)]
struct Most {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Guard(Arc<Most>);

impl Most {
    fn begin(this: &Arc<Self>) -> Guard {
        let now = this.now.fetch_add(1, Ordering::SeqCst) + 1;
        this.most.fetch_max(now, Ordering::SeqCst);
        Guard(Arc::clone(this))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}
