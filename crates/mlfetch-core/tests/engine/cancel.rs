//! A fetch that is dropped leaves whole files and nothing else, at once.

use std::sync::Arc;
use std::time::Duration;

use mlfetch_conformance::FaultyStore;
use mlfetch_store::{Key, MemoryStore};

use crate::support::{Home, memory};

#[tokio::test]
async fn a_fetch_that_is_dropped_leaves_nothing_unfinished() {
    for (bytes, given) in [(9, 4), (3 << 20, 2 << 20), (65 << 20, 20 << 20), (65 << 20, 3 << 20)] {
        let store = MemoryStore::new()
            .with(Key::from("a/whole"), "whole")
            .with(Key::from("d/e/slow"), vec![7; bytes]);
        let store = FaultyStore::new(Arc::new(store))
            .stall_body(usize::MAX, given)
            .only(Key::from("d/e/slow"));
        let home = Home::new(Arc::new(store)).set(|s| s.resume = false);
        let waited = tokio::time::timeout(Duration::from_millis(300), home.fetch()).await;
        assert!(waited.is_err(), "it stalls");
        // The moment it is dropped, and not some time later.
        assert_eq!(home.tree().into_keys().collect::<Vec<_>>(), ["a/", "a/whole"], "{bytes}");
    }
}

#[tokio::test]
async fn a_fetch_that_is_dropped_before_anything_arrived_leaves_nothing() {
    let store = FaultyStore::new(memory(&[("a/b", "b"), ("e/", "")])).stall_body(usize::MAX, 0);
    let home = Home::new(Arc::new(store));
    let at = home.destination().join("new/deep");
    let parts = crate::support::resolved(mlfetch_core::resolve::Target::new("s0:/")).await;
    let fetch = home.fetch_to(&parts, &at);
    assert!(tokio::time::timeout(Duration::from_millis(100), fetch).await.is_err());
    assert!(home.is_untouched());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_it_is_dropped_no_file_is_half_there() {
    let names: Vec<String> = (0..400).map(|index| format!("d{}/f{index}", index % 20)).collect();
    let text = "text ".repeat(500);
    let objects: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), &*text)).collect();
    let store = memory(&objects);
    let mut cut_short = 0;
    for microseconds in (0..40).map(|round| round * 700) {
        let home = Home::new(Arc::clone(&store));
        let limit = Duration::from_micros(microseconds);
        let result = tokio::time::timeout(limit, home.fetch()).await;
        cut_short += usize::from(result.is_err());
        if home.is_untouched() {
            continue;
        }
        let tree = home.tree();
        assert!(tree.keys().all(|name| !name.contains(".mlfetch")), "no staging directory");
        let is_whole = |(name, found): (&String, &String)| name.ends_with('/') || *found == text;
        assert!(tree.iter().all(is_whole));
        let holds_files = |name: &String| tree.range(name.clone()..).nth(1).is_some();
        assert!(tree.keys().filter(|name| name.ends_with('/')).all(holds_files));
    }
    assert!(cut_short > 5, "{cut_short} of 40 were dropped on their way");
}
