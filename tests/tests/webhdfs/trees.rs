//! Trees that Hadoop's own client put there.

use mlfetch_tests::{Desk, Node, Tree, variable};
use tempfile::TempDir;

use crate::support::{borrowed, fresh_path, hdfs, owner, put, shell};

/// Names as Hadoop's client takes them, which are odd elsewhere.
const NAMES: [&str; 14] = [
    "plain.txt",
    "two words.txt",
    "100%.txt",
    "%41.txt",
    "a+b#c;d&e=f.txt",
    "it's (1).txt",
    "größe.txt",
    "cafe\u{301}.txt",
    "日本語/データ.csv",
    "nest/deeper/still/x.bin",
    "nest/~tilde",
    "🦀.bin",
    ".hidden",
    "nest/empty.txt",
];

/// Writes them into a directory; each holds its own name, and one nothing.
fn written() -> (TempDir, Tree) {
    let directory = TempDir::new().expect("a directory");
    for name in NAMES {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        let text = if name.ends_with("empty.txt") { String::new() } else { name.repeat(1000) };
        std::fs::write(path, text).expect("a file");
    }
    std::fs::create_dir(directory.path().join("nothing")).expect("a directory");
    let tree = Tree::of(directory.path());
    (directory, tree)
}

#[test]
fn a_tree_comes_back_as_hadoop_put_it() {
    let (directory, tree) = written();
    let path = fresh_path();
    put(directory.path(), &path);
    let gateway = variable("MLFETCH_TEST_HTTPFS_URL").replace("http://", "webhdfs://");
    for uri in
        [format!("hdfs://{path}"), format!("{}{path}", hdfs("URI")), format!("{gateway}{path}")]
    {
        let desk = Desk::new();
        let arguments = ["get", &format!("{uri}/"), "-d", "out", "--layout", "contents"];
        let ran = desk.run(&arguments, &borrowed(&owner()));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let mut expected = Tree::default();
        expected.put_all("out", &tree);
        assert_eq!(expected.differences(&desk.tree()), [""; 0], "{uri}");
    }
}

#[test]
fn the_http_address_needs_no_configuration() {
    let path = fresh_path();
    let desk = Desk::new();
    desk.write("local.txt", "bytes\n");
    put(&desk.path().join("local.txt"), &path);
    let uri = format!("{}{path}", hdfs("URL").replace("http://", "webhdfs://"));
    let ran = desk.run(&["cat", &uri], &[("HADOOP_USER_NAME", &hdfs("USER"))]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "bytes\n"), "{}", ran.stderr);
}

#[test]
fn a_gateway_stands_for_the_cluster_and_its_bytes_are_proven() {
    let path = fresh_path();
    let desk = Desk::new();
    desk.write("local.bin", vec![7; 300_000]);
    put(&desk.path().join("local.bin"), &path);
    let gateway = variable("MLFETCH_TEST_HTTPFS_URL");
    let uri = format!("hdfs:///{}", path.trim_start_matches('/'));
    let arguments = ["get", &uri, "-d", "out", "-v", "--verify", "required"];
    let arguments = [&arguments[..], &["--webhdfs-address", &gateway]].concat();
    let ran = desk.run(&arguments, &[("HADOOP_USER_NAME", &hdfs("USER"))]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("proven: md5)"), "{}", ran.stderr);
    let name = path.trim_start_matches('/');
    assert_eq!(desk.tree().get(format!("out/{name}")), Some(&Node::file(vec![7; 300_000])));
}

#[test]
fn a_mount_table_leads_to_the_cluster() {
    let path = fresh_path();
    let desk = Desk::new();
    desk.write("local.txt", "bytes\n");
    shell(&["-mkdir", "-p", &path]);
    put(&desk.path().join("local.txt"), &format!("{path}/a.txt"));
    let property = |name: &str, value: &str| {
        format!("<property><name>{name}</name><value>{value}</value></property>")
    };
    let uri = hdfs("URI");
    let link = property("fs.viewfs.mounttable.team.link./models", &format!("{uri}{path}"));
    let rpc = property("dfs.namenode.rpc-address", uri.trim_start_matches("hdfs://"));
    let http = property("dfs.namenode.http-address", hdfs("URL").trim_start_matches("http://"));
    desk.write("conf/core-site.xml", format!("<configuration>{link}</configuration>"));
    desk.write("conf/hdfs-site.xml", format!("<configuration>{rpc}{http}</configuration>"));
    let arguments = ["get", "viewfs://team/models/", "-d", "out", "--hadoop-conf-dir", "conf"];
    let user = hdfs("USER");
    let arguments = [&arguments[..], &["--hadoop-user", &user, "--layout", "contents"]].concat();
    let ran = desk.run(&arguments, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(desk.tree().get("out/a.txt"), Some(&Node::file("bytes\n")));
}

#[test]
fn what_is_there_unchanged_is_not_fetched_again() {
    let (directory, _) = written();
    let path = fresh_path();
    put(directory.path(), &path);
    let desk = Desk::new();
    let uri = format!("hdfs://{path}/");
    let arguments = ["get", &uri, "-d", "out", "--layout", "contents"];
    assert_eq!(desk.run(&arguments, &borrowed(&owner())).code, 0);
    let ran = desk.run(&arguments, &borrowed(&owner()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("{} left alone", NAMES.len())), "{}", ran.stderr);
}
