//! A gateway that tells a CRC of the whole file (`dfs.checksum.combine.mode`).

use mlfetch_store::{Algorithm, Coverage, Key, ReadRequest, StatRequest, Store as _};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::cluster::{Cluster, wait_for_answer};
use crate::hadoop;
use crate::support::noise;

/// CRC-32C, a bit at a time (RFC 3720, B.4).
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
    })
}

#[test]
fn the_crc_is_the_published_one() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
}

#[tokio::test]
async fn a_gateway_tells_one_crc_of_the_bytes_of_many_blocks() {
    let cluster = Cluster::start(1, 1, &["dfs.checksum.combine.mode=COMPOSITE_CRC"]);
    let all = noise(2_500_001);
    let local = cluster.write("local", &all);
    hadoop::shell(&cluster.conf(), &["-D", "dfs.blocksize=1048576", "-put", &local, "/a.bin"]);
    let key = Key::from("a.bin");
    let gateway = cluster.gateway();
    let config = WebHdfsConfig::new().with_addresses([gateway.url()]);
    let store = cluster.store(config);
    wait_for_answer(&store).await;
    let stat = store.stat(&key, StatRequest::new().with_checksums()).await.expect("facts");
    let read = store.read(&key, ReadRequest::new()).await.expect("an object").info;
    for info in [stat, read] {
        let [sum] = info.checksums.as_slice() else { panic!("one checksum: {info:?}") };
        assert_eq!((sum.algorithm, &sum.coverage), (Algorithm::Crc32c, &Coverage::Object));
        assert_eq!(sum.value, crc32c(&all).to_be_bytes(), "{}", sum.hex());
    }
    // DataNodes tell the other one all the same.
    let plain = cluster.store(WebHdfsConfig::new());
    let info = plain.stat(&key, StatRequest::new().with_checksums()).await.expect("facts");
    assert_eq!(info.checksums[0].algorithm, Algorithm::Md5);
}
