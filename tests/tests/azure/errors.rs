//! What bad input gets from a container.

use std::time::Duration;

use mlfetch_tests::{Answer, Desk, Failure, ScriptedServer};
use serde_json::json;

use crate::support::{
    Environment, at, azurite, borrowed, fresh_container, nobody, owner, put, seed, signed_in, uri,
    with,
};

const KEY: &str = "bm90LXRoZS1zM2NyM3Q=";

#[track_caller]
fn fail(code: i32, uri: &str, environment: &Environment) -> Failure {
    let failure = Desk::new().fail(code, &["get", uri, "-d", "out"], &borrowed(environment));
    for secret in [&azurite("KEY"), KEY, "sig="] {
        assert!(!failure.ran.stderr.contains(secret), "{}", failure.ran.stderr);
    }
    failure
}

/// A refusal as the service writes it.
fn refusal(status: u16, code: &str) -> Answer {
    let xml = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>their words</Message></Error>"
    );
    Answer::new(status, xml.as_str()).with("x-ms-error-code", code)
}

#[test]
fn no_such_container() {
    let failure = fail(3, &uri("no-such-container-of-ours", "a"), &owner());
    failure.says("there is no such container").advises("check the name");
}

#[test]
fn no_such_account() {
    let uri = "wasbs://c@mlfetchnosuchaccountatall.blob.core.windows.net/a";
    let environment = with(Vec::new(), "AZURE_STORAGE_ACCESS_KEY", KEY);
    let environment = with(environment, "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0");
    fail(5, uri, &environment).says("cannot be reached").advises("storage account");
}

#[test]
fn no_such_blob_has_near_names() {
    let container = put(&["dir/report.txt", "dir/other.bin"]);
    let failure = fail(3, &uri(&container, "dir/reprot.txt"), &owner());
    failure.says("reprot.txt").advises("`report.txt`");
}

#[test]
fn a_wrong_key_is_said_and_not_shown() {
    let failure = fail(4, &uri(&put(&["a"]), "a"), &signed_in(KEY));
    failure.says("access key").advises("AZURE_STORAGE_ACCESS_KEY");
}

#[test]
fn a_signature_that_has_expired() {
    let container = put(&["a"]);
    let arguments = json!({ "container": container, "permission": "rl", "seconds": -60 });
    let sas = seed("sign", &arguments);
    let somebody = with(nobody(), "AZURE_STORAGE_SAS_TOKEN", sas.as_str().expect("a signature"));
    fail(4, &uri(&container, "a"), &somebody).says("has expired").advises("ask for a new one");
}

#[test]
fn a_signature_in_the_uri_that_may_not_list_is_told_that_listing_is_missing() {
    let container = put(&["dir/a", "dir/b"]);
    let arguments = json!({ "container": container, "permission": "r", "seconds": 600 });
    let sas = seed("sign", &arguments);
    let sas = sas.as_str().expect("a signature");
    let directory = format!("{}?{sas}", uri(&container, "dir/"));
    let failure = fail(4, &directory, &nobody());
    failure.says("listing the container is not allowed").advises("permission to list");
    let file = format!("{}?{sas}", uri(&container, "dir/a"));
    let desk = Desk::new();
    let ran = desk.run(&["get", &file, "-d", "out"], &borrowed(&nobody()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(desk.tree().get("out/a").is_some(), "{:?}", desk.tree());
    assert!(!ran.stdout.contains("sig") && !ran.stderr.contains("sig"), "{}", ran.stderr);
}

#[test]
fn somebody_whom_nobody_signed_in_is_told_so() {
    let anonymous = with(nobody(), "MLFETCH_AZURE_ANONYMOUS", "true");
    let failure = fail(4, &uri(&put(&["a"]), "a"), &anonymous);
    failure.says("nobody is signed in").advises("azure-anonymous");
}

#[test]
fn a_token_over_plain_http_is_refused() {
    let failure = fail(4, &uri(&fresh_container(), "a"), &nobody());
    failure.says("plain HTTP").advises("https://");
}

#[test]
fn a_host_that_is_not_azure_s_gets_no_credential() {
    let environment = with(Vec::new(), "AZURE_STORAGE_ACCESS_KEY", KEY);
    let failure = fail(2, "wasbs://c@acc.blob.core.example.org/a", &environment);
    failure.says("not one of an account in Azure").advises("azure-endpoint");
}

#[test]
fn no_account_for_a_container_alone() {
    fail(2, "az://models/a", &Vec::new())
        .says("nothing says in which storage account")
        .advises("AZURE_STORAGE_ACCOUNT");
}

#[test]
fn throttling_is_asked_again_and_then_told() {
    let server = ScriptedServer::start(|_, _| refusal(503, "ServerBusy").with("retry-after", "1"));
    let environment = with(at(&format!("{}/acc", server.url)), "AZURE_STORAGE_ACCESS_KEY", KEY);
    let arguments = ["get", "az://c/a", "-d", "out", "--retries", "1"];
    let failure = Desk::new().fail(5, &arguments, &borrowed(&environment));
    let failure = failure.says("retrying in").says("the server asks for fewer requests");
    assert_eq!(failure.ran.stdout, "");
    assert!(server.asked().len() > 1, "{:?}", server.asked());
}

#[test]
fn a_wrong_clock_is_told_so() {
    let xml = "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>Server failed \
               to authenticate the request.</Message><AuthenticationErrorDetail>Request date header \
               too old: 'Tue, 24 Nov 2026 12:00:00 GMT'</AuthenticationErrorDetail></Error>";
    let server = ScriptedServer::start(move |_, _| {
        Answer::new(403, xml).with("x-ms-error-code", "AuthenticationFailed")
    });
    let environment = with(at(&format!("{}/acc", server.url)), "AZURE_STORAGE_ACCESS_KEY", KEY);
    fail(4, "az://c/a", &environment).says("the clock here").advises("set the clock");
}

#[test]
fn a_redirect_elsewhere_is_not_followed() {
    let elsewhere = ScriptedServer::start(|_, _| Answer::new(200, "x"));
    let place = format!("{}/acc/c/a", elsewhere.url);
    let server = ScriptedServer::start(move |_, _| Answer::new(302, "").with("location", &place));
    let environment = with(at(&format!("{}/acc", server.url)), "AZURE_STORAGE_ACCESS_KEY", KEY);
    fail(4, "az://c/a", &environment).says("sends us on").advises("that address");
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a_web_page_is_no_container() {
    let page = Answer::new(200, "<!doctype html><title>Sign in</title><p>Hello</p>");
    let server = ScriptedServer::start(move |_, _| page.clone().with("content-type", "text/html"));
    let environment = with(at(&format!("{}/acc", server.url)), "AZURE_STORAGE_ACCESS_KEY", KEY);
    fail(1, "az://c/a/", &environment).says("not a listing").advises("login");
}

#[test]
fn a_server_that_is_not_there_is_said_within_seconds() {
    let environment = with(at("http://127.0.0.1:9/acc"), "AZURE_STORAGE_ACCESS_KEY", KEY);
    let failure = fail(5, "az://c/a", &environment);
    failure.says("retrying in").within(Duration::from_secs(10)).advises("azure-endpoint");
}
