//! A NameNode in safe mode, and blocks that nobody has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mlfetch_store::{
    Depth, ErrorKind, Key, ListRequest, Retry, RetryPolicy, RetryingStore, StatRequest, Store as _,
};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::cluster::{Cluster, wait_for_answer};
use crate::support::read;

const ADMIN: &str = "org.apache.hadoop.hdfs.tools.DFSAdmin";

#[tokio::test]
async fn in_safe_mode_files_are_read_and_those_whose_blocks_are_not_known_yet_are_asked_for_again()
{
    // Else one missing block is too few to wait for.
    let mut cluster = Cluster::start(1, 1, &["dfs.namenode.safemode.threshold-pct=1.0"]);
    cluster.put("/a.txt", b"bytes");
    let store = cluster.store(WebHdfsConfig::new());

    cluster.tool(ADMIN, &["-safemode", "enter"]);
    assert_eq!(read(&store, "a.txt").await.expect("safe mode refuses changes alone"), b"bytes");
    cluster.tool(ADMIN, &["-safemode", "leave"]);

    // A NameNode that starts knows its files at once, and their blocks when DataNodes tell of them.
    cluster.kill("datanode-1");
    cluster.kill("namenode-1");
    cluster.start_again("namenode-1");
    wait_for_answer(&store).await;
    let info = store.stat(&Key::from("a.txt"), StatRequest::new()).await.expect("facts");
    assert_eq!(info.size, Some(5));
    let list = store.list_page(ListRequest::new(Key::root(), Depth::One)).await;
    assert_eq!(list.expect("a page").entries.len(), 1);
    let error = read(&store, "a.txt").await.expect_err("nobody has told of the block");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Later), "{error:?}");
    assert!(error.to_string().contains("safe mode"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("try again later")), "{error:?}");

    cluster.start_again("datanode-1");
    let policy = RetryPolicy::default().with_attempts(20);
    let patient = RetryingStore::new(Arc::new(store), policy);
    assert_eq!(read(&patient, "a.txt").await.expect("the block is back"), b"bytes");
}

#[tokio::test]
async fn a_block_that_no_datanode_has_may_come_back() {
    let settings = ["dfs.namenode.heartbeat.recheck-interval=500"];
    let cluster = Cluster::start(1, 1, &settings);
    cluster.put("/a.txt", b"bytes");
    let store = cluster.store(WebHdfsConfig::new().with_checksums(false));
    cluster.kill("datanode-1");
    // Until the NameNode takes it for dead it sends readers there.
    let deadline = Instant::now() + Duration::from_mins(1);
    let error = loop {
        let error = read(&store, "a.txt").await.expect_err("nobody has the block");
        assert_eq!(error.retry(), Retry::Later, "{error:?}");
        if error.kind() != ErrorKind::Unreachable {
            break error;
        }
        assert!(Instant::now() < deadline, "{error:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("HDFS says"), "{error}");
}
