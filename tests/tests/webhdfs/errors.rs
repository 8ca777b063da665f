//! What bad input gets from HDFS.

use std::time::Duration;

use mlfetch_tests::{Answer, Desk, Failure, ScriptedServer};
use serde_json::json;

use crate::support::{Environment, as_user, borrowed, fresh_path, owner, put, shell};

#[track_caller]
fn fail(code: i32, uri: &str, environment: &Environment) -> Failure {
    Desk::new().fail(code, &["get", uri, "-d", "out"], &borrowed(environment))
}

/// A NameNode that answers everything with an exception, and its URI.
fn refusing(status: u16, exception: &str, message: &str) -> (ScriptedServer, String) {
    let body = json!({ "RemoteException": { "exception": exception, "message": message } });
    let server = ScriptedServer::start(move |_, _| {
        Answer::new(status, body.to_string()).with("content-type", "application/json")
    });
    let uri = format!("{}/a", server.url.replace("http://", "webhdfs://"));
    (server, uri)
}

#[test]
fn no_such_path_has_near_names() {
    let path = fresh_path();
    let desk = Desk::new();
    desk.write("report.txt", "x");
    shell(&["-mkdir", &path]);
    put(&desk.path().join("report.txt"), &path);
    let failure = fail(3, &format!("hdfs://{path}/reprot.txt"), &owner());
    failure.says("reprot.txt").advises("`report.txt`");
}

#[test]
fn who_may_not_is_told_who_what_and_where() {
    let path = fresh_path();
    shell(&["-mkdir", &path]);
    shell(&["-chmod", "700", &path]);
    let failure = fail(4, &format!("hdfs://{path}/a"), &as_user("mallory"));
    failure.says("user=mallory").says("access=").says(&path).advises("HADOOP_USER_NAME");
}

#[test]
fn a_namenode_that_is_down_is_said_within_seconds() {
    let failure = fail(5, "webhdfs://127.0.0.1:9/a", &owner());
    failure.within(Duration::from_secs(10)).says("127.0.0.1:9").advises("check the address");
}

#[test]
fn a_uri_without_a_namenode_and_without_configuration() {
    let failure = fail(2, "hdfs:///a", &vec![("HADOOP_USER_NAME", "me".to_owned())]);
    failure.says("fs.defaultFS").advises("HADOOP_CONF_DIR");
}

#[test]
fn a_configuration_that_is_not_there() {
    let environment = vec![("HADOOP_CONF_DIR", "/no/such/directory".to_owned())];
    fail(2, "hdfs:///a", &environment).says("/no/such/directory").advises("HADOOP_CONF_DIR");
}

#[test]
fn a_login_page_is_no_namenode() {
    let page = Answer::new(200, "<!doctype html><title>Sign in</title><p>Hello</p>");
    let server = ScriptedServer::start(move |_, _| page.clone().with("content-type", "text/html"));
    let uri = format!("{}/a/", server.url.replace("http://", "webhdfs://"));
    fail(4, &uri, &owner()).says("looks like a login").advises("webhdfs-address");
}

#[test]
fn a_token_that_has_expired_is_said_and_not_shown() {
    let words = "token (token for alice: HDFS_DELEGATION_TOKEN) s3cret-token is expired";
    let (server, _) = refusing(403, "InvalidToken", words);
    let mut environment = owner();
    environment.retain(|(name, _)| *name != "HADOOP_CONF_DIR");
    environment.push(("MLFETCH_DELEGATION_TOKEN", "s3cret-token".to_owned()));
    environment.push(("MLFETCH_WEBHDFS_ADDRESS", server.url.clone()));
    let failure = fail(4, "hdfs://cluster/a", &environment);
    assert!(!failure.ran.stderr.contains("s3cret-token"), "{}", failure.ran.stderr);
    failure.says("is expired").advises("new delegation token");
}

#[test]
fn a_token_for_elsewhere_is_sent_nowhere() {
    let (server, uri) = refusing(403, "InvalidToken", "no");
    let environment = vec![("MLFETCH_DELEGATION_TOKEN", "s3cret-token".to_owned())];
    fail(4, &uri, &environment).says("delegation token").advises("webhdfs-address");
    assert!(server.asked().is_empty());
}

#[test]
fn a_redirect_to_a_host_that_is_not_listed_is_refused() {
    let path = fresh_path();
    let desk = Desk::new();
    desk.write("local.txt", "x");
    put(&desk.path().join("local.txt"), &path);
    let mut environment = owner();
    environment.push(("MLFETCH_DATANODE_HOSTS", "dn1.example".to_owned()));
    fail(8, &format!("hdfs://{path}"), &environment)
        .says("is not among `datanode-hosts`")
        .advises("datanode-hosts");
}

#[test]
fn a_setting_that_cannot_be_is_named() {
    let mut environment = owner();
    environment.push(("MLFETCH_HDFS_CHECKSUMS", "maybe".to_owned()));
    let _ = fail(2, "hdfs:///a", &environment).says("hdfs-checksums");
}

#[test]
fn a_quota_and_safe_mode_are_told_in_the_words_of_hdfs() {
    let words = "The NameSpace quota (directories and files) of directory /a is exceeded";
    let (_server, uri) = refusing(403, "NSQuotaExceededException", words);
    let _ = fail(1, &uri, &as_user("alice")).says(words);
    let (_server, uri) = refusing(403, "SafeModeException", "Name node is in safe mode");
    let desk = Desk::new();
    let arguments = ["get", &uri, "-d", "out", "--retries", "1"];
    let failure = desk.fail(5, &arguments, &[("HADOOP_USER_NAME", "alice")]);
    failure.says("safe mode").advises("try again later");
}
