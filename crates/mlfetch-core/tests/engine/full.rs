//! A destination that takes no more. What a process may use is a property of the process: each of
//! these tests runs itself again in one that has less.

use std::path::Path;
use std::process::Command;

use mlfetch_core::destination::DestinationProblem;
use mlfetch_core::engine::{FetchError, FileError};
use mlfetch_store::{Key, MemoryStore};

use crate::support::{Home, expected, memory, tree};

/// Set in the second process.
const SECOND: &str = "MLFETCH_TEST_SECOND_PROCESS";

fn is_second() -> bool {
    std::env::var_os(SECOND).is_some()
}

/// Runs one test of this program again, behind shell commands that take something away from it.
fn again(test: &str, before: &str) {
    let program = std::env::current_exe().expect("this program");
    let script = format!("{before}; exec \"$0\" --exact \"$1\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(program).arg(test).env(SECOND, "1");
    must_pass(&mut command);
}

fn must_pass(command: &mut Command) {
    let output = command.output().expect("the second process runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn destination_problem(error: &FetchError) -> DestinationProblem {
    match error {
        FetchError::File(failure) => match &failure.error {
            FileError::Destination(error) => error.problem(),
            other => panic!("{other:?}"),
        },
        FetchError::Destination(error) => error.problem(),
        other => panic!("{other:?}"),
    }
}

fn large(bytes: usize) -> MemoryStore {
    MemoryStore::new().with(Key::from("d/large"), vec![b'x'; bytes])
}

#[tokio::test]
async fn a_file_that_does_not_fit_is_said_and_leaves_nothing() {
    if !is_second() {
        // No file may be larger than 512 blocks: the system says EFBIG, as it says ENOSPC else.
        let test = "full::a_file_that_does_not_fit_is_said_and_leaves_nothing";
        return again(test, "trap '' XFSZ; ulimit -f 512");
    }
    // In memory first, streamed, and in parts, whose space is taken before.
    for bytes in [900 * 1024, 3 * 1024 * 1024, 65 * 1024 * 1024] {
        let home = Home::new(std::sync::Arc::new(large(bytes)));
        let error = home.fetch().await.expect_err("it does not fit");
        assert_eq!(destination_problem(&error), DestinationProblem::Full, "{bytes}");
        assert!(error.to_string().contains("d/large"), "{error}");
        assert!(home.is_untouched(), "{bytes}");
    }
}

#[tokio::test]
async fn with_keep_going_what_fits_arrives() {
    if !is_second() {
        return again("full::with_keep_going_what_fits_arrives", "trap '' XFSZ; ulimit -f 512");
    }
    let store = large(3 * 1024 * 1024).with(Key::from("e/small"), "small");
    let home = Home::new(std::sync::Arc::new(store)).set(|s| s.keep_going = true);
    let report = crate::support::some(home.fetch().await);
    assert_eq!((report.files, report.failures.len()), (1, 1));
    assert_eq!(home.tree(), expected(&[("e/small", "small")]));
}

#[tokio::test]
async fn a_process_with_few_handles_fetches_many_directories() {
    if !is_second() {
        let test = "full::a_process_with_few_handles_fetches_many_directories";
        return again(test, "ulimit -n 48");
    }
    let names: Vec<String> = (0..400).map(|index| format!("a{index}/b/c")).collect();
    let objects: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let home = Home::new(memory(&objects)).set(|s| s.jobs = Some(4.try_into().expect("some")));
    let report = home.fetch().await.expect("it makes do with what it has");
    assert_eq!(report.files, 400);
}

#[tokio::test]
async fn where_no_handle_is_left_nothing_is_left_either() {
    if !is_second() {
        return again("full::where_no_handle_is_left_nothing_is_left_either", "ulimit -n 48");
    }
    let home = Home::new(memory(&[("a", "a")]));
    let mut taken: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    // One is for the destination: what is made in it cannot be opened.
    taken.pop();
    let error = home.fetch().await.expect_err("no handle is left");
    drop(taken);
    assert!(error.to_string().contains("open files"), "{error}");
    assert!(home.is_untouched());
}

/// Permission bits do not bind root, so root lets a second process of this test run as nobody.
#[tokio::test]
async fn a_destination_that_may_not_be_written_is_said_before_any_byte_is_asked_for() {
    let test = "full::a_destination_that_may_not_be_written_is_said_before_any_byte_is_asked_for";
    let directory = tempfile::tempdir().expect("a directory");
    if rustix::process::geteuid().is_root() {
        return as_nobody(directory.path(), test);
    }
    for (name, mode) in [("closed", 0o555), ("invisible", 0o000)] {
        let closed = directory.path().join(name);
        std::fs::create_dir(&closed).expect("made");
        set_mode(&closed, mode);
        for below in ["", "new/deep"] {
            assert_denied(&closed.join(below)).await;
        }
        set_mode(&closed, 0o755);
        assert!(tree(&closed).is_empty());
    }
}

/// Denied once, also where all files are to be tried, and before the store is asked for bytes.
async fn assert_denied(destination: &Path) {
    for keep_going in [false, true] {
        let store = mlfetch_conformance::FaultyStore::new(memory(&[("a", "a"), ("b", "b")]));
        let store = std::sync::Arc::new(store);
        let home = Home::new(std::sync::Arc::clone(&store) as _).set(|s| s.keep_going = keep_going);
        let parts = crate::support::resolved(mlfetch_core::resolve::Target::new("s0:/")).await;
        let error = home.fetch_to(&parts, destination).await.expect_err("it may not be written");
        assert_eq!(destination_problem(&error), DestinationProblem::PermissionDenied);
        assert!(matches!(error, FetchError::Destination(_)), "{error:?}");
        assert_eq!(store.calls(mlfetch_conformance::Operation::Read), 0);
    }
}

fn as_nobody(directory: &Path, test: &str) {
    use std::os::unix::process::CommandExt as _;
    // The program may lie where nobody may not look: a copy of it lies where it may.
    let program = directory.join("program");
    std::fs::copy(std::env::current_exe().expect("this program"), &program).expect("a copy");
    set_mode(directory, 0o777);
    let mut command = Command::new(&program);
    let command = command.args(["--exact", test]).env("TMPDIR", directory).current_dir("/");
    must_pass(command.uid(65534).gid(65534));
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}
