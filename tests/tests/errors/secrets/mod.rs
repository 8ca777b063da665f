//! Secrets are nowhere to be seen, however it goes and however much is said: not in what is printed,
//! not in a file, not in the line of a process, neither as they are nor as URLs or base64 have them.

mod look;
mod planted;
mod play;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mlfetch_tests::{Answer, Asked, Desk, Ran, Running, ScriptedServer, assert_clean};

use look::files;
use planted::{KEY_FILE, Planted, all, malformed};
use play::Speaks;

const DEADLINE: Duration = Duration::from_mins(1);

/// All that can be said and written.
const LOUD: [&[&str]; 2] = [
    &["get", "-v", "-d", "out", "--manifest", "out.manifest", "--audit-log", "audit.jsonl"],
    &["get", "-v", "--json", "-d", "out", "--lock", "out.lock", "--audit-log", "audit.jsonl"],
];

/// Ways to look without fetching.
const LOOKING: [&[&str]; 2] = [&["ls", "-R", "-l"], &["resolve"]];

/// Runs a command with what is planted; gives what came of it, when nothing was seen.
#[track_caller]
fn check(desk: &Desk, planted: &Planted, command: &[&str], server: Option<&ScriptedServer>) -> Ran {
    let is_named = command[0] == "get";
    let mut arguments = command.to_vec();
    let mut environment = planted.environment.clone();
    for name in ["RUST_LOG", "MLFETCH_LOG", "AWS_LOG", "AZURE_LOG", "GOOGLE_LOG"] {
        environment.push((name, "trace".to_owned()));
    }
    environment.push(("RUST_BACKTRACE", "full".to_owned()));
    // Who types a secret shows it to everybody on the machine; a variable does not.
    if is_named {
        environment.push(("MLFETCH_ARTIFACT_URI", planted.uri.clone()));
    } else {
        arguments.push(&planted.uri);
    }
    let running = Running::start(desk.command(&arguments).envs(environment));
    let line = std::fs::read(format!("/proc/{}/cmdline", running.id())).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).into_owned();
    let ran = running.wait(DEADLINE);
    let mut secrets = planted.secrets.clone();
    secrets.extend(server.into_iter().flat_map(|server| tokens(&server.asked())));
    let what = format!("{} {command:?}", planted.name);
    assert_clean(&ran.stdout, &secrets, &format!("{what}, standard output"));
    assert_clean(&ran.stderr, &secrets, &format!("{what}, standard error"));
    if is_named {
        assert_clean(&line, &secrets, &format!("{what}, the process"));
    }
    let written = files(desk.path().parent().expect("its root"), &[KEY_FILE]);
    assert_clean(&written, &secrets, &format!("{what}, files"));
    ran
}

/// Tokens that were made on the way: those of Google.
fn tokens(asked: &[Asked]) -> Vec<String> {
    let bearer =
        asked.iter().filter_map(|asked| asked.header("authorization")?.strip_prefix("Bearer "));
    bearer.map(str::to_owned).collect()
}

/// Runs everything that is planted against servers that answer so.
fn each(
    answer: fn(Speaks, &Asked) -> Answer,
    more: &[&str],
    judge: fn(&Planted, &Ran, &ScriptedServer),
) {
    let count = all(NOBODY, &Desk::new()).len();
    side_by_side((0..count).collect(), |number| {
        for command in LOUD.into_iter().chain(LOOKING) {
            let desk = Desk::new();
            let speaks = all(NOBODY, &desk)[number].speaks;
            let server = ScriptedServer::start(move |asked, _| answer(speaks, asked));
            let planted = &all(&server.url, &desk)[number];
            let ran = check(&desk, planted, &[command, more].concat(), Some(&server));
            if command[0] == "get" {
                judge(planted, &ran, &server);
            }
        }
    });
}

/// All at once, a few at a time: each failure is shown.
fn side_by_side<T: Send>(all: Vec<T>, run: impl Fn(T) + Sync) {
    let (waiting, run) = (Mutex::new(all), &run);
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut failures = 0;
                while let Some(one) = next() {
                    failures += usize::from(catch_unwind(AssertUnwindSafe(|| run(one))).is_err());
                }
                assert_eq!(failures, 0, "they are above");
            });
        }
    });
}

/// An address where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

const AT_ONCE: [&str; 2] = ["--retries", "0"];

#[test]
fn when_all_goes_well() {
    each(Speaks::success, &AT_ONCE, |planted, ran, server| {
        // A lock would hold the credential, so there is none.
        let is_refused = ran.stderr.contains("cannot lock `");
        assert!(ran.code == 0 || is_refused, "{}: {} {}", planted.name, ran.code, ran.stderr);
        assert!(ran.stdout.contains("out") || is_refused, "{}: {}", planted.name, ran.stdout);
        assert!(!server.asked().is_empty(), "{}: it was used", planted.name);
    });
}

#[test]
fn when_the_server_refuses_and_says_what_it_was_told() {
    each(|speaks, asked| speaks.refusal(403, asked), &AT_ONCE, failed);
}

#[test]
fn when_the_server_does_not_believe_it() {
    each(|speaks, asked| speaks.refusal(401, asked), &AT_ONCE, failed);
}

#[test]
fn when_nothing_is_there() {
    each(|speaks, asked| speaks.refusal(404, asked), &AT_ONCE, failed);
}

#[test]
fn when_the_server_fails() {
    each(|speaks, asked| speaks.refusal(500, asked), &["--retries", "1"], failed);
}

#[test]
fn when_the_server_says_nothing() {
    each(|_, _| Answer::silence(), &["--retries", "0", "--timeout", "1"], failed);
}

fn failed(planted: &Planted, ran: &Ran, server: &ScriptedServer) {
    assert!(ran.code != 0 && ran.stderr.contains("error: "), "{}: {}", planted.name, ran.stderr);
    assert!(!server.asked().is_empty(), "{}: it was used", planted.name);
}

#[test]
fn when_nobody_listens() {
    let count = all(NOBODY, &Desk::new()).len();
    side_by_side((0..count).collect(), |number| {
        for command in LOUD.into_iter().chain(LOOKING) {
            let desk = Desk::new();
            let planted = &all(NOBODY, &desk)[number];
            let ran = check(&desk, planted, &[command, &AT_ONCE].concat(), None);
            assert!(ran.code != 0 || command[0] == "resolve", "{}", planted.name);
        }
    });
}

#[test]
fn when_it_is_malformed() {
    side_by_side(malformed(), |planted| {
        for command in LOUD.into_iter().chain(LOOKING) {
            let ran = check(&Desk::new(), &planted, &[command, &AT_ONCE].concat(), None);
            let is_tried = ran.code != 0 || command[0] == "resolve";
            assert!(is_tried, "{} {}: {}", planted.name, planted.uri, ran.stdout);
        }
    });
}
