//! Somebody who may list everything and read all but one.

use std::path::Path;

use mlfetch_tests::{Desk, Node, Ran};
use serde_json::json;

use crate::support::{body, borrowed, fresh_prefix, minio, permitted, put, uri};

const READABLE: [&str; 4] = ["a.txt", "b/b.txt", "y.txt", "z/z.txt"];
const DENIED: &str = "m/denied.txt";

/// Fetches all five.
fn fetch(desk: &Desk, more: &[&str]) -> Ran {
    let prefix = fresh_prefix();
    let keys = READABLE.iter().chain([&DENIED]).map(|name| format!("{prefix}{name}"));
    put(&keys.collect::<Vec<_>>());
    let bucket = format!("arn:aws:s3:::{}", minio("BUCKET"));
    let somebody = permitted(&json!([
        { "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [bucket] },
        { "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [format!("{bucket}/*")] },
        {
            "Effect": "Deny", "Action": ["s3:GetObject"],
            "Resource": [format!("{bucket}/{prefix}{DENIED}")],
        },
    ]));
    let uri = uri(&prefix);
    let arguments = [["get", &uri, "-d", "out", "--layout", "contents"].as_slice(), more].concat();
    desk.run(&arguments, &borrowed(&somebody))
}

#[test]
fn one_denied_of_many_fails_and_is_named() {
    let desk = Desk::new();
    let ran = fetch(&desk, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("denied.txt"), "{}", ran.stderr);
    assert!(ran.stderr.contains("reading it is not allowed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("try: "), "{}", ran.stderr);
    // What was there before the refusal may stay, but only whole.
    let tree = desk.tree();
    for path in tree.paths() {
        let node = tree.get(path).expect("it is a path of it");
        assert!(*node == Node::Directory || *node == Node::file(body(10)), "{}", path.display());
    }
}

#[test]
fn with_keep_going_the_rest_arrives_and_the_failed_one_is_listed() {
    let desk = Desk::new();
    let ran = fetch(&desk, &["--keep-going"]);
    assert_eq!(ran.code, 8, "{}", ran.stderr);
    let tree = desk.tree();
    for name in READABLE {
        let node = tree.get(Path::new("out").join(name));
        assert_eq!(node, Some(&Node::file(body(10))), "{name}\n{}", ran.stderr);
    }
    assert_eq!(tree.get(Path::new("out").join(DENIED)), None);
    assert!(ran.stderr.contains("1 of 5 files failed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("denied.txt"), "{}", ran.stderr);
}
