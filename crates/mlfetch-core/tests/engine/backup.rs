//! Files that are replaced keep another name where that is wished.

use std::sync::Arc;

use mlfetch_core::destination::BackupSuffix;
use mlfetch_core::engine::Overwrite;

use crate::support::{Home, expected, memory};

fn with_backup(home: Home) -> Home {
    home.set(|s| {
        s.overwrite = Overwrite::Always;
        s.backup = Some(Arc::new(BackupSuffix::new("~").expect("a suffix")));
    })
}

#[tokio::test]
async fn what_is_replaced_is_kept_and_what_is_new_is_not() {
    let home = with_backup(Home::new(memory(&[("a", "new"), ("d/b", "b")])));
    home.has("a", "mine");
    home.fetch().await.expect("fetched");
    assert_eq!(home.tree(), expected(&[("a", "new"), ("a~", "mine"), ("d/b", "b")]));
    home.fetch().await.expect("fetched");
    let twice = [("a", "new"), ("a~", "new"), ("d/b", "b"), ("d/b~", "b")];
    assert_eq!(home.tree(), expected(&twice), "the backup of before goes");
}

#[tokio::test]
async fn what_the_same_fetch_brought_is_not_kept() {
    let mut home = with_backup(Home::new(memory(&[("f", "below")])));
    home.stores.push(memory(&[("f", "above")]));
    let mut parts = crate::support::resolved(mlfetch_core::resolve::Target::new("s0:/")).await;
    parts.extend(crate::support::resolved(mlfetch_core::resolve::Target::new("s1:/")).await);
    home.fetch_parts(&parts).await.expect("fetched");
    assert_eq!(home.tree(), expected(&[("f", "above")]));
}

#[tokio::test]
async fn a_backup_that_has_no_place_keeps_the_file() {
    let home = with_backup(Home::new(memory(&[("a", "new")])));
    home.has("a", "mine");
    home.has("a~/in the way", "x");
    home.fetch().await.expect_err("the backup has no place");
    assert_eq!(home.tree()["a"], "mine");
}
