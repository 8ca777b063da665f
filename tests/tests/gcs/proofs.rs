//! Checksums of real objects, proven by `--verify required`; generations; what is stored compressed.

use mlfetch_tests::{Desk, Node, Ran};
use serde_json::{Value, json};

use crate::support::{body, borrowed, emulator, fresh_prefix, seed, uri};

/// Five parts, the last of them short.
const BIG: usize = (64 << 20) + 12_345;

/// Puts one object; gives its key and generation.
fn put(more: Value) -> (String, String) {
    let key = format!("{}object.bin", fresh_prefix());
    let mut object = more;
    object["key"] = json!(key);
    let generation = seed("put", &json!([object]))[0].as_str().expect("a generation").to_owned();
    (key, generation)
}

#[track_caller]
fn get(desk: &Desk, uri: &str) -> Ran {
    let arguments = ["get", uri, "-d", "out", "--verify", "required", "-v"];
    let ran = desk.run(&arguments, &borrowed(&emulator()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran
}

#[test]
fn every_object_is_proven_by_its_crc32c_also_when_it_comes_in_parts() {
    for size in [0, 1000, BIG] {
        let (key, _) = put(json!({ "size": size }));
        let desk = Desk::new();
        let ran = get(&desk, &uri(&key));
        assert!(ran.stderr.contains("proven: crc32c)"), "{}", ran.stderr);
        let arrived = desk.tree().get("out/object.bin") == Some(&Node::file(body(size)));
        assert!(arrived, "{size} bytes");
    }
}

#[test]
fn an_object_that_is_stored_compressed_arrives_as_it_is_stored_and_is_proven() {
    let (key, _) = put(json!({ "size": 10_000, "gzip": true }));
    let desk = Desk::new();
    let ran = get(&desk, &uri(&key));
    assert!(ran.stderr.contains("proven: crc32c)"), "{}", ran.stderr);
    let bytes = std::fs::read(desk.path().join("out/object.bin")).expect("a file");
    assert!(bytes.starts_with(b"\x1f\x8b") && bytes.len() < 10_000, "{} bytes", bytes.len());
}

#[test]
fn a_generation_is_named_in_the_uri() {
    let (key, generation) = put(json!({ "size": 7 }));
    let desk = Desk::new();
    get(&desk, &format!("{}#{generation}", uri(&key)));
    assert!(desk.tree().get("out/object.bin") == Some(&Node::file(body(7))));
    let gone = format!("{}#1000000000000000", uri(&key));
    let failure = Desk::new().fail(3, &["get", &gone, "-d", "out"], &borrowed(&emulator()));
    let _ = failure.says("object.bin");
}
