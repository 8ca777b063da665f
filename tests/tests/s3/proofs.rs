//! Checksums of real objects, proven by `--verify required`.

use mlfetch_tests::{Desk, Node};
use serde_json::{Value, json};

use crate::support::{body, borrowed, fresh_prefix, owner, seed, uri};

/// Those that boto3 computes without the CRT; MinIO checks the others, too, when it is told them.
const OF_BOTO3: [&str; 3] = ["CRC32", "SHA1", "SHA256"];

/// Three parts of 5 MiB at most.
const SIZE: usize = 11 << 20;

/// Puts one object, fetches it, and checks what is said to be proven, in both ways of saying it.
#[track_caller]
fn assert_proven(size: usize, object: Value, proof: &str) {
    let key = format!("{}object.bin", fresh_prefix());
    let mut object = object;
    object["key"] = json!(key);
    object["size"] = json!(size);
    seed("put", &json!([object]));
    let desk = Desk::new();
    let arguments = ["get", &uri(&key), "-d", "out", "--verify", "required", "-v"];
    let ran = desk.run(&arguments, &borrowed(&owner()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let said = format!("proven: {proof})");
    assert!(ran.stderr.contains(&said), "it does not say {said:?}:\n{}", ran.stderr);
    assert!(desk.tree().get("out/object.bin") == Some(&Node::file(body(size))));
    let arguments = ["get", &uri(&key), "-d", "again", "--verify", "required", "--json"];
    let ran = desk.run(&arguments, &borrowed(&owner()));
    let lines = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let fetched: Vec<Value> = lines.filter(|line: &Value| line["event"] == "fetched").collect();
    let [fetched] = &fetched[..] else { panic!("one file was fetched: {}", ran.stdout) };
    assert_eq!(fetched["proven"], proof);
}

#[test]
fn a_plain_object_is_proven_by_its_checksum() {
    for checksum in OF_BOTO3 {
        assert_proven(1000, json!({ "checksum": checksum }), &checksum.to_lowercase());
    }
    for checksum in ["CRC32C", "CRC64NVME"] {
        assert_proven(1000, json!({ "told": checksum }), &checksum.to_lowercase());
    }
}

#[test]
fn a_plain_object_without_a_checksum_is_proven_by_its_tag() {
    assert_proven(1000, json!({}), "md5");
}

#[test]
fn an_object_in_parts_is_proven_by_its_checksum() {
    for checksum in OF_BOTO3 {
        let object = json!({ "checksum": checksum, "parts": true });
        assert_proven(SIZE, object, &checksum.to_lowercase());
    }
    for checksum in ["CRC32C", "CRC64NVME"] {
        let object = json!({ "told": checksum, "parts": true });
        assert_proven((5 << 20) + 1000, object, &checksum.to_lowercase());
    }
}

/// Big enough to be fetched in ranges, which end elsewhere than the upload's parts.
#[test]
fn a_big_object_is_proven_by_the_checksum_of_its_parts() {
    for checksum in ["CRC32", "SHA256"] {
        let object = json!({ "checksum": checksum, "parts": true });
        assert_proven(67 << 20, object, &checksum.to_lowercase());
    }
}
