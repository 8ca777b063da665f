//! The ways around a tracking server that hands artifacts out, counted at a forwarder before it.

use std::sync::OnceLock;

use mlfetch_tests::{Desk, Node, Ran, Tree, fetch_whole, variable};
use serde_json::json;
use tempfile::TempDir;

use crate::forwarder::Forwarder;
use crate::support::{Environment, body, borrowed, fresh_prefix, minio, nobody, owner, seed};

const MEBIBYTE: u64 = 1 << 20;
const BIG: u64 = 3 * MEBIBYTE;

/// What the run holds.
fn expected() -> Tree {
    let mut tree = Tree::default();
    tree.put("big.bin", Node::file(body(3 << 20)));
    tree.put("small.txt", Node::file("small\n"));
    tree.put("empty.txt", Node::file(""));
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
        let run = seed(
            "log_run",
            &json!({
                "server": variable("MLFETCH_TEST_MLFLOW_S3"),
                "experiment": fresh_prefix(),
                "directory": directory.path(),
            }),
        );
        run.as_str().expect("an id").to_owned()
    })
}

/// From the server's artifacts to where they lie.
fn rule() -> String {
    format!("mlflow-artifacts:/=s3://{}/mlflow", minio("BUCKET"))
}

fn arguments(forwarder: &Forwarder, more: &[&str]) -> Vec<String> {
    let uri = format!("runs:/{}/dir", run_id());
    let first = ["get", &uri, "-d", "out", "-v", "--tracking-uri", &forwarder.url];
    first.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

/// Fetches the run, which must give the whole tree, and counts the bytes that the server sent.
#[track_caller]
fn fetch(more: &[&str], environment: &Environment) -> (Ran, u64) {
    let forwarder = Forwarder::to(&variable("MLFETCH_TEST_MLFLOW_S3"));
    let uri = format!("runs:/{}/dir", run_id());
    let environment = borrowed(environment);
    let ran = fetch_whole(&uri, &forwarder.url, &expected(), more, &environment);
    (ran, forwarder.bytes())
}

#[track_caller]
fn assert_came(ran: &Ran, line: &str) {
    let line = format!("bytes came by {line}");
    assert!(ran.stderr.lines().any(|found| found == line), "no line {line:?}:\n{}", ran.stderr);
}

/// The line of a fetch that a rule led to the bucket.
fn by_rule() -> String {
    format!("s3: rewrite rule {}", rule().replacen("/=", " = ", 1))
}

#[track_caller]
fn assert_past_the_server(counted: u64) {
    assert!(counted > 0, "it was asked about the run");
    assert!(counted < MEBIBYTE / 10, "{counted} bytes came through the server");
}

#[test]
fn direct_takes_every_byte_from_the_bucket() {
    let (ran, counted) = fetch(&["--via", "direct", "--rewrite", &rule()], &owner());
    assert_came(&ran, &by_rule());
    assert_past_the_server(counted);
}

#[test]
fn presigned_takes_every_byte_from_the_bucket_without_keys_for_it() {
    let (ran, counted) = fetch(&["--via", "presigned"], &nobody());
    assert_came(&ran, "mlflow-artifacts (presigned): as asked for");
    assert_past_the_server(counted);
}

#[test]
fn proxy_takes_every_byte_from_the_server() {
    let (ran, counted) = fetch(&["--via", "proxy"], &nobody());
    assert_came(&ran, "mlflow-artifacts (proxy): as asked for");
    assert!(counted >= BIG, "only {counted} bytes came through the server");
}

#[test]
fn proxy_and_presigned_go_through_the_server_whatever_the_rules_say() {
    let (ran, counted) = fetch(&["--via", "proxy", "--rewrite", &rule()], &owner());
    assert_came(&ran, "mlflow-artifacts (proxy): as asked for");
    assert!(counted >= BIG, "only {counted} bytes came through the server");
    let (ran, counted) = fetch(&["--via", "presigned", "--rewrite", &rule()], &owner());
    assert_came(&ran, "mlflow-artifacts (presigned): as asked for");
    assert_past_the_server(counted);
}

#[test]
fn auto_is_direct_with_a_rule_and_presigned_without() {
    let (ran, counted) = fetch(&["--rewrite", &rule()], &owner());
    assert_came(&ran, &by_rule());
    assert_past_the_server(counted);
    let (ran, counted) = fetch(&[], &nobody());
    assert_came(&ran, "mlflow-artifacts (presigned): the server signs URLs for its bucket");
    assert_past_the_server(counted);
}

#[test]
fn direct_without_a_rule_names_the_rule_that_it_needs() {
    let forwarder = Forwarder::to(&variable("MLFETCH_TEST_MLFLOW_S3"));
    let uri = format!("runs:/{}/dir", run_id());
    let arguments = ["get", &uri, "-d", "out", "--tracking-uri", &forwarder.url, "--via", "direct"];
    let failure = Desk::new().fail(4, &arguments, &borrowed(&owner()));
    failure.advises("--rewrite");
}

#[test]
fn direct_without_rights_in_the_bucket_names_the_ways_through_the_server() {
    let forwarder = Forwarder::to(&variable("MLFETCH_TEST_MLFLOW_S3"));
    let arguments = arguments(&forwarder, &["--via", "direct", "--rewrite", &rule()]);
    let elsewhere = json!([{
        "Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::nobodys-bucket/*"],
    }]);
    let somebody = crate::support::permitted(&elsewhere);
    let failure = Desk::new().fail(4, &arguments, &borrowed(&somebody));
    let failure = failure.says("not allowed").says("although the tracking server told where it is");
    let _ = failure.says("--via presigned").says("--via proxy");
}
