//! What happens to files that are there, in each mode.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mlfetch_conformance::{FaultyStore, Operation};
use mlfetch_core::destination::DestinationProblem;
use mlfetch_core::engine::{FetchError, FileError, Overwrite};
use mlfetch_store::{Algorithm, Checksum, ErrorKind, Key, MemoryStore, ObjectInfo, Store};

use crate::support::{Home, Telling, expected, in_memory, memory};

/// Counts what is read of a store whose listing tells a time with fractions of a second.
fn timed(store: MemoryStore) -> Arc<FaultyStore> {
    let told = |info: &mut ObjectInfo| info.modified = Some(at(1_234_567));
    Arc::new(FaultyStore::new(Arc::new(Telling::new(store).listing(told))))
}

fn at(milliseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)
}

/// The md5 of "abc" and of everything else that a test here holds it to be.
fn md5_of_abc(info: &mut ObjectInfo) {
    let md5 = [
        0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f,
        0x72,
    ];
    info.checksums = vec![Checksum::new(Algorithm::Md5, md5.to_vec())];
}

#[tokio::test]
async fn what_is_there_is_told_from_what_is_not_in_every_directory() {
    let names = ["a", "b", "new/c/d", "new/c/e", "old/f", "old/g", "old/new/h", "old/older/i"];
    let there = ["b", "old/g", "old/older/i", "old/theirs"];
    for jobs in [1, 32] {
        let objects = names.map(|name| (name, "ours"));
        let mut home = Home::new(memory(&objects)).set(|s| {
            s.overwrite = Overwrite::Never;
            s.jobs = Some(jobs.try_into().expect("some"));
            s.dry_run = true;
        });
        for name in there {
            home.has(name, "theirs");
        }
        let before = home.tree();
        let report = home.fetch().await.expect("planned");
        assert_eq!((report.planned, report.unchanged), (5, 3), "{jobs}");
        assert_eq!(home.tree(), before);
        home = home.set(|s| s.dry_run = false);
        let report = home.fetch().await.expect("fetched");
        assert_eq!((report.files, report.unchanged), (5, 3), "{jobs}");
        let theirs = home.tree().values().filter(|text| *text == "theirs").count();
        assert_eq!(theirs, there.len());
    }
}

#[tokio::test]
async fn what_did_not_change_is_not_read_again_and_not_touched() {
    let store = timed(in_memory(&[("a/b", "b"), ("c", "c"), ("e/", "")]));
    let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
    home.fetch().await.expect("fetched");
    let stamp = |name: &str| {
        let found = fs::metadata(home.destination().join(name)).expect("there");
        (found.ino(), found.ctime(), found.ctime_nsec())
    };
    let before = ["a/b", "c", "a", "e", ""].map(stamp);
    assert_eq!(store.calls(Operation::Read), 2);
    let report = home.fetch().await.expect("nothing to do");
    assert_eq!((report.files, report.unchanged, report.bytes), (0, 2, 0));
    assert_eq!(store.calls(Operation::Read), 2);
    assert_eq!(["a/b", "c", "a", "e", ""].map(stamp), before, "not even a staging directory");
    // The second fetch found the two files again, and has no bytes to wait for.
    assert_eq!(home.counters(), [4, 2, 4, 2, 1]);
}

#[tokio::test]
async fn where_the_listing_tells_no_size_the_store_is_asked_for_what_is_there() {
    let dates = |seconds: u64| {
        let store = Telling::new(in_memory(&[("a", "a"), ("b", "b")]))
            .listing(|info| info.size = None)
            .stating(move |info| info.modified = Some(at(seconds * 1000)))
            .answering(move |object| object.info.modified = Some(at(seconds * 1000)));
        Arc::new(FaultyStore::new(Arc::new(store)))
    };
    let calls = |store: &FaultyStore| [Operation::Stat, Operation::Read].map(|o| store.calls(o));
    let store = dates(1);
    let mut home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
    home.fetch().await.expect("fetched");
    assert_eq!(calls(&store), [0, 2], "nothing was there to ask for");
    let changed = |home: &Home| {
        let found = fs::metadata(home.destination()).expect("there");
        (found.ctime(), found.ctime_nsec())
    };
    let before = changed(&home);
    let report = home.fetch().await.expect("nothing to do");
    assert_eq!((report.files, report.unchanged, calls(&store)), (0, 2, [2, 2]));
    assert_eq!(changed(&home), before, "not even a staging directory");

    let store = dates(2);
    home.stores = vec![Arc::clone(&store) as Arc<dyn Store>];
    home.progress = Arc::default();
    let report = home.fetch().await.expect("fetched");
    assert_eq!((report.files, report.unchanged, calls(&store)), (2, 0, [2, 2]));
    assert_eq!(home.counters(), [2, 2, 2, 2, 1], "what was found is what came");
}

/// Such servers exist: what they say to a question and with the bytes are not the same.
#[tokio::test]
async fn what_is_said_to_the_question_ties_no_read() {
    let unsized_listing = || {
        Telling::new(in_memory(&[("a", "a")])).listing(|info| (info.size, info.etag) = (None, None))
    };
    let another_tag = unsized_listing().stating(|info| info.etag = Some("\"another\"".into()));
    let nothing = FaultyStore::new(Arc::new(unsized_listing()));
    let nothing = nothing.fail(Operation::Stat, usize::MAX, ErrorKind::PermissionDenied);
    for store in [Arc::new(another_tag) as Arc<dyn Store>, Arc::new(nothing)] {
        let home = Home::new(store);
        home.has("a", "b");
        assert_eq!(home.fetch().await.expect("fetched").files, 1);
        assert_eq!(home.tree(), expected(&[("a", "a")]));
    }
}

#[tokio::test]
async fn a_file_of_which_nobody_knows_the_size_is_fetched_again() {
    let none = |info: &mut ObjectInfo| (info.size, info.modified) = (None, Some(at(1000)));
    let store = Telling::new(in_memory(&[("a", "a")])).listing(none).stating(none);
    let home = Home::new(Arc::new(store));
    for _ in 0..2 {
        assert_eq!(home.fetch().await.expect("fetched").files, 1);
    }
}

#[tokio::test]
async fn the_time_of_the_listing_is_kept_where_the_answer_tells_less() {
    let store = Telling::new(in_memory(&[("a", "a")]))
        .listing(|info| info.modified = Some(at(1_234_567)))
        .answering(|object| object.info.modified = Some(at(1_234_000)));
    let home = Home::new(Arc::new(store));
    home.fetch().await.expect("fetched");
    assert_eq!(home.fetch().await.expect("nothing to do").unchanged, 1);
}

#[tokio::test]
async fn a_file_of_another_size_or_time_is_fetched_again() {
    let home = Home::new(timed(in_memory(&[("size", "new!"), ("time", "new"), ("same", "new")])));
    for (name, text, modified) in [("size", "old", 0), ("time", "old", 1), ("same", "old", 0)] {
        home.has(name, text);
        let file = fs::File::options().write(true).open(home.destination().join(name));
        file.expect("open").set_modified(at(1_234_567 + modified)).expect("a time");
    }
    let report = home.fetch().await.expect("fetched");
    assert_eq!((report.files, report.unchanged), (2, 1));
    assert_eq!(home.tree(), expected(&[("size", "new!"), ("time", "new"), ("same", "old")]));
}

#[tokio::test]
async fn an_object_that_changed_within_the_second_is_fetched_again() {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let this_second = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
    let store = |text: &str| {
        let told = move |info: &mut ObjectInfo| info.modified = Some(this_second);
        Arc::new(Telling::new(in_memory(&[("a", text)])).listing(told))
    };
    let mut home = Home::new(store("one"));
    home.fetch().await.expect("fetched");
    home.stores = vec![store("two")];
    home.fetch().await.expect("fetched");
    assert_eq!(home.tree(), expected(&[("a", "two")]));
}

#[tokio::test]
async fn a_checksum_in_the_listing_decides_whatever_the_time() {
    let store = Telling::new(in_memory(&[("right", "abc"), ("wrong", "abc")])).listing(md5_of_abc);
    let store = Arc::new(FaultyStore::new(Arc::new(store)));
    let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
    home.has("right", "abc");
    home.has("wrong", "xyz");
    let report = home.fetch().await.expect("fetched");
    assert_eq!((report.files, report.unchanged), (1, 1));
    assert_eq!(home.tree(), expected(&[("right", "abc"), ("wrong", "abc")]));
    assert_eq!(store.calls(Operation::Read), 1);
}

#[tokio::test]
async fn each_mode_does_what_it_says() {
    use Overwrite::{Always, Error, IfChanged, Never};
    for (mode, kept, skipped) in
        [(Always, "new", 0), (IfChanged, "new", 0), (Never, "old", 1), (Error, "old", 0)]
    {
        let home = Home::new(memory(&[("a", "new")])).set(|s| s.overwrite = mode);
        home.has("a", "old");
        let result = home.fetch().await;
        assert_eq!(home.tree(), expected(&[("a", kept)]), "{mode:?}");
        match result {
            Ok(report) => assert_eq!(report.unchanged, skipped, "{mode:?}"),
            Err(FetchError::File(failure)) => match failure.error {
                FileError::Destination(error) => {
                    assert_eq!(mode, Error);
                    assert_eq!(error.problem(), DestinationProblem::Exists);
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_file_that_appears_meanwhile_is_not_replaced_where_none_may_be() {
    for mode in [Overwrite::Never, Overwrite::Error] {
        let mut home = Home::new(memory(&[])).set(|s| s.overwrite = mode);
        let path = home.destination().join("a");
        let appears = move |_: &mut _| fs::write(&path, "theirs").expect("written");
        home.stores = vec![Arc::new(Telling::new(in_memory(&[("a", "new")])).answering(appears))];
        home.fetch().await.expect_err("it is there now");
        assert_eq!(home.tree(), expected(&[("a", "theirs")]), "{mode:?}");
    }
}

#[tokio::test]
async fn extra_files_stay() {
    let home = Home::new(Arc::new(MemoryStore::new().with(Key::from("a"), "a")));
    home.has("b", "theirs");
    home.has("c/d", "theirs");
    home.fetch().await.expect("fetched");
    assert_eq!(home.tree(), expected(&[("a", "a"), ("b", "theirs"), ("c/d", "theirs")]));
}
