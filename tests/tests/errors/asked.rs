//! What cannot be meant is said before anybody is asked.

use mlfetch_tests::{Answer, Desk, Failure, ScriptedServer};

/// Fails with a server at hand, which must not be asked.
#[track_caller]
fn unasked(code: i32, arguments: &[&str]) -> Failure {
    let server = ScriptedServer::start(|_, _| Answer::new(500, "nobody should ask"));
    let environment = [("MLFLOW_TRACKING_URI", server.url.as_str())];
    let failure = Desk::new().fail(code, arguments, &environment);
    assert!(server.asked().is_empty(), "it was asked {:?}", server.asked());
    failure
}

#[test]
fn a_malformed_run_id() {
    let long = "a".repeat(257);
    for id in ["../x", "a b", "a.b", "a/../b", "é", "0a1b2c3d 4e5f60718293a4b5c6d7e8f9", &long] {
        let failure = unasked(2, &["get", "-r", id, "-d", "out"]);
        failure.says("run id").advises("32 hexadecimal digits");
        unasked(1, &["artifacts", "download", "-r", id, "-d", "out"]).advises("32 hexadecimal");
        unasked(1, &["artifacts", "list", "-r", id]).advises("32 hexadecimal digits");
    }
    let uri = unasked(2, &["get", "runs:/a.b/model", "-d", "out"]);
    uri.says("`a.b`").advises("this has 3 characters");
}

#[test]
fn a_path_that_leads_out_or_is_absolute() {
    let run = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
    for path in ["..", "../x", "a/../../x", "a\\..\\x"] {
        let failure = unasked(2, &["get", "-r", run, "-a", path, "-d", "out"]);
        failure.says("leads out of the artifact root").advises("relative to the root");
    }
    for path in ["/etc/passwd", "/"] {
        let failure = unasked(2, &["get", "-r", run, "-a", path, "-d", "out"]);
        failure.says("it is absolute").advises("relative to the root");
    }
    let model = unasked(2, &["get", "models:/fraud/1/../2", "-d", "out"]);
    model.says("leads out of the artifact root").advises("relative to the root");
}

#[test]
fn an_empty_uri_and_none_at_all() {
    let _ = unasked(2, &["get", "", "-d", "out"]).says("not empty");
    let _ = unasked(2, &["get", "-d", "out"]).says("URI");
    let _ = unasked(1, &["artifacts", "download", "-d", "out"]).says("exactly one of");
}

#[test]
fn more_than_one_source() {
    let _ =
        unasked(2, &["get", "models:/a/1", "-r", "abc", "-d", "out"]).says("exclude each other");
}

#[test]
fn a_malformed_model_uri() {
    for uri in ["models:/", "models:", "models:/fraud@", "models:/@x", "models:/fraud/nostage"] {
        let failure = unasked(2, &["get", uri, "-d", "out"]);
        failure.says("cannot read the model URI").advises("models:/<name>@<alias>");
    }
}

#[test]
fn a_scheme_that_is_not_known_lists_those_that_are() {
    let failure = unasked(2, &["get", "bogus://x/y", "-d", "out"]);
    failure.says("`bogus`").advises("mlflow-artifacts");
    let tracking = [("MLFLOW_TRACKING_URI", "bogus://x")];
    let failure = Desk::new().fail(2, &["get", "models:/a/1", "-d", "out"], &tracking);
    failure.says("no tracking store has the scheme `bogus`").advises("sqlite, postgresql, mysql");
}

#[test]
fn a_flag_that_is_not_known() {
    let _ = unasked(2, &["get", "models:/a/1", "--frobnicate"]).says("--frobnicate");
}

#[test]
fn a_variable_that_cannot_be_read() {
    let server = ScriptedServer::start(|_, _| Answer::new(500, "nobody should ask"));
    for (name, value) in [
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "many"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "11"),
        ("MLFLOW_TRACKING_INSECURE_TLS", "perhaps"),
        ("MLFETCH_JOBS", "-1"),
    ] {
        let environment = [("MLFLOW_TRACKING_URI", server.url.as_str()), (name, value)];
        let failure = Desk::new().fail(2, &["get", "models:/a/1", "-d", "out"], &environment);
        let shown = if name == "MLFETCH_JOBS" { "--jobs" } else { name };
        let _ = failure.says(shown);
    }
    assert!(server.asked().is_empty());
}
