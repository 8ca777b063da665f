//! Destinations that cannot take what is fetched.

use mlfetch_tests::{Desk, Failure};

use crate::support::Purpose;
use crate::support::{RUN, count, quickstart, server};

#[track_caller]
fn fail(desk: &Desk, destination: &str) -> Failure {
    let environment = quickstart();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    desk.fail(7, &["get", "models:/fraud@champion", "-d", destination], &environment)
}

#[test]
fn a_file_and_what_is_below_one() {
    let desk = Desk::new();
    desk.write("out", "mine");
    fail(&desk, "out").says("is a file").advises("choose another destination");
    fail(&desk, "out/below").says("is a file").advises("choose another destination");
}

#[test]
fn a_place_that_nobody_may_write_to() {
    // Not even the administrator makes directories there.
    let failure = fail(&Desk::new(), "/sys/mlfetch-test");
    let _ = failure.says("/sys/mlfetch-test");
}

#[test]
fn a_directory_where_a_file_belongs() {
    let desk = Desk::new();
    desk.write("out/MLmodel/mine", "mine");
    let environment = quickstart();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let arguments = ["get", "models:/fraud@champion/MLmodel", "-d", "out"];
    let failure = desk.fail(7, &arguments, &environment);
    failure.says("a directory of that name is there").advises("choose another destination");
}

#[test]
fn a_link_that_leads_nowhere_and_one_in_the_way() {
    let desk = Desk::new();
    std::os::unix::fs::symlink("nowhere", desk.path().join("out")).expect("a link");
    fail(&desk, "out")
        .says("a link that leads nowhere")
        .advises("nothing is written through links");
    let desk = Desk::new();
    desk.write("elsewhere/mine", "mine");
    desk.write("out/mine", "mine");
    std::os::unix::fs::symlink("../elsewhere", desk.path().join("out/artifacts")).expect("a link");
    let ran = fail_somewhere(&desk);
    assert!(ran.says("a link is in the way").ran.code == 7);
    let inside = std::fs::read_dir(desk.path().join("elsewhere")).expect("it is there").count();
    assert_eq!(inside, 1, "nothing is written through the link");
}

/// As [`fail`], but files that arrived before may stay.
#[track_caller]
fn fail_somewhere(desk: &Desk) -> Failure {
    let environment = quickstart();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let ran = desk.run(&["get", "models:/fraud@champion", "-d", "out"], &environment);
    Failure { ran }
}

#[test]
fn less_room_than_is_needed_is_said_before_the_first_byte() {
    const PETABYTE: u64 = 1 << 50;
    let server = server(&[("huge.bin", PETABYTE)], |_, _| None);
    let desk = Desk::new();
    let arguments = ["get", "-r", RUN, "-d", "out"];
    let failure = desk.fail(7, &arguments, &[("MLFLOW_TRACKING_URI", &server.url)]);
    let _ = failure.says("bytes are needed and");
    assert_eq!(count(&server, Purpose::Read), 0);
}

#[test]
fn files_that_are_there_and_must_not_be_replaced() {
    let desk = Desk::new();
    desk.write("out/MLmodel", "mine");
    let environment = quickstart();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let arguments = ["get", "models:/fraud@champion/MLmodel", "-d", "out", "--overwrite", "error"];
    let failure = desk.fail(7, &arguments, &environment);
    let _ = failure.says("a file of that name is there already");
}
