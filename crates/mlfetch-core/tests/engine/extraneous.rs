//! What does not belong to the tree goes where that is wished, and nothing else does.

use mlfetch_core::resolve::{Placement, Target};
use mlfetch_core::{Filter, Layout, RelativePath};
use mlfetch_store::{ErrorKind, Key};

use crate::support::{Home, expected, memory, some};

fn home() -> Home {
    let home = Home::new(memory(&[("a", "new"), ("d/b", "b"), ("empty/", "")]));
    home.has("a", "old");
    home.has("extra", "x");
    home.has("d/extra", "x");
    home.has("gone/deep/extra", "x");
    home.set(|s| s.delete_extraneous = true)
}

#[tokio::test]
async fn files_that_are_not_in_the_store_go_and_so_do_their_empty_directories() {
    let home = home();
    std::fs::create_dir(home.destination().join("empty")).expect("made");
    home.has("empty/extra", "x");
    let outside = home.path().join("outside");
    std::fs::write(&outside, "stays").expect("written");
    std::os::unix::fs::symlink(&outside, home.destination().join("link")).expect("linked");
    let report = home.fetch().await.expect("fetched");
    assert_eq!(home.tree(), expected(&[("a", "new"), ("d/b", "b"), ("empty/", "")]));
    assert_eq!(report.deleted, 5);
    assert_eq!(std::fs::read_to_string(outside).expect("there"), "stays");
    let told = home.events.sorted();
    assert!(told.contains(&"deleted gone/deep/extra".to_owned()), "{told:?}");
    let again = home.fetch().await.expect("fetched");
    assert_eq!(again.deleted, 0);
}

#[tokio::test]
async fn without_the_wish_and_in_a_dry_run_all_stays() {
    let home = home().set(|s| s.dry_run = true);
    let before = home.tree();
    let report = home.fetch().await.expect("planned");
    assert_eq!((report.deleted, home.tree()), (3, before));
    let home = self::home().set(|s| s.delete_extraneous = false);
    assert_eq!(home.fetch().await.expect("fetched").deleted, 0);
    assert!(home.tree().contains_key("gone/deep/extra"));
}

#[tokio::test]
async fn what_patterns_leave_out_and_what_is_to_be_ignored_stays() {
    let home = home().set(|s| {
        s.filter = Filter::new(&[], &["gone/".into()]).expect("a filter");
        s.ignored = vec![RelativePath::new("extra").expect("a path")];
    });
    assert_eq!(home.fetch().await.expect("fetched").deleted, 1);
    let tree = home.tree();
    assert!(tree.contains_key("gone/deep/extra") && tree.contains_key("extra"));
    assert!(!tree.contains_key("d/extra"));
}

#[tokio::test]
async fn only_the_directory_that_was_asked_for_is_looked_at() {
    let home = home();
    let target =
        Target::new("s0:/").with_path(Key::from("d")).with_placement(Placement::whole_path("d"));
    home.fetch_target(target).await.expect("fetched");
    let tree = home.tree();
    assert!(tree.contains_key("extra") && tree.contains_key("d/b"));
    assert!(!tree.contains_key("d/extra"), "{tree:?}");
}

#[tokio::test]
async fn a_tree_that_is_not_whole_deletes_nothing() {
    let store = mlfetch_conformance::FaultyStore::new(memory(&[("a", "new"), ("b", "b")]))
        .fail(mlfetch_conformance::Operation::Read, 1, ErrorKind::PermissionDenied)
        .only(Key::from("b"));
    let home = Home::new(std::sync::Arc::new(store)).set(|s| {
        s.delete_extraneous = true;
        s.keep_going = true;
    });
    home.has("extra", "x");
    some(home.fetch().await);
    assert!(home.tree().contains_key("extra"));
}

#[tokio::test]
async fn a_store_that_shows_nothing_deletes_nothing() {
    let home = Home::new(memory(&[])).set(|s| {
        s.delete_extraneous = true;
        s.layout = Layout::Contents;
    });
    home.has("mine", "x");
    assert_eq!(home.fetch().await.expect("an empty tree").deleted, 0);
    assert_eq!(home.tree(), expected(&[("mine", "x")]));
}
