//! Several fetches into one destination, and few threads for many files.

use std::sync::Arc;
use std::time::Duration;

use mlfetch_core::engine::Overwrite;
use mlfetch_local::{LocalConfig, LocalStore};
use mlfetch_store::Key;

use crate::support::{Home, memory, tree};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_fetches_into_one_destination_tear_no_file() {
    let names: Vec<String> = (0..30).map(|index| format!("d{}/e/f{index}", index % 6)).collect();
    let text = "whole ".repeat(3000);
    let objects: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), &*text)).collect();
    let store = memory(&objects);
    let place = tempfile::tempdir().expect("a directory");
    let destination = place.path().join("new/out");
    for round in 0..4 {
        let fetches = (0..20).map(|_| {
            let store = Arc::clone(&store);
            let destination = destination.clone();
            tokio::spawn(async move {
                let home = Home::new(store).set(|s| s.overwrite = Overwrite::Always);
                let parts = crate::support::resolved(mlfetch_core::resolve::Target::new("s0:/"));
                home.fetch_to(&parts.await, &destination).await.map(|report| report.files)
            })
        });
        for fetch in futures_util::future::join_all(fetches).await {
            assert_eq!(fetch.expect("no panic").expect("fetched"), 30, "{round}");
        }
        let found = tree(&destination);
        assert_eq!(found.len(), 30 + 12, "{round}");
        assert!(found.iter().all(|(name, found)| name.ends_with('/') || *found == text));
        std::fs::remove_dir_all(place.path().join("new")).expect("removed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetches_that_fail_take_nothing_from_those_that_do_not() {
    let objects = [("d/e/a", "a"), ("d/e/b", "b"), ("d/f/c", "c")];
    let place = tempfile::tempdir().expect("a directory");
    let destination = place.path().join("new/out");
    for round in 0..60 {
        let fetch = |fails: bool| {
            let destination = destination.clone();
            let mut store = mlfetch_conformance::FaultyStore::new(memory(&objects));
            if fails {
                let denied = mlfetch_store::ErrorKind::PermissionDenied;
                store = store
                    .fail(mlfetch_conformance::Operation::Read, usize::MAX, denied)
                    .only(Key::from("d/e/b"));
            }
            tokio::spawn(async move {
                let home = Home::new(Arc::new(store));
                let parts = crate::support::resolved(mlfetch_core::resolve::Target::new("s0:/"));
                home.fetch_to(&parts.await, &destination).await.map(|report| report.files)
            })
        };
        let fetches = [true, false, true, true].map(fetch);
        let mut ended = futures_util::future::join_all(fetches).await;
        let good = ended.swap_remove(1);
        good.expect("no panic").unwrap_or_else(|error| panic!("{round}: {error}"));
        let found = tree(&destination);
        assert_eq!(found.len(), 6, "{round}: {found:?}");
        std::fs::remove_dir_all(place.path().join("new")).expect("removed");
    }
}

/// A store on the local disk reads on the same threads on which the engine writes. With one such
/// thread both must still move.
#[test]
fn one_blocking_thread_is_enough_for_reading_and_writing() {
    let from = tempfile::tempdir().expect("a directory");
    for index in 0..8 {
        let bytes = vec![index; 3 << 20];
        std::fs::write(from.path().join(format!("f{index}")), bytes).expect("written");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let store = LocalStore::open(from.path(), LocalConfig::default()).expect("opens");
    let home = Home::new(Arc::new(store));
    let report = runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), home.fetch()).await.expect("it moves")
    });
    assert_eq!(report.expect("fetched").bytes, 24 << 20);
}

#[tokio::test]
async fn a_directory_that_is_fetched_onto_itself_stays_as_it_is() {
    let home = Home::new(memory(&[]));
    home.has("a/b", "b");
    home.has("c", "c");
    let mut home = home;
    let same = LocalStore::open(home.destination(), LocalConfig::default()).expect("opens");
    home.stores = vec![Arc::new(same)];
    assert_eq!(home.fetch().await.expect("nothing to do").unchanged, 2);
    let home = home.set(|s| s.overwrite = Overwrite::Always);
    let _ = home.fetch().await;
    assert_eq!(home.tree(), crate::support::expected(&[("a/b", "b"), ("c", "c")]));
}

#[tokio::test]
async fn a_store_on_disk_arrives_with_its_empty_directories_and_times() {
    let from = tempfile::tempdir().expect("a directory");
    std::fs::create_dir_all(from.path().join("a/empty/deeper")).expect("made");
    std::fs::write(from.path().join("a/file"), "text").expect("written");
    let store = LocalStore::open(from.path(), LocalConfig::default()).expect("opens");
    let home = Home::new(Arc::new(store));
    home.fetch().await.expect("fetched");
    assert_eq!(home.tree(), tree(from.path()));
    let modified = |at: std::path::PathBuf| {
        std::fs::metadata(at.join("a/file")).expect("there").modified().expect("a time")
    };
    assert_eq!(modified(home.destination()), modified(from.path().to_owned()));
    let report = home.fetch().await.expect("nothing to do");
    assert_eq!((report.files, report.unchanged), (0, 1));
    let ways: Vec<String> = report.ways.into_keys().collect();
    assert_eq!(ways, ["local"]);
}
