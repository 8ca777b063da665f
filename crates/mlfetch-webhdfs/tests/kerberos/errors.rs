//! What is told of tickets that are none.

use mlfetch_store::{Error, ErrorKind, Key, Retry, Secret, StatRequest, Store as _};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::hadoop;
use crate::realm::{keeper, open, open_with, realm, token_of};
use crate::server::{Answer, HdfsRequest, Server, operations};
use crate::support::read;

async fn fail(config: WebHdfsConfig) -> Error {
    open_with(config).stat(&Key::from("a"), StatRequest::new()).await.expect_err("not signed in")
}

#[track_caller]
fn assert_says(error: &Error, words: &str, hint: &str) {
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unauthenticated, Retry::Never));
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.hint().is_some_and(|text| text.contains(hint)), "{error:?}");
}

#[tokio::test]
async fn no_ticket_and_an_expired_one_are_told_apart() {
    let none = WebHdfsConfig::new().with_ticket_cache("FILE:/no/such/cache".to_owned());
    assert_says(&fail(none).await, "there is no ticket", "kinit");
    let expired = WebHdfsConfig::new().with_ticket_cache(realm("EXPIRED_CACHE"));
    assert_says(&fail(expired).await, "has expired", "kinit");
}

#[tokio::test]
async fn a_wrong_realm_is_told_with_the_right_one() {
    let cache = std::env::temp_dir().join(format!("mlfetch-realm-{}", std::process::id()));
    let config = WebHdfsConfig::new().with_keytab(realm("KEYTAB"), "alice@ELSEWHERE.TEST");
    let config = config.with_ticket_cache(format!("FILE:{}", cache.display()));
    let error = fail(config).await;
    assert_says(&error, "`ELSEWHERE.TEST`", "its realm");
    assert!(error.to_string().contains("`MLFETCH.TEST`"), "{error}");
}

#[tokio::test]
async fn a_namenode_that_the_realm_does_not_know_is_named() {
    let server =
        Server::start(|_| Answer::new("401 Unauthorized", &["WWW-Authenticate: Negotiate"], ""))
            .await;
    // 127.0.0.1 is no name that the realm has a key for.
    let config = WebHdfsConfig::new().with_ticket_cache(realm("CACHE"));
    let error = fail(config.with_addresses([server.url()])).await;
    assert_says(&error, "does not know it", "full name");
    assert_eq!(operations(&server), ["GETFILESTATUS"], "no ticket was sent");
}

#[tokio::test]
async fn a_wrong_clock_is_said_by_the_realm() {
    let config = WebHdfsConfig::new().with_ticket_cache(realm("SKEWED_CACHE"));
    assert_says(&fail(config).await, "does not accept the clock", "five minutes");
}

#[tokio::test]
async fn a_wrong_clock_is_said_by_a_namenode_for_which_there_is_a_ticket_already() {
    let config = WebHdfsConfig::new().with_ticket_cache(realm("SKEWED_SERVICE_CACHE"));
    assert_says(&fail(config).await, "Clock skew too great", "clock");
}

#[tokio::test]
async fn a_server_that_does_not_accept_the_ticket_says_why() {
    let server = Server::start(|request| match request.operation() {
        "GETDELEGATIONTOKEN" => Answer::new(
            "403 Forbidden",
            &["Content-Type: text/html"],
            "<html><title>Error 403 GSSException: Failure unspecified at GSS-API level (Mechanism \
             level: Clock skew too great (37))</title></html>",
        ),
        _ => Answer::new("401 Unauthorized", &["WWW-Authenticate: Negotiate"], ""),
    })
    .await;
    let url = server.url().replace("127.0.0.1", "localhost");
    let config = WebHdfsConfig::new().with_ticket_cache(realm("CACHE")).with_addresses([url]);
    assert_says(&fail(config).await, "Clock skew too great", "clock");
}

#[tokio::test]
async fn who_may_not_read_is_told_so_also_with_a_ticket() {
    let prefix = hadoop::fresh_prefix();
    hadoop::put_at(&realm("URL"), keeper(), &prefix, &[(Key::from("a.txt"), "x")]).expect("seeded");
    let path = prefix.to_str().expect("text").trim_end_matches('/').to_owned();
    let url =
        format!("{}/webhdfs/v1/{path}?op=SETPERMISSION&permission=700&{}", realm("URL"), keeper());
    let done = std::process::Command::new("curl").args(["-sf", "-X", "PUT", &url]).status();
    assert!(done.expect("curl runs").success());
    let error = read(&open(), &format!("{path}/a.txt")).await.expect_err("denied");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("user=alice"), "{error}");
}

#[tokio::test]
async fn a_token_that_was_cancelled_is_said_and_not_shown() {
    let token = token_of("CACHE");
    let url = format!("{}/webhdfs/v1/?op=CANCELDELEGATIONTOKEN&token={token}", realm("URL"));
    let done = std::process::Command::new("curl")
        .args(["-sf", "-X", "PUT", "--negotiate", "--user", ":", &url])
        .env("KRB5CCNAME", realm("CACHE"))
        .status();
    assert!(done.expect("curl runs").success());
    let config = WebHdfsConfig::new().with_delegation_token(Some(Secret::new(token.clone())));
    let error = fail(config).await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("new delegation token")), "{error:?}");
    assert!(!format!("{error:?}").contains(&token), "{error:?}");
}
