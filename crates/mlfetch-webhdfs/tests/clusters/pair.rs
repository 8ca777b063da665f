//! A real pair of NameNodes.

use std::sync::Arc;

use mlfetch_store::{Key, RetryPolicy, RetryingStore, StatRequest, Store as _};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::cluster::Cluster;
use crate::support::read;

#[tokio::test]
async fn the_active_one_of_a_pair_answers_also_after_they_change_places() {
    let cluster = Cluster::start(2, 1, &[]);
    cluster.put("/a.txt", b"bytes");
    let both = cluster.store(WebHdfsConfig::new());
    assert_eq!(both.info().root, "hdfs://mlfetch/");
    assert_eq!(read(&both, "a.txt").await.expect("from the active one"), b"bytes");
    let reversed = WebHdfsConfig::new().with_addresses([cluster.address(2), cluster.address(1)]);
    let reversed = cluster.store(reversed);
    assert_eq!(read(&reversed, "a.txt").await.expect("from the second"), b"bytes");
    let standby = WebHdfsConfig::new().with_addresses([cluster.address(2)]);
    let standby = cluster.store(standby);
    let error = standby.stat(&Key::from("a.txt"), StatRequest::new()).await.expect_err("standby");
    assert!(error.hint().is_some_and(|hint| hint.contains("webhdfs-address")), "{error:?}");

    cluster.kill("namenode-1");
    let admin = "org.apache.hadoop.hdfs.tools.DFSHAAdmin";
    cluster.tool(admin, &["-ns", "mlfetch", "-transitionToActive", "--forceactive", "nn2"]);
    let patient = RetryingStore::new(Arc::new(both), RetryPolicy::default());
    assert_eq!(read(&patient, "a.txt").await.expect("from the other one"), b"bytes");
}
