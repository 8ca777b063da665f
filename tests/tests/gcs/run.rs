//! A run that MLflow logged through its server into a bucket, fetched around the server and through it.

use std::sync::OnceLock;

use mlfetch_tests::{Node, Tree, fetch_whole, variable};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Environment, body, borrowed, emulator, fresh_prefix, gcs, seed};

/// What the run holds.
fn expected() -> Tree {
    let mut tree = Tree::default();
    tree.put("big.bin", Node::file(body(12 << 20)));
    tree.put("small.txt", Node::file("small\n"));
    tree.put("empty.txt", Node::file(""));
    tree.put("archive.tar.gz", Node::file("not compressed at all\n"));
    tree.put("nest/two words.txt", Node::file("2\n"));
    tree.put("nest/数据 (1)+.csv", Node::file("1,2\n"));
    tree
}

/// A run with these files below `dir`, that MLflow logged through its server.
fn run_id() -> &'static str {
    static RUN: OnceLock<String> = OnceLock::new();
    RUN.get_or_init(|| {
        let directory = TempDir::new().expect("a directory");
        expected().write(directory.path());
        let arguments = json!({
            "server": variable("MLFETCH_TEST_MLFLOW_GCS"),
            "experiment": fresh_prefix(),
            "directory": directory.path(),
        });
        seed("log_run", &arguments).as_str().expect("an id").to_owned()
    })
}

#[track_caller]
fn assert_whole(more: &[&str], environment: &Environment, way: &str) {
    let uri = format!("runs:/{}/dir", run_id());
    let server = variable("MLFETCH_TEST_MLFLOW_GCS");
    let ran = fetch_whole(&uri, &server, &expected(), more, &borrowed(environment));
    let line = format!("bytes came by {way}");
    let came = ran.stderr.lines().any(|found| found.starts_with(&line));
    assert!(came, "no line {line:?}:\n{}", ran.stderr);
}

#[test]
fn a_rule_leads_around_the_server() {
    let rule = format!("mlflow-artifacts:/=gs://{}/mlflow/server", gcs("BUCKET"));
    assert_whole(&["--rewrite", &rule], &emulator(), "gcs: ");
    assert_whole(&["--via", "direct", "--rewrite", &rule], &emulator(), "gcs: ");
}

#[test]
fn without_a_rule_the_bytes_come_through_the_server() {
    assert_whole(&[], &Vec::new(), "mlflow-artifacts (proxy)");
}
