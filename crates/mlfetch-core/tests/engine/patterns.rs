//! Include and exclude, and what a dry run tells.

use mlfetch_core::Filter;
use mlfetch_core::engine::Overwrite;
use mlfetch_core::resolve::Target;
use mlfetch_store::Key;

use crate::support::{Home, expected, memory};

pub(crate) fn filter(include: &[&str], exclude: &[&str]) -> Filter {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Filter::new(&own(include), &own(exclude)).expect("patterns")
}

const FILES: [(&str, &str); 5] = [
    ("model/MLmodel", "m"),
    ("model/data/w.bin", "w"),
    ("model/empty/", ""),
    ("plots/a.png", "a"),
    ("plots/old/b.png", "b"),
];

async fn tree_with(include: &[&str], exclude: &[&str]) -> Vec<String> {
    let home = Home::new(memory(&FILES)).set(|s| s.filter = filter(include, exclude));
    home.fetch().await.expect("fetched");
    home.tree().into_keys().collect()
}

#[tokio::test]
async fn only_directories_of_wanted_files_are_made() {
    assert_eq!(tree_with(&["*.png"], &["old/"]).await, ["plots/", "plots/a.png"]);
    assert_eq!(tree_with(&["model"], &["*.bin"]).await, ["model/", "model/MLmodel"]);
}

#[tokio::test]
async fn patterns_that_match_nothing_leave_the_empty_directory_that_was_asked_for() {
    let home = Home::new(memory(&FILES)).set(|s| s.filter = filter(&["*.nothing"], &[]));
    let target = Target::new("s0:/").with_path(Key::from("model/"));
    let report = home.fetch_target(target).await.expect("nothing failed");
    assert!(report.is_empty() && report.path.is_dir());
    assert!(home.tree().is_empty());
}

#[tokio::test]
async fn patterns_count_below_what_was_asked_for() {
    let home = Home::new(memory(&FILES)).set(|s| s.filter = filter(&["/data/*"], &[]));
    let target = Target::new("s0:/").with_path(Key::from("model/"));
    home.fetch_target(target).await.expect("fetched");
    assert_eq!(home.tree(), expected(&[("data/w.bin", "w")]));
}

#[tokio::test]
async fn a_file_that_is_asked_for_by_name_is_wanted() {
    let home = Home::new(memory(&FILES)).set(|s| s.filter = filter(&[], &["MLmodel"]));
    let target = Target::new("s0:/").with_path(Key::from("model/MLmodel"));
    assert_eq!(home.fetch_target(target).await.expect("fetched").files, 1);
}

#[tokio::test]
async fn a_dry_run_makes_nothing_and_tells_what_it_would_do() {
    let home = Home::new(memory(&FILES)).set(|s| s.dry_run = true);
    let report = home.fetch().await.expect("planned");
    assert!(home.is_untouched());
    assert_eq!((report.planned, report.planned_bytes, report.files), (4, 4, 0));
    assert_eq!(report.path, home.destination());
    assert_eq!(home.events.sorted()[0], "planned model/MLmodel Some(1)");
    assert_eq!(home.counters(), [4, 4, 4, 0, 1]);
}

#[tokio::test]
async fn a_dry_run_knows_what_would_be_left_alone_and_what_would_fail() {
    let plan = async |mode, existing: &str| {
        let home = Home::new(memory(&FILES)).set(|s| {
            s.dry_run = true;
            s.overwrite = mode;
        });
        home.has(existing, "theirs");
        let before = home.tree();
        let result = home.fetch().await;
        assert_eq!(home.tree(), before);
        result
    };
    let report = plan(Overwrite::Never, "model/MLmodel").await.expect("planned");
    assert_eq!((report.planned, report.unchanged), (3, 1));
    assert!(plan(Overwrite::Error, "model/MLmodel").await.is_err());
    assert!(plan(Overwrite::Always, "model/MLmodel/theirs").await.is_err());
    assert!(plan(Overwrite::Always, "model").await.is_err());
}
