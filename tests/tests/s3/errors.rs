//! What bad input gets from a bucket.

use std::time::Duration;

use mlfetch_tests::{Answer, Desk, Failure, ScriptedServer};

use crate::support::{
    Environment, borrowed, fresh_prefix, minio, nobody, owner, put, signed_in, uri,
};

#[track_caller]
fn fail(code: i32, uri: &str, environment: &Environment) -> Failure {
    Desk::new().fail(code, &["get", uri, "-d", "out"], &borrowed(environment))
}

/// An environment whose server is another one.
fn at(url: &str) -> Environment {
    let mut environment = owner();
    environment.retain(|(name, _)| *name != "MLFLOW_S3_ENDPOINT_URL");
    environment.push(("MLFLOW_S3_ENDPOINT_URL", url.to_owned()));
    environment
}

#[test]
fn no_such_bucket() {
    let failure = fail(3, "s3://no-such-bucket-of-ours/a", &owner());
    failure
        .says("no-such-bucket-of-ours")
        .says("there is no such bucket")
        .advises("check the name");
}

#[test]
fn no_such_key_has_near_names() {
    let prefix = fresh_prefix();
    put(&[format!("{prefix}report.txt"), format!("{prefix}other.bin")]);
    let failure = fail(3, &uri(&format!("{prefix}reprot.txt")), &owner());
    failure.says("reprot.txt").advises("`report.txt`");
}

#[test]
fn a_wrong_secret_key_is_said_and_not_shown() {
    let wrong = signed_in(&minio("ACCESS_KEY"), "not-the-s3cr3t-key");
    let failure = fail(4, &uri("a"), &wrong);
    assert!(!failure.ran.stderr.contains("not-the-s3cr3t-key"), "{}", failure.ran.stderr);
    failure.says("the secret key is not the one").advises("AWS_SECRET_ACCESS_KEY");
}

#[test]
fn an_access_key_that_is_not_known() {
    let unknown = signed_in("nobody-of-this-name", "not-the-s3cr3t-key");
    let failure = fail(4, &uri("a"), &unknown);
    assert!(!failure.ran.stderr.contains("not-the-s3cr3t-key"), "{}", failure.ran.stderr);
    failure.says("the access key is not known").advises("AWS_ACCESS_KEY_ID");
}

#[test]
fn no_credentials_at_all() {
    let failure = fail(4, &uri("a"), &nobody());
    failure.says("AWS credentials").within(Duration::from_secs(10)).advises("no-sign-request");
}

#[test]
fn an_endpoint_that_is_not_there_is_said_within_seconds() {
    let failure = fail(5, &uri("a"), &at("http://127.0.0.1:9"));
    let failure = failure.says("retrying in").within(Duration::from_secs(10));
    failure.says("127.0.0.1:9").advises("endpoint-url");
}

#[test]
fn a_web_page_is_no_bucket() {
    let page = Answer::new(200, "<!doctype html><title>Sign in</title><p>Hello</p>");
    let server = ScriptedServer::start(move |_, _| page.clone().with("content-type", "text/html"));
    fail(1, &uri("a/"), &at(&server.url)).says("not a listing of S3").advises("endpoint-url");
    assert!(!server.asked().is_empty());
}
