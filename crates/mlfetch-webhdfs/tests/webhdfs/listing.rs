//! Pages, and servers that have none.

use std::sync::Arc;

use futures_util::StreamExt as _;
use mlfetch_store::{Depth, Entry, Key, ListRequest, Store as _, WalkLimits, walk};

use crate::hadoop;
use crate::server::{Answer, HdfsAnswer, HdfsRequest, Server, open, operations};

#[tokio::test]
async fn five_thousand_names_come_in_pages_of_a_hundred() {
    let prefix = hadoop::fresh_prefix();
    hadoop::put::<&str>(&prefix, &[]).expect("a directory");
    let path = |number: usize| format!("/{}{number:04}", prefix.to_str().expect("text"));
    let paths: Vec<String> = (0..5000).map(path).collect();
    let arguments = ["-touchz"].into_iter().chain(paths.iter().map(String::as_str));
    hadoop::shell(hadoop::conf().as_ref(), &arguments.collect::<Vec<_>>());
    let store = hadoop::open();
    let page = store.list_page(ListRequest::new(prefix.clone(), Depth::One)).await.expect("a page");
    assert_eq!(page.entries.len(), 100);
    let rows: Vec<_> = walk(Arc::new(store), prefix.clone(), WalkLimits::default()).collect().await;
    let names = rows.into_iter().map(|row| match row.expect("a row") {
        Entry::Object(info) => info.key,
        other => panic!("{other:?}"),
    });
    let mut names: Vec<Key> = names.collect();
    names.sort();
    let expected: Vec<Key> =
        (0..5000).map(|number| prefix.append(format!("{number:04}"))).collect();
    assert!(names == expected, "{} names", names.len());
}

/// What a NameNode, and what HttpFS says of an operation that it does not know.
const UNKNOWN: [(&str, &str, &str); 2] = [
    (
        "400 Bad Request",
        "IllegalArgumentException",
        "Invalid value for webhdfs parameter \"op\": No enum constant \
         org.apache.hadoop.hdfs.web.resources.GetOpParam.Op.LISTSTATUS_BATCH",
    ),
    (
        "500 Internal Server Error",
        "QueryParamException",
        "java.lang.IllegalArgumentException: No enum constant \
         org.apache.hadoop.fs.http.client.HttpFSFileSystem.Operation.LISTSTATUS_BATCH",
    ),
];

/// A server before Hadoop 2.9, or an old gateway.
async fn old_server(
    (status, exception, words): (&'static str, &'static str, &'static str),
) -> Server {
    Server::start(move |request| match request.operation() {
        "LISTSTATUS" => {
            let row = |name: &str| {
                format!(
                    r#"{{"pathSuffix":"{name}","type":"FILE","length":1,"modificationTime":1}}"#
                )
            };
            let rows = ["c", "a", "b"].map(row).join(",");
            Answer::ok(format!(r#"{{"FileStatuses":{{"FileStatus":[{rows}]}}}}"#))
        }
        _ => Answer::exception(status, exception, words),
    })
    .await
}

#[tokio::test]
async fn a_server_without_pages_is_asked_for_whole_directories_from_then_on() {
    for words in UNKNOWN {
        let server = old_server(words).await;
        let store = open(&[&server]);
        for _ in 0..2 {
            let page = store.list_page(ListRequest::new(Key::root(), Depth::One)).await;
            assert_eq!(page.expect("a page").entries.len(), 3);
        }
        assert_eq!(operations(&server), ["LISTSTATUS_BATCH", "LISTSTATUS", "LISTSTATUS"]);
    }
}

#[tokio::test]
async fn pages_are_cut_from_a_whole_directory_in_its_order() {
    let server = old_server(UNKNOWN[0]).await;
    let store = open(&[&server]);
    let mut request = ListRequest::new(Key::root(), Depth::One);
    request.max_entries = std::num::NonZeroUsize::new(2);
    let first = store.list_page(request.clone()).await.expect("a page");
    assert_eq!(names(first.entries), ["a", "b"]);
    request.token = first.next;
    let last = store.list_page(request).await.expect("a page");
    assert_eq!((names(last.entries), last.next), (vec!["c".to_owned()], None));
}

fn names(entries: Vec<Entry>) -> Vec<String> {
    let names = entries.into_iter().map(|entry| match entry {
        Entry::Object(info) => info.key.to_string(),
        other => panic!("{other:?}"),
    });
    names.collect()
}

#[tokio::test]
async fn a_snapshot_is_a_path_like_another() {
    let prefix = hadoop::fresh_prefix();
    hadoop::put(&prefix, &[(Key::from("a.txt"), "then")]).expect("seeded");
    let path = format!("/{}", prefix.to_str().expect("text").trim_end_matches('/'));
    let conf = hadoop::conf();
    allow_snapshot(&path);
    hadoop::shell(conf.as_ref(), &["-createSnapshot", &path, "s1"]);
    hadoop::shell(conf.as_ref(), &["-rm", "-skipTrash", &format!("{path}/a.txt")]);
    let store = hadoop::open();
    let key = prefix.append(".snapshot/s1/a.txt");
    let bytes = crate::support::read(&store, key.to_str().expect("text")).await.expect("bytes");
    assert_eq!(bytes, b"then");
    let list = ListRequest::new(prefix.append(".snapshot/s1/"), Depth::One);
    assert_eq!(store.list_page(list).await.expect("a page").entries.len(), 1);
}

/// `hdfs dfsadmin -allowSnapshot`, by its HTTP side.
fn allow_snapshot(path: &str) {
    let url = format!(
        "{}/webhdfs/v1{path}?op=ALLOWSNAPSHOT&user.name={}",
        hadoop::url(),
        hadoop::superuser()
    );
    let done = std::process::Command::new("curl").args(["-sf", "-X", "PUT", &url]).status();
    assert!(done.expect("curl runs").success());
}
