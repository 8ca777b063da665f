//! Several processes that bring the same to one destination: one goes ahead, the others wait for it.

use std::ffi::OsString;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mlfetch_tests::{Desk, Ran, Running};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const FILES: usize = 8;
const BYTES: usize = 512 * 1024;

/// Slow enough that the others begin meanwhile: some two seconds for all.
const SLOWLY: &str = "--bwlimit=2M";

/// No run takes longer, however it ends.
const LIMIT: Duration = Duration::from_mins(1);

fn desk() -> Desk {
    let desk = Desk::new();
    for number in 0..FILES {
        desk.write(
            format!("from/d{}/f{number}", number % 2),
            vec![u8::try_from(number).expect("few"); BYTES],
        );
    }
    desk.write("else/one", "one");
    desk
}

fn get(desk: &Desk, from: &str, more: &[&str]) -> Running {
    let arguments = [&["get", from, "-d", "out", "--json"], more].concat();
    Running::start(&mut desk.command(&arguments))
}

/// Whether somebody goes ahead with something.
fn is_begun(desk: &Desk) -> bool {
    let has_mark = |path: &Path| path.extension().is_some_and(|extension| extension == "brings");
    desk.everything().paths().any(has_mark)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Files that a run fetched, and those that it found.
fn counts(ran: &Ran) -> (u64, u64) {
    let last = ran.stdout.lines().last().unwrap_or_default();
    let summary: Value = serde_json::from_str(last).expect("a summary");
    let count = |name: &str| summary[name].as_u64().expect("a number");
    (count("files"), count("unchanged"))
}

fn assert_whole(desk: &Desk) {
    let (from, out) = (desk.tree().below("from"), desk.tree().below("out/from"));
    assert_eq!(out.differences(&from), [""; 0]);
    let left = std::fs::read_dir(desk.path().join("out")).expect("there").flatten();
    let is_left = |name: &OsString| name != "from" && name != "else";
    let left: Vec<OsString> = left.map(|entry| entry.file_name()).filter(is_left).collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn one_goes_ahead_and_nineteen_wait_for_it() {
    let desk = desk();
    let first = get(&desk, "from", &[SLOWLY]);
    wait_until("the first goes ahead", || is_begun(&desk));
    let says = format!("another mlfetch (process {}) brings the same", first.id());
    let others: Vec<Running> = (1..20).map(|_| get(&desk, "from", &[])).collect();
    let ran = first.wait(LIMIT);
    assert_eq!((ran.code, counts(&ran)), (0, (FILES as u64, 0)), "{}", ran.stderr);
    for other in others {
        let ran = other.wait(LIMIT);
        assert_eq!((ran.code, counts(&ran)), (0, (0, FILES as u64)), "{}", ran.stderr);
        assert_eq!(ran.stderr.matches(&says).count(), 1, "{}", ran.stderr);
    }
    assert_whole(&desk);
}

#[test]
fn whoever_waits_for_one_that_is_killed_brings_the_rest() {
    let desk = desk();
    let first = get(&desk, "from", &[SLOWLY]);
    wait_until("the first goes ahead", || is_begun(&desk));
    let others: Vec<Running> = (0..3).map(|_| get(&desk, "from", &[])).collect();
    let has_arrived = || desk.tree().below("out/from").paths().count() >= 4;
    wait_until("two files are there", has_arrived);
    let id = i32::try_from(first.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(id, Signal::KILL).expect("it runs");
    let killed = first.wait(LIMIT);
    assert_ne!(killed.code, 0, "it was on its way");
    let mut fetched = 0;
    for other in others {
        let ran = other.wait(LIMIT);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let (files, unchanged) = counts(&ran);
        assert_eq!(files + unchanged, FILES as u64);
        fetched += files;
    }
    assert!(fetched <= FILES as u64 - 2, "{fetched} came: one brings the rest, once");
    assert_whole(&desk);
}

#[test]
fn nobody_waits_for_something_else() {
    let desk = desk();
    let first = get(&desk, "from", &[SLOWLY]);
    wait_until("the first goes ahead", || is_begun(&desk));
    for (from, more) in
        [("else", &[][..]), ("from", &["--overwrite=always"]), ("from", &["--dry-run"])]
    {
        let ran = get(&desk, from, more).wait(LIMIT);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stderr.contains("another mlfetch"), "{}", ran.stderr);
    }
    let ran = first.wait(LIMIT);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_whole(&desk);
}
