//! What is fetched from a container, and what is proven of it.

use std::fs;

use mlfetch_tests::{Answer, Desk, Node, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{
    at, azurite, body, borrowed, fresh_container, nobody, owner, put, seed, uri, with,
};

#[test]
fn a_blob_is_proven_by_its_md5() {
    let container = put(&["a"]);
    let desk = Desk::new();
    let arguments = ["get", &uri(&container, "a"), "-d", "out", "--verify", "required", "-v"];
    let ran = desk.run(&arguments, &borrowed(&owner()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("proven: md5)"), "{}", ran.stderr);
    assert_eq!(desk.tree().get("out/a"), Some(&Node::file(body(10))));
}

/// Azurite computes an MD5 over a range, the service a CRC-64 too.
#[test]
fn a_blob_without_an_md5_is_proven_by_its_ranges() {
    const MIB: usize = 1 << 20;
    let sizes =
        [("short", MIB, "md5"), ("long", 9 * MIB, "md5-ranges"), ("big", 40 * MIB, "md5-ranges")];
    let container = fresh_container();
    let blob = |key, size| json!({ "key": key, "size": size, "block": 4 * MIB });
    let blobs: Vec<Value> = sizes.iter().map(|(key, size, _)| blob(key, size)).collect();
    seed("put", &json!({ "container": container, "blobs": blobs }));
    let desk = Desk::new();
    let md5 = ["--azure-range-checksum", "md5", "--verify", "required"];
    for (key, size, proof) in sizes {
        let uri = uri(&container, key);
        let arguments = [&["get", &uri, "-d", "out", "-v"][..], &md5].concat();
        let ran = desk.run(&arguments, &borrowed(&owner()));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("proven: {proof})")), "{}", ran.stderr);
        assert!(
            desk.tree().get(format!("out/{key}").as_str()) == Some(&Node::file(body(size))),
            "{key}"
        );
    }
    // It computes no CRC.
    let ran = desk.run(&["get", &uri(&container, "long"), "-d", "size", "-v"], &borrowed(&owner()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("proven: size)"), "{}", ran.stderr);
}

/// A server on the way that changes a byte, and what the service computed.
#[test]
fn a_range_that_is_not_what_its_crc_says_is_an_error() {
    let answer = |bytes: &'static [u8]| {
        Answer::new(206, bytes)
            .with("etag", "\"t\"")
            .with("x-ms-blob-type", "BlockBlob")
            .with("content-range", "bytes 0-11/12")
            .with("x-ms-content-crc64", "DtjZpL9/o8c=")
    };
    let desk = Desk::new();
    for (bytes, code) in [(b"Hello Azure!", 0), (b"Hello azure!", 6)] {
        let (whole, head) = (answer(bytes), Answer::new(200, *b"Hello Azure!"));
        let head = head.with("etag", "\"t\"").with("x-ms-blob-type", "BlockBlob");
        let server = ScriptedServer::start(move |asked, _| {
            if asked.method == "HEAD" { head.clone() } else { whole.clone() }
        });
        let environment =
            with(at(&format!("{}/acc", server.url)), "AZURE_STORAGE_ACCESS_KEY", "a2V5");
        let arguments = ["get", "az://c/a", "-d", "out", "-v", "--overwrite", "always"];
        let ran = desk.run(&arguments, &borrowed(&environment));
        assert_eq!(ran.code, code, "{}", ran.stderr);
        let says = if code == 0 { "proven: crc64nvme)" } else { "its crc64nvme is" };
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
}

#[test]
fn a_blob_without_any_checksum_is_proven_by_its_size_and_refused_where_more_is_required() {
    let blob = Answer::new(200, body(1000)).with("etag", "\"t\"");
    let blob = blob.with("x-ms-blob-type", "BlockBlob");
    let server = ScriptedServer::start(move |_, _| blob.clone());
    let environment = with(at(&format!("{}/acc", server.url)), "AZURE_STORAGE_ACCESS_KEY", "a2V5");
    let desk = Desk::new();
    let ran = desk.run(&["get", "az://c/a", "-d", "out", "-v"], &borrowed(&environment));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("proven: size)"), "{}", ran.stderr);
    let arguments = ["get", "az://c/a", "-d", "again", "--verify", "required"];
    assert_eq!(desk.run(&arguments, &borrowed(&environment)).code, 6);
}

#[test]
fn a_large_blob_in_parts_is_whole() {
    let container = fresh_container();
    let blob = json!({ "key": "large.bin", "size": 40 << 20 });
    seed("put", &json!({ "container": container, "blobs": [blob] }));
    let desk = Desk::new();
    let arguments = ["get", &uri(&container, "large.bin"), "-d", "out"];
    let ran = desk.run(&arguments, &borrowed(&owner()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(desk.tree().get("out/large.bin") == Some(&Node::file(body(40 << 20))));
}

#[test]
fn a_public_container_is_read_without_signing_in() {
    let container = fresh_container();
    let blobs = json!([{ "key": "dir/a", "size": 10 }]);
    seed("put", &json!({ "container": container, "public": "container", "blobs": blobs }));
    let desk = Desk::new();
    let anonymous = with(nobody(), "MLFETCH_AZURE_ANONYMOUS", "true");
    let ran = desk.run(&["get", &uri(&container, "dir/"), "-d", "out"], &borrowed(&anonymous));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(desk.tree().get("out/a"), Some(&Node::file(body(10))));
}

/// The endpoint is Azurite's; that the URL is one of Azure at all is in its host.
#[test]
fn a_url_of_a_blob_is_read_as_one_of_azure_with_the_signature_in_it() {
    let container = put(&["dir/a b", "dir/c"]);
    let arguments = json!({ "container": container, "permission": "rl", "seconds": 600 });
    let sas = seed("sign", &arguments);
    let root = format!("https://{}.blob.core.windows.net/{container}", azurite("ACCOUNT"));
    let sas = sas.as_str().expect("a signature");
    let desk = Desk::new();
    for (uri, out) in [("dir/a%20b", "file"), ("dir/", "directory")] {
        let uri = format!("{root}/{uri}?{sas}");
        let ran = desk.run(&["get", &uri, "-d", out], &borrowed(&nobody()));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stdout.contains("sig") && !ran.stderr.contains("sig="), "{}", ran.stderr);
    }
    let tree = desk.tree();
    for path in ["file/a b", "directory/a b", "directory/c"] {
        assert_eq!(tree.get(path), Some(&Node::file(body(10))), "{path}");
    }
}

#[test]
fn a_run_that_mlflow_logged_to_azure_is_fetched_with_mlflow_s_own_variable() {
    let desk = Desk::new();
    let logged = desk.path().join("logged");
    fs::create_dir_all(logged.join("deep")).expect("a directory");
    for (name, text) in [("a b.txt", "one"), ("deep/100%.txt", "two")] {
        fs::write(logged.join(name), text).expect("a file");
    }
    let store = format!("sqlite:///{}", desk.path().join("mlflow.db").display());
    let run = seed(
        "log_run",
        &json!({ "container": fresh_container(), "store": store, "directory": logged }),
    );
    let run = run.as_str().expect("an id");
    let environment = with(owner(), "MLFLOW_TRACKING_URI", &store);
    let arguments = ["get", "-r", run, "-a", "dir", "-d", "out", "--json"];
    let ran = desk.run(&arguments, &borrowed(&environment));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let tree = desk.tree();
    assert_eq!(tree.get("out/dir/a b.txt"), Some(&Node::file("one")));
    assert_eq!(tree.get("out/dir/deep/100%.txt"), Some(&Node::file("two")));
    let lines = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let fetched: Vec<Value> = lines.filter(|line: &Value| line["event"] == "fetched").collect();
    assert_eq!(fetched.len(), 2, "{}", ran.stdout);
    assert!(fetched.iter().all(|line| line["proven"] == "md5"), "{}", ran.stdout);
}
