//! A destination that appears by one rename, whole, or not at all.

use std::sync::Arc;

use mlfetch_conformance::{FaultyStore, Operation};
use mlfetch_core::destination::{BackupSuffix, DestinationProblem};
use mlfetch_core::engine::FetchError;
use mlfetch_store::{ErrorKind, Key, Store};

use crate::support::{Home, Telling, expected, in_memory, memory, tree};

fn home(store: Arc<dyn Store>) -> Home {
    Home::new(store).set(|s| s.atomic = true)
}

fn failing(times: usize) -> Arc<dyn Store> {
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1500);
    let store = Telling::new(in_memory(&[("a", "a"), ("z/b", "b")]))
        .listing(move |info| info.modified = Some(old));
    let store = FaultyStore::new(Arc::new(store));
    Arc::new(store.fail(Operation::Read, times, ErrorKind::PermissionDenied).only(Key::from("z/b")))
}

#[tokio::test]
async fn it_appears_whole_and_the_report_says_where() {
    let home = home(memory(&[("a", "a"), ("z/b", "b"), ("e/", "")]));
    let report = home.fetch().await.expect("fetched");
    assert_eq!(report.path, home.destination());
    assert_eq!(home.tree(), expected(&[("a", "a"), ("z/b", "b"), ("e/", "")]));
    assert_eq!(std::fs::read_dir(home.path()).expect("listed").count(), 1);
}

#[tokio::test]
async fn a_fetch_that_failed_leaves_no_destination_and_the_next_goes_on() {
    let mut home = home(failing(usize::MAX)).set(|s| s.jobs = Some(1.try_into().expect("some")));
    home.fetch().await.expect_err("one file failed");
    assert!(!home.destination().exists());
    let left = tree(home.path());
    assert!(left.keys().any(|name| name.starts_with(".out.mlfetch-") && name.ends_with("/a")));
    // The name of a file that the tree has no more.
    let beside = left.keys().next().expect("left").clone();
    std::fs::write(home.path().join(beside).join("stale"), "x").expect("written");
    home.stores = vec![failing(0)];
    let report = home.fetch().await.expect("fetched");
    assert_eq!((report.files, report.unchanged), (1, 1), "what was whole did not come again");
    assert_eq!(home.tree(), expected(&[("a", "a"), ("z/b", "b")]));
    assert_eq!(std::fs::read_dir(home.path()).expect("listed").count(), 1);
}

#[tokio::test]
async fn what_is_there_stays_unless_it_gets_another_name() {
    let home = home(memory(&[("a", "new")]));
    home.has("mine", "x");
    match home.fetch().await.expect_err("it is there") {
        FetchError::Destination(error) => assert_eq!(error.problem(), DestinationProblem::Exists),
        other => panic!("{other:?}"),
    }
    assert_eq!(home.tree(), expected(&[("mine", "x")]));
    let suffix = BackupSuffix::new(".old").expect("a suffix");
    let home = home.set(|s| s.backup = Some(Arc::new(suffix)));
    home.fetch().await.expect("fetched");
    assert_eq!(home.tree(), expected(&[("a", "new")]));
    assert_eq!(tree(&home.path().join("out.old")), expected(&[("mine", "x")]));
}

#[tokio::test]
async fn a_dry_run_lets_no_half_tree_appear() {
    let mut home = home(failing(usize::MAX)).set(|s| s.jobs = Some(1.try_into().expect("some")));
    home.fetch().await.expect_err("one file failed");
    home.stores = vec![failing(0)];
    let mut home = home.set(|s| s.dry_run = true);
    let report = home.fetch().await.expect("planned");
    assert_eq!((report.planned, report.unchanged), (1, 1));
    assert!(!home.destination().exists());
    home.settings.dry_run = false;
    assert_eq!(home.fetch().await.expect("fetched").unchanged, 1);
    assert_eq!(home.tree(), expected(&[("a", "a"), ("z/b", "b")]));
}

#[tokio::test]
async fn a_dry_run_makes_nothing() {
    let home = home(memory(&[("a", "a")])).set(|s| s.dry_run = true);
    home.fetch().await.expect("planned");
    assert!(home.is_untouched());
}
