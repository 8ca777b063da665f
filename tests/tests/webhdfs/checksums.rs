//! HDFS's checksums, proven by `--verify required`.

use std::time::Duration;

use mlfetch_tests::{Answer, Desk, Node, ScriptedServer};
use serde_json::json;

use crate::support::{borrowed, fresh_path, owner, shell};

/// Bytes without a short period.
fn body(size: usize) -> Vec<u8> {
    let word = |number: usize| (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    (0..size.div_ceil(8)).flat_map(word).take(size).collect()
}

/// Puts a file in these blocks and chunks, and fetches it with its proof.
#[track_caller]
fn assert_proven(size: usize, settings: &[&str]) {
    let desk = Desk::new();
    let bytes = body(size);
    desk.write("file.bin", &bytes);
    let path = format!("{}.bin", fresh_path());
    let from = desk.path().join("file.bin").display().to_string();
    let mut arguments: Vec<&str> = settings.iter().flat_map(|setting| ["-D", setting]).collect();
    arguments.extend(["-put", &from, &path]);
    shell(&arguments);
    let uri = format!("hdfs://{path}");
    let arguments = ["get", &uri, "-d", "out", "--verify", "required", "-v"];
    let ran = desk.run(&arguments, &borrowed(&owner()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("proven: md5)"), "{}", ran.stderr);
    let name = path.trim_start_matches('/');
    assert!(desk.tree().get(format!("out/{name}")) == Some(&Node::file(bytes)));
}

#[test]
fn a_file_of_one_block_and_an_odd_size() {
    assert_proven(100_001, &[]);
}

#[test]
fn a_file_of_many_blocks() {
    assert_proven(1_000_003, &["dfs.blocksize=65536"]);
}

#[test]
fn the_older_crc_and_other_chunks() {
    let settings =
        ["dfs.checksum.type=CRC32", "dfs.bytes-per-checksum=1000", "dfs.blocksize=100000"];
    assert_proven(450_500, &settings);
}

#[test]
fn a_file_that_comes_in_ranges_at_the_same_time() {
    // Cut at every 16 MiB, in blocks that end elsewhere.
    assert_proven((70 << 20) + 5, &["dfs.blocksize=9437184"]);
}

#[test]
fn bytes_that_are_not_what_the_checksum_says_are_not_kept() {
    let sum = "00000200000000000000000000112233445566778899aabbccddeeff";
    let server = ScriptedServer::start(move |asked, _| {
        let says = |operation: &str| asked.target.contains(&format!("op={operation}&"));
        if says("GETFILESTATUS") {
            Answer::json(&json!({
                "FileStatus": { "type": "FILE", "length": 3, "modificationTime": 1, "fileId": 7 }
            }))
        } else if says("GETFILECHECKSUM") {
            Answer::json(&json!({
                "FileChecksum": {
                    "algorithm": "MD5-of-0MD5-of-512CRC32C", "bytes": sum, "length": 28
                }
            }))
        } else {
            Answer::new(200, "abc")
        }
    });
    let desk = Desk::new();
    let uri = format!("{}/a.bin", server.url.replace("http://", "webhdfs://"));
    let failure = desk.fail(6, &["get", &uri, "-d", "out"], &[("HADOOP_USER_NAME", "alice")]);
    let _ = failure.says("its md5 is").within(Duration::from_secs(30));
    assert_eq!(desk.tree().get("out/a.bin"), None);
}
