//! Servers that answer badly, or not at all.

use std::time::Duration;

use mlfetch_tests::{Answer, Desk, Failure, ScriptedServer, variable};

use crate::support::{Purpose, RUN, count, server};

const SECONDS: Duration = Duration::from_secs(1);

#[track_caller]
fn fetch(code: i32, server: &ScriptedServer, more: &[&str]) -> Failure {
    let arguments = [["get", "-r", RUN, "-d", "out"].as_slice(), more].concat();
    Desk::new().fail(code, &arguments, &[("MLFLOW_TRACKING_URI", &server.url)])
}

/// A server that answers every request about runs so.
fn run_answered(answer: Answer) -> ScriptedServer {
    server(&[], move |purpose, _| (purpose == Purpose::Run).then(|| answer.clone()))
}

/// A server that has the run and answers every read of a file so.
fn read_answered(answer: Answer) -> ScriptedServer {
    server(&[("x.bin", 10)], move |purpose, _| (purpose == Purpose::Read).then(|| answer.clone()))
}

#[test]
fn a_server_that_is_not_there_is_said_at_once_and_ends_within_seconds() {
    let nobody = [("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")];
    let failure = Desk::new().fail(5, &["get", "-r", RUN, "-d", "out"], &nobody);
    let failure = failure.says("retrying in").says("the server cannot be reached");
    failure.within(15 * SECONDS).advises("http://127.0.0.1:9");
    let at_once = ["get", "-r", RUN, "-d", "out", "--retries", "0"];
    let failure = Desk::new().fail(5, &at_once, &nobody).within(SECONDS);
    assert!(!failure.ran.stderr.contains("retrying"), "{}", failure.ran.stderr);
}

#[test]
fn a_host_that_has_no_address() {
    let nowhere = [("MLFLOW_TRACKING_URI", "http://mlflow.invalid")];
    let arguments = ["get", "-r", RUN, "-d", "out", "--retries", "0"];
    Desk::new()
        .fail(5, &arguments, &nowhere)
        .says("mlflow.invalid")
        .within(20 * SECONDS)
        .advises("");
}

#[test]
fn a_web_page_is_no_tracking_server() {
    let page = Answer::new(200, "<!doctype html><title>Sign in</title>");
    let pages = [page.clone().with("content-type", "text/html"), page];
    for page in pages {
        fetch(1, &run_answered(page), &[]).says("web page").advises("MLFLOW_TRACKING_URI");
    }
    let page = Answer::new(404, "<html>no such page</html>").with("content-type", "text/html");
    fetch(1, &run_answered(page), &[]).says("404").advises("not an MLflow server");
}

#[test]
fn nobody_signed_in() {
    let answer = Answer::new(401, "You are not authenticated.");
    fetch(4, &run_answered(answer.clone()), &[]).says("401").advises("MLFLOW_TRACKING_USERNAME");
    fetch(4, &read_answered(answer), &[]).says("401").advises("MLFLOW_TRACKING_USERNAME");
    let real = variable("MLFETCH_TEST_MLFLOW_AUTH");
    let environment = [("MLFLOW_TRACKING_URI", real.as_str())];
    let failure = Desk::new().fail(4, &["get", "-r", RUN, "-d", "out"], &environment);
    failure.advises("MLFLOW_TRACKING_USERNAME");
}

#[test]
fn not_permitted() {
    let answer = Answer::new(403, "Permission denied");
    for server in [run_answered(answer.clone()), read_answered(answer)] {
        let _ = fetch(4, &server, &[]).says("403").within(3 * SECONDS);
    }
}

#[test]
fn not_there() {
    let answer = Answer::mlflow_error(404, "RESOURCE_DOES_NOT_EXIST", "Run with id=x not found");
    fetch(3, &run_answered(answer), &[]).says(RUN).within(3 * SECONDS).advises("check the id");
    let answer = Answer::mlflow_error(404, "RESOURCE_DOES_NOT_EXIST", "No such artifact: 'x'");
    let _ = fetch(3, &read_answered(answer), &[]).says("x.bin").within(3 * SECONDS);
}

#[test]
fn too_busy() {
    let answer = Answer::new(429, "slow down").with("retry-after", "1");
    for server in [run_answered(answer.clone()), read_answered(answer)] {
        let _ = fetch(5, &server, &["--retries", "1"]).says("retrying in 1.0 s").says("429");
    }
}

#[test]
fn broken_for_now_is_retried_and_said() {
    for status in [500, 502, 503, 504] {
        let answer = Answer::new(status, "no");
        let server = run_answered(answer.clone());
        let _ =
            fetch(5, &server, &["--retries", "2"]).says("retrying in").says(&status.to_string());
        assert_eq!(count(&server, Purpose::Run), 3, "one attempt and two retries");
        let server = read_answered(answer);
        let _ =
            fetch(5, &server, &["--retries", "2"]).says("retrying in").says(&status.to_string());
        assert_eq!(count(&server, Purpose::Read), 3, "one attempt and two retries");
    }
}

#[test]
fn the_number_of_retries_that_mlflow_was_told_counts_for_artifacts_too() {
    let none = |server: &ScriptedServer| {
        let environment = [
            ("MLFLOW_TRACKING_URI", server.url.as_str()),
            ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0"),
        ];
        let _ = Desk::new().fail(5, &["get", "-r", RUN, "-d", "out"], &environment);
    };
    let server = run_answered(Answer::new(500, "no"));
    none(&server);
    assert_eq!(count(&server, Purpose::Run), 1);
    let server = read_answered(Answer::new(500, "no"));
    none(&server);
    assert_eq!(count(&server, Purpose::Read), 1);
}

#[test]
fn what_passes_is_no_failure() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = server(&[("x.bin", 10)], move |purpose, _| {
        let first = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        (purpose == Purpose::Run && first).then(|| Answer::new(503, "starting"))
    });
    let desk = Desk::new();
    let arguments = ["get", "-r", RUN, "-d", "out"];
    let ran = desk.run(&arguments, &[("MLFLOW_TRACKING_URI", &server.url)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("retrying in"), "{}", ran.stderr);
    assert_eq!(std::fs::read(desk.path().join("out/x.bin")).expect("it is there"), b"0123456789");
}

#[test]
fn a_server_that_hangs() {
    let patience = ["--timeout", "1", "--retries", "0"];
    let silent = [run_answered(Answer::silence()), read_answered(Answer::silence())];
    for server in silent {
        let _ = fetch(5, &server, &patience).says("no progress for 1 s").within(10 * SECONDS);
    }
    let server = read_answered(Answer::new(200, "0123456789").stopping_after(4));
    let _ = fetch(5, &server, &patience).says("x.bin").within(10 * SECONDS);
}

#[test]
fn fewer_bytes_than_were_listed_are_not_the_file() {
    let server = read_answered(Answer::new(200, "0123"));
    let failure = fetch(6, &server, &["--retries", "1"]);
    let _ = failure.says("x.bin");
}

#[test]
fn what_is_no_json_is_said_to_be_none() {
    let server = run_answered(Answer::new(200, "{").with("content-type", "application/json"));
    fetch(1, &server, &[]).says("not MLflow's JSON").advises("MLFLOW_TRACKING_URI");
    let server = run_answered(Answer::new(200, "{}").with("content-type", "application/json"));
    let _ = fetch(1, &server, &[]).says(RUN);
}
