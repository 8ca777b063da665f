//! What is not there: the message has what is there instead.

use mlfetch_tests::{Desk, Failure, variable};

use crate::support::quickstart;

const NESTED_RUN: &str = "afb16d3931534be4a8c3853e8f7ccdf6";

#[track_caller]
fn missing(uri: &str) -> Failure {
    let environment = quickstart();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for arguments in [["ls", uri].as_slice(), &["cat", uri], &["resolve", uri]] {
        let ran = Desk::new().run(arguments, &environment);
        // Where a path is concerned `resolve` has nothing to look at: it only follows the way.
        assert!(ran.code == 3 || arguments[0] == "resolve", "{arguments:?}: {}", ran.stderr);
    }
    let drop_in = ["artifacts", "download", "-u", uri, "-d", "out"];
    let _ = Desk::new().fail(3, &drop_in, &environment);
    Desk::new().fail(3, &["get", uri, "-d", "out"], &environment)
}

#[test]
fn a_run() {
    let unknown = "0".repeat(32);
    missing(&format!("runs:/{unknown}")).says(&unknown).says("mlflow.db").advises("check the id");
    missing("runs:/abc").says("`abc`").advises("32 hexadecimal digits; this has 3 characters");
    let server = variable("MLFETCH_TEST_MLFLOW_PROXIED");
    let failure = Desk::new().fail(
        3,
        &["get", "-r", &unknown, "-a", "model", "-d", "out"],
        &[("MLFLOW_TRACKING_URI", &server)],
    );
    failure.says(&unknown).says(&server).advises("MLFLOW_TRACKING_URI");
}

#[test]
fn a_registered_model() {
    missing("models:/frued/1").says("no registered model").advises("`fraud`");
    missing("models:/Fraud@champion").says("`Fraud`").advises("`fraud`");
    missing("models:/q/latest").says("`q`").advises("`fraud`");
}

#[test]
fn a_version_an_alias_and_a_stage() {
    missing("models:/fraud/9").says("no such version").advises("`1`, `2`, `3`");
    missing("models:/fraud@nope").says("no such alias").advises("`champion`");
    missing("models:/fraud/Production").says("in this stage").advises("`None`");
}

#[test]
fn a_logged_model() {
    let unknown = format!("models:/m-{}", "0".repeat(32));
    missing(&unknown).says("no logged model").advises("check the id");
    missing("models:/fraud").says("no logged model").advises("models:/name@alias");
}

#[test]
fn a_path_in_a_run_or_model_gets_near_ones() {
    let near = |path: &str| missing(&format!("runs:/{NESTED_RUN}/{path}"));
    near("names/two word.txt").says("no artifact of that name").advises("`two words.txt`");
    near("emty.txt").says("`emty.txt`").advises("`empty.txt`");
    near("Reports").says("`Reports`").advises("`reports`");
    missing("models:/fraud@champion/MLModel").says("`MLModel`").advises("`MLmodel`");
    near("nothing/like/it").says("no artifact of that name").advises("mlfetch ls");
}

#[test]
fn a_local_path_and_its_nearest_directory() {
    let desk = Desk::new();
    let path = desk.path().join("not/there");
    let path = path.display().to_string();
    let failure = desk.fail(3, &["get", &path, "-d", "out"], &[]);
    failure.says(&path).says("does not exist").advises("check the path");
}

#[test]
fn a_tracking_store() {
    let failure = Desk::new().fail(3, &["get", "models:/a/1", "-d", "out"], &[]);
    failure.says("mlflow.db").says("there is no such file").advises("--tracking-uri");
    let store = [("MLFLOW_TRACKING_URI", "none/mlruns")];
    let failure = Desk::new().fail(3, &["get", "models:/a/1", "-d", "out"], &store);
    failure.says("none/mlruns").says("there is no such directory").advises("--tracking-uri");
}
