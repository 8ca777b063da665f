//! What is in the way, what is planted, and what is left behind.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use mlfetch_core::destination::DestinationProblem;
use mlfetch_core::engine::{FetchError, FileError, Overwrite};
use mlfetch_core::resolve::Target;
use mlfetch_store::{Key, Listing, MemoryStore};

use crate::support::{Home, expected, failures, memory, resolved, some, tree};

/// The problem of the destination, or of the one file that failed.
fn problem(error: &FetchError) -> DestinationProblem {
    match error {
        FetchError::Destination(error) => error.problem(),
        FetchError::File(failure) => match &failure.error {
            FileError::Destination(error) => error.problem(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_missing_destination_is_made_with_those_above_it() {
    let home = Home::new(memory(&[("a/b", "b")]));
    let at = home.destination().join("x/y");
    let report = home.fetch_to(&resolved(Target::new("s0:/")).await, &at).await.expect("fetched");
    assert_eq!(report.path, at);
    assert_eq!(tree(&at), expected(&[("a/b", "b")]));
}

#[tokio::test]
async fn an_empty_root_is_an_empty_directory() {
    let home = Home::new(memory(&[]));
    let report = home.fetch().await.expect("an empty run is no error");
    assert!(report.is_empty());
    assert_eq!(home.tree(), expected(&[]));
}

#[tokio::test]
async fn a_destination_that_is_a_file_is_said_before_anything_is_asked() {
    let home = Home::new(memory(&[("a", "a")]));
    home.has("file", "theirs");
    for at in ["file", "file/below", "file/below/deeper"] {
        let at = home.destination().join(at);
        let parts = resolved(Target::new("unknown:/")).await;
        let error = home.fetch_to(&parts, &at).await.expect_err("a file is in the way");
        assert_eq!(problem(&error), DestinationProblem::NotADirectory, "{error}");
        assert!(error.to_string().contains("out/file`"), "{error}");
    }
    assert_eq!(home.tree(), expected(&[("file", "theirs")]));
}

#[tokio::test]
async fn a_destination_may_be_a_link_to_a_directory_and_not_one_that_leads_nowhere() {
    let home = Home::new(memory(&[("a", "a")]));
    let elsewhere = tempfile::tempdir().expect("a directory");
    symlink(elsewhere.path(), home.destination()).expect("a link");
    home.fetch().await.expect("fetched");
    assert_eq!(tree(elsewhere.path()), expected(&[("a", "a")]));
    let home = Home::new(memory(&[("a", "a")]));
    symlink("nowhere", home.destination()).expect("a link");
    let error = home.fetch().await.expect_err("it leads nowhere");
    assert_eq!(problem(&error), DestinationProblem::Link);
}

#[tokio::test]
async fn nothing_is_written_through_a_link_below_the_destination() {
    for jobs in [1, 8] {
        let home = Home::new(memory(&[("link/x", "x"), ("link/deep/y", "y")]))
            .set(|s| s.jobs = Some(jobs.try_into().expect("some")));
        let outside = tempfile::tempdir().expect("a directory");
        fs::create_dir(home.destination()).expect("made");
        symlink(outside.path(), home.destination().join("link")).expect("a link");
        let error = home.fetch().await.expect_err("a link is in the way");
        assert_eq!(problem(&error), DestinationProblem::Link);
        assert!(tree(outside.path()).is_empty());
        assert_eq!(tree(&home.destination()).len(), 1);
    }
}

#[tokio::test]
async fn a_link_with_a_files_name_is_replaced_and_what_it_leads_to_stays() {
    let home = Home::new(memory(&[("a", "new"), ("b", "new"), ("c", "new")]));
    let outside = home.path().join("outside");
    fs::create_dir_all(&outside).expect("made");
    fs::write(outside.join("file"), "old").expect("written");
    fs::create_dir(home.destination()).expect("made");
    symlink(outside.join("file"), home.destination().join("a")).expect("a link");
    symlink(&outside, home.destination().join("b")).expect("a link");
    symlink("nowhere", home.destination().join("c")).expect("a link");
    home.fetch().await.expect("fetched");
    assert_eq!(home.tree(), expected(&[("a", "new"), ("b", "new"), ("c", "new")]));
    assert_eq!(tree(&outside), expected(&[("file", "old")]));
}

#[tokio::test]
async fn a_directory_where_a_file_must_go_and_the_reverse_stay_and_are_named() {
    for mode in [Overwrite::Always, Overwrite::IfChanged, Overwrite::Never, Overwrite::Error] {
        let home = Home::new(memory(&[("d", "file")])).set(|s| s.overwrite = mode);
        home.has("d/theirs", "theirs");
        let error = home.fetch().await.expect_err("a directory is in the way");
        assert_eq!(problem(&error), DestinationProblem::IsADirectory);
        assert_eq!(home.tree(), expected(&[("d/theirs", "theirs")]));

        let home = Home::new(memory(&[("f/x", "file")])).set(|s| s.overwrite = mode);
        home.has("f", "theirs");
        let error = home.fetch().await.expect_err("a file is in the way");
        assert_eq!(problem(&error), DestinationProblem::NotADirectory);
        assert_eq!(home.tree(), expected(&[("f", "theirs")]));
    }
}

#[tokio::test]
async fn a_file_in_the_way_of_an_empty_directory_is_one_failure_and_the_others_arrive() {
    let store = memory(&[("d/", ""), ("e/", ""), ("good", "good")]);
    let home = Home::new(store).set(|s| s.keep_going = true);
    home.has("d", "theirs");
    let report = some(home.fetch().await);
    assert_eq!(failures(&report)[0].0, "d");
    assert_eq!(home.tree(), expected(&[("d", "theirs"), ("e/", ""), ("good", "good")]));
}

#[tokio::test]
async fn what_is_in_the_way_of_the_place_itself_is_named() {
    let home = Home::new(memory(&[("m/x", "x")]));
    home.has("m", "theirs");
    let target = || {
        let placement = mlfetch_core::resolve::Placement::last_segment("m");
        Target::new("s0:/").with_path(Key::from("m")).with_placement(placement)
    };
    let error = home.fetch_target(target()).await.expect_err("a file is in the way");
    assert_eq!(problem(&error), DestinationProblem::NotADirectory);
    let home = Home::new(memory(&[("m/", "")]));
    home.has("m", "theirs");
    let error = home.fetch_target(target()).await.expect_err("a file is in the way");
    assert_eq!(problem(&error), DestinationProblem::NotADirectory);
    assert_eq!(home.tree(), expected(&[("m", "theirs")]));
}

#[tokio::test]
async fn a_failure_leaves_no_directory_that_holds_no_file() {
    // A store that knows directories: they are made as they are listed, before their files come.
    let mut store = MemoryStore::with_listing(Listing::Tree).with(Key::from("z//bad"), "x");
    for key in ["a/b/one", "a/c/two", "d/three", "e/"] {
        store = store.with(Key::from(key), "x");
    }
    let faulty = mlfetch_conformance::FaultyStore::new(std::sync::Arc::new(store)).fail(
        mlfetch_conformance::Operation::Read,
        usize::MAX,
        mlfetch_store::ErrorKind::PermissionDenied,
    );
    let home = Home::new(std::sync::Arc::new(faulty));
    home.has("theirs/x", "theirs");
    fs::create_dir(home.destination().join("a")).expect("made");
    home.fetch().await.expect_err("nothing can be read");
    assert_eq!(home.tree(), expected(&[("theirs/x", "theirs"), ("a/", "")]));
}

#[tokio::test]
async fn a_file_has_the_rights_of_the_umask_and_the_time_of_the_store() {
    let home = Home::new(std::sync::Arc::new(
        crate::support::Telling::new(MemoryStore::new().with(Key::from("a"), "a")).listing(
            |info| {
                let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_nanos(7);
                info.modified = Some(time);
            },
        ),
    ));
    home.fetch().await.expect("fetched");
    let found = fs::metadata(home.destination().join("a")).expect("there");
    let plain = home.path().join("plain");
    fs::write(&plain, "x").expect("written");
    let usual = fs::metadata(&plain).expect("there").permissions().mode();
    assert_eq!(found.permissions().mode(), usual);
    let modified = found.modified().expect("a time");
    let since = modified.duration_since(std::time::SystemTime::UNIX_EPOCH).expect("after 1970");
    assert_eq!(since.as_nanos(), 7);
}

#[tokio::test]
async fn fsync_changes_nothing_but_the_time_it_takes() {
    let home = Home::new(memory(&[("a/b", "b"), ("c", "c")])).set(|s| s.fsync = true);
    home.fetch().await.expect("fetched");
    assert_eq!(home.tree(), expected(&[("a/b", "b"), ("c", "c")]));
}

#[tokio::test]
async fn a_destination_relative_to_the_current_directory_is_told_as_an_absolute_path() {
    let home = Home::new(memory(&[]));
    let here = std::env::current_dir().expect("a directory");
    let up = "../".repeat(here.components().count());
    let at =
        std::path::Path::new(&up).join(home.destination().strip_prefix("/").expect("absolute"));
    let parts = resolved(Target::new("s0:/")).await;
    let report = home.fetch_to(&parts, &at).await.expect("fetched");
    assert!(report.path.is_absolute() && report.path.is_dir());
}

#[tokio::test]
async fn what_a_killed_fetch_left_goes_with_the_next_that_ends_well_even_if_it_writes_nothing() {
    let home = Home::new(memory(&[("a", "a")])).set(|s| s.overwrite = Overwrite::Never);
    home.has("a", "a");
    let left = home.destination().join(".mlfetch-x-0-0-0123456789abcdef");
    fs::create_dir(&left).expect("made");
    fs::write(left.join("f.part"), "half").expect("written");
    fs::write(left.join("f.journal"), "0 4\n").expect("written");
    let mut home = home.set(|s| s.dry_run = true);
    home.fetch().await.expect("planned");
    assert!(left.exists(), "a dry run removes nothing");
    home.settings.dry_run = false;
    assert_eq!(home.fetch().await.expect("nothing to do").unchanged, 1);
    assert_eq!(home.tree(), expected(&[("a", "a")]));
}
