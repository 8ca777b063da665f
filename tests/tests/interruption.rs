//! A signal in the middle: a quick end with the signal's code, and nothing unfinished left.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mlfetch_tests::{Answer, Desk, Node, Ran, Running, ScriptedServer, program};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

const RUN: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// What is too long for a person at a terminal.
const SOON: Duration = Duration::from_secs(2);
const SIZE: usize = 64 * 1024;

/// A tracking server with a small file and one whose bytes come slowly: a minute for all.
fn server() -> ScriptedServer {
    ScriptedServer::start(|asked, _| {
        let path = asked.target.split('?').next().unwrap_or_default();
        if path.ends_with("/runs/get") {
            return Answer::json(&json!({"run": {"info": {
                "run_id": RUN, "experiment_id": "1", "lifecycle_stage": "active",
                "artifact_uri": format!("mlflow-artifacts:/1/{RUN}/artifacts"),
            }}}));
        }
        if path.ends_with("/artifacts") {
            return Answer::json(&json!({"files": [
                {"path": "small.bin", "is_dir": false, "file_size": 5},
                {"path": "slow.bin", "is_dir": false, "file_size": SIZE},
            ]}));
        }
        match path.rsplit('/').next() {
            Some("slow.bin") => {
                Answer::new(200, vec![7; SIZE]).slowly(SIZE / 600, Duration::from_millis(100))
            }
            Some("small.bin") => Answer::new(200, "small"),
            _ => Answer::json(&json!({})),
        }
    })
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn end(running: Running, signal: Signal) -> (Ran, Duration) {
    let id = i32::try_from(running.id()).ok().and_then(Pid::from_raw).expect("a process");
    let sent = Instant::now();
    kill_process(id, signal).expect("the signal is sent");
    let ran = running.wait(Duration::from_secs(20));
    (ran, sent.elapsed())
}

/// Whether there is anything but whole files of the run.
fn unfinished(desk: &Desk) -> Vec<String> {
    let tree = desk.everything();
    let whole = [Path::new("desk/out"), Path::new("desk/out/small.bin")];
    let places = ["desk", "home", "tmp"].map(Path::new);
    let found = tree.paths().filter(|path| !whole.contains(path) && !places.contains(path));
    let mut lines: Vec<String> = found.map(|path| path.display().to_string()).collect();
    let small = tree.get("desk/out/small.bin");
    if let Some(cut) = small.filter(|small| **small != Node::file("small")) {
        lines.push(format!("small.bin is {cut:?}"));
    }
    lines
}

#[track_caller]
fn check(signal: Signal, code: i32, arguments: &[&str]) {
    let server = server();
    let desk = Desk::new();
    let mut command = desk.command(arguments);
    let running = Running::start(command.env("MLFLOW_TRACKING_URI", &server.url));
    let asks = |name: &str| server.asked().iter().any(|asked| asked.target.ends_with(name));
    wait_until("the slow file is asked for", || asks("slow.bin"));
    wait_until("bytes of it are on disk", || desk.everything().paths().count() > 5);
    // Long enough for some pieces, far too short for all.
    thread::sleep(Duration::from_millis(300));
    let (ran, took) = end(running, signal);
    assert_eq!(ran.code, code, "{}", ran.stderr);
    assert!(took <= SOON, "it took {took:?}");
    assert_eq!(unfinished(&desk), [""; 0], "{}", ran.stderr);
    assert_eq!(ran.stdout, "", "there is no result");
}

const GET: [&str; 5] = ["get", "-r", RUN, "-d", "out"];

#[test]
fn sigint_ends_a_download_with_130() {
    check(Signal::INT, 130, &GET);
}

#[test]
fn sigterm_ends_a_download_with_143() {
    check(Signal::TERM, 143, &GET);
}

#[test]
fn the_drop_in_ends_likewise() {
    check(Signal::INT, 130, &["artifacts", "download", "-r", RUN, "-d", "out"]);
    check(Signal::TERM, 143, &["artifacts", "download", "-r", RUN, "-d", "out"]);
}

#[test]
fn an_existing_file_is_not_touched_by_a_download_that_ends_early() {
    let server = server();
    let desk = Desk::new();
    desk.write("out/slow.bin", "the one before");
    let arguments = [GET.as_slice(), &["--overwrite", "always"]].concat();
    let mut command = desk.command(&arguments);
    let running = Running::start(command.env("MLFLOW_TRACKING_URI", &server.url));
    let is_asked = || server.asked().iter().any(|asked| asked.target.ends_with("slow.bin"));
    wait_until("the slow file is asked for", is_asked);
    thread::sleep(Duration::from_millis(300));
    let (ran, _) = end(running, Signal::INT);
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    let now = std::fs::read_to_string(desk.path().join("out/slow.bin")).expect("it is there");
    assert_eq!(now, "the one before");
}

#[test]
fn a_crash_leaves_no_core_file() {
    let silent = ScriptedServer::start(|_, _| Answer::silence());
    let desk = Desk::new();
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -c unlimited; exec "$@""#, "sh"]).arg(program()).args(GET);
    command.current_dir(desk.path()).env_clear().env("HOME", desk.home());
    command.env("PATH", "/usr/bin:/bin").env("MLFLOW_TRACKING_URI", &silent.url);
    let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
    wait_until("the server is asked", || !silent.asked().is_empty());
    let id = Pid::from_child(&child);
    kill_process(id, Signal::ABORT).expect("it runs");
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped());
}

#[test]
fn waiting_for_an_answer_and_for_the_next_attempt_end_at_once_too() {
    let silent = ScriptedServer::start(|_, _| Answer::silence());
    let busy = ScriptedServer::start(|_, _| Answer::new(503, "").with("retry-after", "60"));
    for server in [silent, busy] {
        let desk = Desk::new();
        let mut command = desk.command(&GET);
        let running = Running::start(command.env("MLFLOW_TRACKING_URI", &server.url));
        wait_until("the server is asked", || !server.asked().is_empty());
        thread::sleep(Duration::from_millis(200));
        let (ran, took) = end(running, Signal::INT);
        assert_eq!(ran.code, 130, "{}", ran.stderr);
        assert!(took <= SOON, "it took {took:?}");
        assert_eq!(unfinished(&desk), [""; 0]);
    }
}
