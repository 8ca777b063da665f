//! The audit log, by the program itself: whatever becomes of a command, it is on record.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mlfetch_tests::{Answer, Desk, Running, ScriptedServer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const RUN: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const PASSWORD: &str = "hunter2-and-more";

fn records(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a log");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn log(desk: &Desk) -> Vec<Value> {
    records(&desk.path().join("audit.jsonl"))
}

const LOGGED: [(&str, &str); 1] = [("MLFETCH_AUDIT_LOG", "audit.jsonl")];

#[test]
fn what_failed_is_on_record_as_well_as_what_was_done() {
    let desk = Desk::new();
    desk.write("store/a", "aaaa");
    for (arguments, code) in [
        (&["get", "-q", "store/", "-d", "out"][..], 0),
        (&["get", "store/none", "-d", "out"], 3),
        (&["cat", "store/a"], 0),
        (&["ls", "https://me:hunter2@127.0.0.1:1/x?token=hunter2", "--retries", "0"], 5),
        (&["get", "m-feed"], 2),
        (&["verify", "-q", "out", "store/"], 0),
    ] {
        assert_eq!(desk.run(arguments, &LOGGED).code, code, "{arguments:?}");
    }
    let log = log(&desk);
    let outcomes: Vec<(&str, &str, i64)> = log
        .iter()
        .map(|record| {
            let word = |name: &str| record[name].as_str().expect("text");
            (word("command"), word("outcome"), record["exit"].as_i64().expect("a number"))
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("get", "done", 0),
            ("get", "failed", 3),
            ("cat", "done", 0),
            ("ls", "failed", 5),
            ("get", "failed", 2),
            ("verify", "done", 0),
        ]
    );
    assert_eq!((&log[0]["files"], &log[0]["size_bytes"]), (&json!(1), &json!(4)));
    assert_eq!(log[0]["file"]["path"], "a");
    assert_eq!(log[1]["error"]["kind"], "not-found");
    assert_eq!(log[2]["size_bytes"], 4);
    assert_eq!(log[3]["uri"], "https://127.0.0.1:1/x");
    let text = std::fs::read_to_string(desk.path().join("audit.jsonl")).expect("a log");
    assert!(!text.contains("hunter2"), "{text}");
    let checked = desk.run(&["audit", "verify", "audit.jsonl"], &[]);
    assert!(checked.stdout.starts_with("6 records, each as it was written\n"), "{checked:?}");
}

/// A tracking server with one file whose bytes come slowly; it lets nobody in but `me`.
fn server() -> ScriptedServer {
    ScriptedServer::start(|asked, _| {
        let path = asked.target.split('?').next().unwrap_or_default();
        if path.ends_with("/runs/get") && asked.target.contains("feed") {
            return Answer::new(403, "{\"error_code\": \"PERMISSION_DENIED\"}");
        }
        if path.ends_with("/runs/get") {
            return Answer::json(&json!({"run": {"info": {
                "run_id": RUN, "experiment_id": "1", "lifecycle_stage": "active",
                "artifact_uri": format!("mlflow-artifacts:/1/{RUN}/artifacts"),
            }}}));
        }
        match path.rsplit('/').next() {
            Some("artifacts") => Answer::json(&json!({"files": [
                {"path": "slow.bin", "is_dir": false, "file_size": 65536},
            ]})),
            Some("slow.bin") => {
                Answer::new(200, vec![7; 65536]).slowly(100, Duration::from_millis(100))
            }
            _ => Answer::json(&json!({})),
        }
    })
}

/// Runs until the slow file is on its way, and sends a signal.
fn stopped(desk: &Desk, signal: Signal, more: &[&str]) -> i32 {
    let server = server();
    let arguments = [&["get", "-r", RUN, "-d", "out", "--audit-log", "audit.jsonl"], more].concat();
    let mut command = desk.command(&arguments);
    let who = [("MLFLOW_TRACKING_USERNAME", "me"), ("MLFLOW_TRACKING_PASSWORD", PASSWORD)];
    let running = Running::start(command.env("MLFLOW_TRACKING_URI", &server.url).envs(who));
    let deadline = Instant::now() + Duration::from_secs(20);
    while !server.asked().iter().any(|asked| asked.target.ends_with("slow.bin")) {
        assert!(Instant::now() < deadline, "the slow file is never asked for");
        thread::sleep(Duration::from_millis(10));
    }
    let id = i32::try_from(running.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(id, signal).expect("the signal is sent");
    running.wait(Duration::from_secs(20)).code
}

#[test]
fn a_command_that_somebody_stops_is_on_record_with_who_asked() {
    let desk = Desk::new();
    assert_eq!(stopped(&desk, Signal::INT, &[]), 130);
    let log = log(&desk);
    assert_eq!(log.len(), 1);
    assert_eq!((&log[0]["outcome"], &log[0]["exit"]), (&json!("interrupted"), &json!(130)));
    assert_eq!(log[0]["tracking_user"], "me");
    assert_eq!(log[0]["stores"][0]["identity"], "me");
    let hops = log[0]["places"][0]["hops"].as_array().expect("hops");
    assert!(hops.len() > 1 && hops[0]["to"] == format!("runs:/{RUN}"), "{hops:?}");
    let text = std::fs::read_to_string(desk.path().join("audit.jsonl")).expect("a log");
    assert!(!text.contains(PASSWORD));
}

#[test]
fn a_command_that_is_killed_leaves_its_beginning_in_a_strict_log() {
    let desk = Desk::new();
    assert_eq!(stopped(&desk, Signal::KILL, &["--audit-strict"]), 137);
    let log = log(&desk);
    assert_eq!((log.len(), &log[0]["event"]), (1, &json!("begin")));
    let checked = desk.run(&["audit", "verify", "audit.jsonl"], &[]);
    assert!(checked.stdout.contains("1 attempts have no end on record"), "{checked:?}");
}

#[test]
fn whoever_is_not_let_in_is_on_record_as_refused() {
    let (desk, server) = (Desk::new(), server());
    let variables = [LOGGED[0], ("MLFLOW_TRACKING_URI", &server.url)];
    let run = "feed".repeat(8);
    assert_eq!(desk.run(&["get", "-r", &run, "-d", "out"], &variables).code, 4);
    let log = log(&desk);
    assert_eq!(log[0]["outcome"], "refused");
    assert_eq!(log[0]["error"]["kind"], "permission-denied");
    assert_eq!(log[0]["uri"], format!("runs:/{run}"));
}

#[test]
fn twenty_processes_at_once_make_one_chain() {
    let desk = Desk::new();
    for at in 0..20 {
        desk.write(format!("store/{at}"), "x");
    }
    let running: Vec<Running> = (0..20)
        .map(|at| {
            let out = format!("out{at}");
            let strict = if at % 2 == 0 { "--audit-strict" } else { "--quiet" };
            let arguments = ["get", "store/", "-d", &out, "--audit-log", "audit.jsonl", strict];
            Running::start(&mut desk.command(&arguments))
        })
        .collect();
    for running in running {
        let ran = running.wait(Duration::from_mins(1));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let checked = desk.run(&["audit", "verify", "audit.jsonl", "--json"], &[]);
    let checked: Value = serde_json::from_str(&checked.stdout).expect("JSON");
    // Ten with one record, ten with their beginning, twenty files and their end.
    assert_eq!((&checked["records"], &checked["unfinished"]), (&json!(230), &json!(0)));
}

#[test]
fn a_log_that_was_cut_or_changed_is_told() {
    let desk = Desk::new();
    desk.write("a", "x");
    for _ in 0..3 {
        assert_eq!(desk.run(&["cat", "a"], &LOGGED).code, 0);
    }
    let path = desk.path().join("audit.jsonl");
    let checked = desk.run(&["audit", "verify", "audit.jsonl", "--json"], &[]);
    let checked: Value = serde_json::from_str(&checked.stdout).expect("JSON");
    let hash = checked["hash"].as_str().expect("a hash").to_owned();
    let verify = ["audit", "verify", "audit.jsonl", "--expect-hash", &hash];
    assert_eq!(desk.run(&verify, &[]).code, 0);
    let text = std::fs::read_to_string(&path).expect("a log");
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&path, format!("{}\n{}\n", lines[0], lines[1])).expect("written");
    desk.fail(6, &verify, &[]).says("its end was cut off").advises("a copy");
    std::fs::write(&path, format!("{}\n{}\n", lines[0], lines[2])).expect("written");
    desk.fail(6, &verify[..3], &[]).says("line 2: it is record 3").advises("a copy");
    desk.fail(3, &["audit", "verify", "none"], &[]).advises("check the path");
}

#[test]
fn without_a_place_for_the_record_nothing_is_asked_in_strict_mode() {
    let (desk, server) = (Desk::new(), server());
    let variables = [("MLFLOW_TRACKING_URI", server.url.as_str())];
    let get = ["get", "-r", RUN, "-d", "out", "--audit-strict"];
    let arguments = [&get[..], &["--audit-log", "none/log"]].concat();
    desk.fail(7, &arguments, &variables).says("its directory is not there").advises("make");
    desk.fail(2, &get, &variables).says("--audit-strict needs a log").advises("--audit-log");
    assert!(server.asked().is_empty());
}
