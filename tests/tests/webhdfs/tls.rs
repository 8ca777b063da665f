//! A cluster that speaks TLS alone.

use mlfetch_tests::{Desk, Node, variable};

use crate::support::{Environment, borrowed, fresh_path, hdfs, shell_at};

fn tls(name: &str) -> String {
    variable(&format!("MLFETCH_TEST_HDFS_TLS_{name}"))
}

/// Puts a file of this text, and gives its `swebhdfs:` URI.
fn put(text: &str) -> String {
    let desk = Desk::new();
    desk.write("local.txt", text);
    let (path, from) = (fresh_path(), desk.path().join("local.txt").display().to_string());
    shell_at(&tls("CONF"), &["-put", &from, &path]);
    format!("{}{path}", tls("URL").replace("https", "swebhdfs"))
}

fn owner() -> Environment {
    vec![("HADOOP_USER_NAME", hdfs("USER"))]
}

#[test]
fn a_file_comes_over_tls_with_the_authority_that_is_given() {
    let uri = put("bytes\n");
    let (desk, authority) = (Desk::new(), tls("CA"));
    let arguments = ["get", &uri, "-d", "out", "--verify", "required", "-v"];
    let arguments = [&arguments[..], &["--webhdfs-ca-bundle", &authority]].concat();
    let ran = desk.run(&arguments, &borrowed(&owner()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("proven: md5)"), "{}", ran.stderr);
    let name = uri.rsplit('/').next().expect("a name");
    assert_eq!(desk.tree().get(format!("out/{name}")), Some(&Node::file("bytes\n")));
}

#[test]
fn without_its_authority_nothing_is_asked_and_the_flag_is_named() {
    let arguments = ["get", &put("bytes\n"), "-d", "out"];
    let failure = Desk::new().fail(5, &arguments, &borrowed(&owner()));
    failure.says("no secure connection").says("localhost:").advises("webhdfs-ca-bundle");
}
