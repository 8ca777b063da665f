//! What an error says, and whether it is asked again. The table itself is tested beside it; here its
//! rows come from a real cluster where that can be, and from a script where it cannot.

use mlfetch_store::{
    Depth, Error, ErrorKind, Key, ListRequest, ReadRequest, Retry, Secret, StatRequest, Store as _,
};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::hadoop;
use crate::server::{Answer, HdfsAnswer, Server, open, open_with};
use crate::support::read;

async fn fail(answer: Answer) -> Error {
    let server = Server::start(move |_| answer.clone()).await;
    read(&open(&[&server]), "a/b").await.expect_err("refused")
}

#[tokio::test]
async fn who_may_not_read_is_told_who_what_and_where() {
    let prefix = hadoop::fresh_prefix();
    hadoop::put(&prefix, &[(Key::from("secret.txt"), "x")]).expect("seeded");
    let path = format!("/{}", prefix.to_str().expect("text").trim_end_matches('/'));
    hadoop::shell(hadoop::conf().as_ref(), &["-chmod", "700", &path]);
    let store = hadoop::open_as("mallory");
    let key = prefix.append("secret.txt");
    let list = ListRequest::new(prefix.clone(), Depth::One);
    for error in [
        store.read(&key, ReadRequest::new()).await.expect_err("denied"),
        store.stat(&key, StatRequest::new()).await.expect_err("denied"),
        store.list_page(list).await.expect_err("denied"),
    ] {
        assert_eq!((error.kind(), error.retry()), (ErrorKind::PermissionDenied, Retry::Never));
        let text = error.to_string();
        for word in ["user=mallory", "access=", path.as_str()] {
            assert!(text.contains(word), "{text}");
        }
        assert!(error.hint().is_some_and(|hint| hint.contains("HADOOP_USER_NAME")), "{error:?}");
    }
}

#[tokio::test]
async fn a_user_whose_name_cannot_be_is_refused_by_the_server_s_words() {
    let error = read(&hadoop::open_as("-no!"), "x").await.expect_err("no such name");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("user.name"), "{error}");
}

/// What a NameNode says for a moment of its start; that it is in safe mode afterwards is tested with a
/// real one.
#[tokio::test]
async fn a_start_is_waited_for() {
    let words = "NameNode still not started";
    let error = fail(Answer::exception("403 Forbidden", "RetriableException", words)).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Later));
    assert!(error.to_string().contains(words), "{error}");
}

/// Only who writes hears of it, and nothing here writes.
#[tokio::test]
async fn a_quota_is_told_in_the_words_of_hdfs_and_not_asked_again() {
    let words = "The DiskSpace quota of /a is exceeded: quota = 1 B = 1 B";
    let error = fail(Answer::exception("403 Forbidden", "DSQuotaExceededException", words)).await;
    assert_eq!(error.retry(), Retry::Never);
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn a_login_page_is_never_a_file_or_a_listing() {
    let page =
        Answer::new("200 OK", &["Content-Type: text/html; charset=utf-8"], "<html>Hi</html>");
    let server = Server::start(move |_| page.clone()).await;
    let store = open(&[&server]);
    let list = ListRequest::new(Key::from("a/"), Depth::One);
    for error in [
        read(&store, "a").await.expect_err("no file"),
        store.stat(&Key::from("a"), StatRequest::new()).await.expect_err("no facts"),
        store.list_page(list).await.expect_err("no listing"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("webhdfs-address")), "{error:?}");
    }
}

#[tokio::test]
async fn a_gateway_that_leads_to_its_login_is_not_followed() {
    let server = Server::start(|_| {
        Answer::new("302 Found", &["Location: https://login.example/?from=x"], "")
    })
    .await;
    let stat = open(&[&server]).stat(&Key::from("a"), StatRequest::new()).await;
    let error = stat.expect_err("led away");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("login.example"), "{error}");
}

#[tokio::test]
async fn a_server_that_wants_a_ticket_is_told_from_one_that_wants_a_password() {
    let wants = |scheme: &str| {
        let challenge = format!("WWW-Authenticate: {scheme}");
        Answer::new("401 Unauthorized", &[challenge.as_str()], "")
    };
    let ticket = wants("Negotiate");
    let server = Server::start(move |_| ticket.clone()).await;
    let none = WebHdfsConfig::new().with_ticket_cache("FILE:/no/such/cache".to_owned());
    let error = read(&open_with(none, &[&server]), "a").await.expect_err("no ticket");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("it wants Kerberos"), "{error}");
    let token = WebHdfsConfig::new().with_delegation_token(Some(Secret::new("s3cret-token")));
    let error = read(&open_with(token, &[&server]), "a").await.expect_err("not its token");
    assert!(error.hint().is_some_and(|hint| hint.contains("delegation token")), "{error:?}");
    let error = fail(wants("Basic realm=\"x\"")).await;
    assert!(error.hint().is_some_and(|hint| hint.contains("gateway")), "{error:?}");
}

#[tokio::test]
async fn a_server_that_does_not_speak_webhdfs_is_told_from_a_file_that_is_not_there() {
    let error = fail(Answer::new("404 Not Found", &[], "nginx")).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint().is_some_and(|hint| hint.contains("dfs.webhdfs.enabled")), "{error:?}");
    let missing =
        Answer::exception("404 Not Found", "FileNotFoundException", "File /a/b not found.");
    assert_eq!(fail(missing).await.hint(), None);
}

#[tokio::test]
async fn a_namenode_that_is_down_is_named() {
    let server = Server::start(|_| Answer::ok("")).await;
    let (address, store) = (server.url().replace("http://", ""), open(&[&server]));
    drop(server);
    tokio::task::yield_now().await;
    let error = read(&store, "a").await.expect_err("nobody there");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Later));
    assert!(error.to_string().contains(&address), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_nonsense() {
    let server = Server::start(|_| Answer::ok("{}")).await;
    let store = open(&[&server]);
    let list = ListRequest::new(Key::root(), Depth::One);
    assert_eq!(store.list_page(list).await.expect_err("none").kind(), ErrorKind::Protocol);
    let stat = store.stat(&Key::from("a"), StatRequest::new()).await;
    assert_eq!(stat.expect_err("none").kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_broken_connection() {
    let error = fail(Answer::raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec())).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later), "{error:?}");
}

#[tokio::test]
async fn the_root_is_a_directory() {
    let store = hadoop::open();
    let stat = store.stat(&Key::root(), StatRequest::new()).await.expect_err("no file");
    let read = store.read(&Key::root(), ReadRequest::new()).await.expect_err("no file");
    assert_eq!([stat.kind(), read.kind()], [ErrorKind::IsDirectory; 2]);
}

#[tokio::test]
async fn a_file_is_no_directory() {
    let prefix = hadoop::fresh_prefix();
    hadoop::put(&prefix, &[(Key::from("file"), "x")]).expect("seeded");
    let list = ListRequest::new(prefix.append("file/"), Depth::One);
    let error = hadoop::open().list_page(list).await.expect_err("a file");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
