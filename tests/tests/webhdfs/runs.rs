//! A run of MLflow whose artifact root is in HDFS.

use std::process::{Command, Stdio};

use mlfetch_tests::{Desk, Tree, repository, variable};
use serde_json::Value;

use crate::support::{borrowed, fresh_path, hdfs, owner, put, shell};

/// Records a run in a tracking store on the desk; gives its id and its artifact URI.
fn recorded(desk: &Desk, root: &str) -> (String, String) {
    let store = format!("sqlite:///{}", desk.path().join("mlflow.db").display());
    let output = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(repository().join("tests/data/hdfs_run.py"))
        .args([&store, root])
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("GIT_PYTHON_REFRESH", "quiet")
        .current_dir(desk.path())
        .stdin(Stdio::null())
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let facts: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |name: &str| facts[name].as_str().expect("a text").to_owned();
    (text("run"), text("uri"))
}

#[test]
fn a_run_in_hdfs_is_fetched_without_hadoop() {
    let desk = Desk::new();
    let path = fresh_path();
    let (run, uri) = recorded(&desk, &format!("{}{path}", hdfs("URI")));
    let artifacts = uri.strip_prefix(&hdfs("URI")).expect("it is in the cluster");
    desk.write("model/MLmodel", "flavors: {}\n");
    desk.write("model/data/weights.bin", vec![7; 300_000]);
    shell(&["-mkdir", "-p", artifacts]);
    put(&desk.path().join("model"), &format!("{artifacts}/model"));
    let model = Tree::of(&desk.path().join("model"));

    let store = format!("sqlite:///{}", desk.path().join("mlflow.db").display());
    let uri = format!("runs:/{run}/model");
    let arguments = ["get", &uri, "-d", "out", "--tracking-uri", &store, "-v"];
    let mut environment = owner();
    // No program of the machine: no Java, no `hadoop`, no `hdfs`.
    environment.push(("PATH", "/nowhere".to_owned()));
    let ran = desk.run(&arguments, &borrowed(&environment));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut expected = Tree::default();
    expected.put_all("model", &model);
    assert_eq!(expected.differences(&Tree::of(&desk.path().join("out"))), [""; 0]);
    assert!(ran.stderr.contains("bytes came by webhdfs"), "{}", ran.stderr);
}
