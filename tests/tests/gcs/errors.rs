//! What bad input gets from a bucket.

use std::time::Duration;

use mlfetch_tests::{Answer, Desk, Failure, ScriptedServer};
use serde_json::json;

use crate::support::{Environment, at, borrowed, emulator, fresh_prefix, seed, uri};

#[track_caller]
fn fail(code: i32, uri: &str, environment: &Environment) -> Failure {
    Desk::new().fail(code, &["get", uri, "-d", "out"], &borrowed(environment))
}

fn refusal(status: u16, reason: &str, message: &str) -> Answer {
    let errors = json!([{ "reason": reason, "message": message }]);
    let body = json!({ "error": { "message": message, "errors": errors } });
    Answer::new(status, body.to_string()).with("content-type", "application/json")
}

#[test]
fn no_such_bucket() {
    let failure = fail(3, "gs://no-such-bucket-of-ours/a/", &emulator());
    failure.says("there is no bucket gs://no-such-bucket-of-ours/").advises("check the name");
}

#[test]
fn no_such_key_has_near_names() {
    let prefix = fresh_prefix();
    let objects = ["report.txt", "other.bin"];
    let objects = objects.map(|name| json!({ "key": format!("{prefix}{name}"), "size": 10 }));
    seed("put", &json!(objects));
    let failure = fail(3, &uri(&format!("{prefix}reprot.txt")), &emulator());
    failure.says("reprot.txt").advises("`report.txt`");
}

#[test]
fn a_listing_that_is_denied_is_said_to_be_one() {
    let server = ScriptedServer::start(|asked, _| {
        if asked.target.contains("/o/") {
            return refusal(404, "notFound", "No such object");
        }
        refusal(403, "forbidden", "reader does not have storage.objects.list access")
    });
    let failure = fail(4, "gs://bucket/d/", &at(&server.url));
    failure.says("listing the bucket is not allowed").advises("storage.objects.list");
}

#[test]
fn a_read_that_is_denied_is_said_to_be_one() {
    let page = json!({
        "kind": "storage#objects",
        "items": [{ "name": "d/a", "size": "1", "generation": "1764000000000001" }],
    });
    let server = ScriptedServer::start(move |asked, _| {
        if asked.target.contains("/o/") {
            return refusal(403, "forbidden", "reader does not have storage.objects.get access");
        }
        Answer::json(&page)
    });
    let failure = fail(4, "gs://bucket/d/", &at(&server.url));
    failure.says("reading it is not allowed").advises("storage.objects.get");
}

#[test]
fn a_bucket_whose_readers_pay() {
    let words = "Bucket is a requester pays bucket but no user project provided.";
    let server = ScriptedServer::start(move |_, _| refusal(400, "required", words));
    fail(4, "gs://bucket/d/", &at(&server.url)).advises("gcs-user-project");
}

#[test]
fn a_credentials_file_that_is_not_there_or_is_none() {
    let named = |path: &str| vec![("GOOGLE_APPLICATION_CREDENTIALS", path.to_owned())];
    let failure = fail(2, "gs://bucket/a", &named("/no/such/key.json"));
    failure.says("/no/such/key.json").advises("GOOGLE_APPLICATION_CREDENTIALS");
    let desk = Desk::new();
    desk.write("key.json", "{\"type\": \"api_key\", \"key\": \"the-s3cr3t\"}");
    let arguments = ["get", "gs://bucket/a", "-d", "out"];
    let failure = desk.fail(2, &arguments, &borrowed(&named("key.json")));
    assert!(!failure.ran.stderr.contains("the-s3cr3t"), "{}", failure.ran.stderr);
    failure.says("`api_key`").advises("service_account");
}

#[test]
fn a_user_who_signed_out_is_told_so_and_nothing_secret() {
    let server = ScriptedServer::start(|_, _| {
        let words = "what is the-s3cr3t-of-the-user?";
        let body = json!({ "error": "invalid_grant", "error_description": words });
        Answer::new(400, body.to_string()).with("content-type", "application/json")
    });
    let desk = Desk::new();
    let user = json!({
        "type": "authorized_user",
        "client_id": "client",
        "client_secret": "the-s3cr3t-of-the-client",
        "refresh_token": "the-s3cr3t-of-the-user",
        "token_uri": format!("{}/token", server.url),
    });
    desk.write("key.json", user.to_string());
    let environment = [("GOOGLE_APPLICATION_CREDENTIALS", "key.json")];
    let failure = desk.fail(4, &["get", "gs://bucket/a", "-d", "out", "-v"], &environment);
    assert!(!failure.ran.stderr.contains("the-s3cr3t"), "{}", failure.ran.stderr);
    failure.says("invalid_grant").advises("gcloud auth application-default login");
}

#[test]
fn an_emulator_that_is_not_there_is_said_within_seconds() {
    let failure = fail(5, "gs://bucket/a", &at("http://127.0.0.1:9"));
    let failure = failure.says("retrying in").within(Duration::from_secs(10));
    failure.says("cannot be reached").advises("check the address");
}

#[test]
fn a_web_page_is_no_bucket() {
    let page = Answer::new(200, "<!doctype html><title>Sign in</title><p>Hello</p>");
    let server = ScriptedServer::start(move |_, _| page.clone().with("content-type", "text/html"));
    let failure = fail(1, "gs://bucket/a/", &at(&server.url));
    failure.says("not a listing of Cloud Storage").advises("gcs-endpoint");
    assert!(!server.asked().is_empty());
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let elsewhere = ScriptedServer::start(|_, _| Answer::new(200, "{}"));
    let location = format!("{}/x", elsewhere.url);
    let server =
        ScriptedServer::start(move |_, _| Answer::new(302, "").with("location", &location));
    let failure = fail(4, "gs://bucket/a/", &at(&server.url));
    let _ = failure.says(&elsewhere.url);
    assert!(elsewhere.asked().is_empty());
}
