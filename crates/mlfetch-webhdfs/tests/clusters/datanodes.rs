//! A DataNode that goes in the middle of a read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt as _;
use mlfetch_store::{Key, Object, ReadRequest, RetryObserver, RetryPolicy, RetryingStore, Store};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::cluster::Cluster;
use crate::support::noise;

/// More than the connection's own buffers take.
const LARGE_BYTES: usize = 32 << 20;

/// Bodies on their way: one of them comes from the DataNode that goes, but for one time in 4096.
const BODIES: usize = 12;

/// A store that asks again, and how often it did.
fn patient(cluster: &Cluster) -> (RetryingStore, Arc<AtomicUsize>) {
    let store = cluster.store(WebHdfsConfig::new().with_checksums(false));
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let observer: RetryObserver = Arc::new(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let policy = RetryPolicy::default().with_observer(observer);
    (RetryingStore::new(Arc::new(store), policy), count)
}

/// Begins to read, and takes the first bytes.
async fn begun(store: &dyn Store) -> (Vec<u8>, Object) {
    let read = store.read(&Key::from("large.bin"), ReadRequest::new()).await;
    let mut object = read.expect("an object");
    let first = object.body.try_next().await.expect("bytes").expect("a chunk");
    (first.to_vec(), object)
}

async fn ended((mut bytes, mut object): (Vec<u8>, Object)) -> Vec<u8> {
    while let Some(chunk) = object.body.try_next().await.expect("bytes") {
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

#[tokio::test]
async fn a_read_goes_on_from_the_other_replica() {
    let cluster = Cluster::start(1, 2, &[]);
    let bytes = noise(LARGE_BYTES);
    cluster.put("/large.bin", &bytes);
    let (store, again) = patient(&cluster);
    let mut bodies = Vec::new();
    for _ in 0..BODIES {
        bodies.push(begun(&store).await);
    }
    cluster.kill("datanode-1");
    for body in bodies {
        assert!(ended(body).await == bytes);
    }
    assert!(again.load(Ordering::Relaxed) > 0, "no body came from the DataNode that went");
}

#[tokio::test]
async fn a_read_goes_on_when_the_only_datanode_returns() {
    let mut cluster = Cluster::start(1, 1, &[]);
    let bytes = noise(LARGE_BYTES);
    cluster.put("/large.bin", &bytes);
    let (store, again) = patient(&cluster);
    let body = begun(&store).await;
    cluster.kill("datanode-1");
    cluster.start_again("datanode-1");
    assert!(ended(body).await == bytes);
    assert!(again.load(Ordering::Relaxed) > 0, "the body did not break");
}
