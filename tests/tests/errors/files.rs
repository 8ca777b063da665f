//! File stores whose `meta.yaml` is damaged.

use mlfetch_tests::{Desk, Failure};

use crate::support::RUN;

const STORE: [(&str, &str); 1] = [("MLFLOW_TRACKING_URI", "mlruns")];

/// A file store with one experiment and one run, its `meta.yaml` being this.
fn store(meta: &str) -> Desk {
    let desk = Desk::new();
    desk.write("mlruns/1/meta.yaml", "experiment_id: '1'\nname: one\nlifecycle_stage: active\n");
    for directory in ["metrics", "params", "artifacts"] {
        desk.write(format!("mlruns/1/{RUN}/{directory}/file"), "x");
    }
    desk.write(format!("mlruns/1/{RUN}/meta.yaml"), meta);
    desk
}

#[track_caller]
fn fail(desk: &Desk, code: i32) -> Failure {
    desk.fail(code, &["get", "-r", RUN, "-d", "out"], &STORE)
}

#[test]
fn a_sound_one_is_read() {
    let desk = store(&format!(
        "run_id: {RUN}\nexperiment_id: '1'\nartifact_uri: mlruns/1/{RUN}/artifacts\n\
         lifecycle_stage: active\n"
    ));
    let ran = desk.run(&["get", "-r", RUN, "-d", "out"], &STORE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn malformed_yaml_names_the_file() {
    for meta in ["run_id: [", "\t: :", "- a\n- list\n", "run_id: \"open\n", "", "\0\u{1}binary"] {
        let failure = fail(&store(meta), 1);
        failure.says(&format!("{RUN}/meta.yaml")).advises("compare it with its neighbours");
    }
}

#[test]
fn a_field_that_is_missing_is_named() {
    let meta = format!("run_id: {RUN}\nexperiment_id: '1'\nlifecycle_stage: active\n");
    fail(&store(&meta), 1).says("artifact_uri").advises("compare it with its neighbours");
}
