use mlfetch_store::Location;

use super::*;

const PAIR: &[(&str, &str)] = &[
    ("fs.defaultFS", "hdfs://pair"),
    ("dfs.nameservices", "pair,other"),
    ("dfs.ha.namenodes.pair", "nn1, nn2"),
    ("dfs.namenode.http-address.pair.nn1", "a:1"),
    ("dfs.namenode.http-address.pair.nn2", "0.0.0.0:2"),
    ("dfs.namenode.rpc-address.pair.nn2", "b:8020"),
    ("dfs.namenode.https-address.pair.nn1", "a:11"),
    ("dfs.namenode.https-address.pair.nn2", "b:12"),
    ("dfs.namenode.http-address.other", "c:3"),
    ("dfs.namenode.rpc-address.other", "c:8020"),
    ("fs.viewfs.mounttable.cluster.link./user", "hdfs://pair/home"),
    ("fs.viewfs.mounttable.cluster.link./user/shared", "hdfs://other/shared/"),
    ("fs.viewfs.mounttable.cluster.link./again", "viewfs://cluster/user"),
    ("fs.viewfs.mounttable.whole.linkMergeSlash", "hdfs://other/"),
    ("fs.viewfs.mounttable.circle.link./a", "viewfs://circle/a"),
];

fn find_with(uri: &str, config: &WebHdfsConfig, site: &[(&str, &str)]) -> Result<(Cluster, Key)> {
    let place = Place::parse(&Location::parse(uri)?)?;
    find(&place, config, &Site::of(site))
}

fn servers(uri: &str, site: &[(&str, &str)]) -> (Vec<String>, Key) {
    let (cluster, key) = find_with(uri, &WebHdfsConfig::new(), site).expect(uri);
    let short = |url: &Url| url.as_str().trim_end_matches(PREFIX).to_owned();
    (cluster.servers.iter().map(short).collect(), key)
}

#[test]
fn a_namenode_is_found_by_its_name_its_address_or_the_default_port() {
    let rows: [(&str, &[&str]); 9] = [
        ("hdfs://nn/x", &["http://nn:9870"]),
        ("hdfs://nn:8020/x", &["http://nn:9870"]),
        ("hdfs://pair/x", &["http://a:1", "http://b:2"]),
        ("hdfs:///x", &["http://a:1", "http://b:2"]),
        ("hdfs://other/x", &["http://c:3"]),
        ("hdfs://c:8020/x", &["http://c:3"]),
        ("hdfs://b:8020/x", &["http://b:2"]),
        ("webhdfs://nn:50070/x", &["http://nn:50070"]),
        ("swebhdfs://pair/x", &["https://a:11", "https://b:12"]),
    ];
    for (uri, expected) in rows {
        assert_eq!(
            servers(uri, PAIR),
            (expected.iter().map(ToString::to_string).collect(), Key::from("x")),
            "{uri}"
        );
    }
    assert_eq!(servers("swebhdfs://nn/x", &[]).0, ["https://nn:9871"]);
}

#[test]
fn a_cluster_that_speaks_tls_only_is_asked_so() {
    let site = [PAIR, &[("dfs.http.policy", "HTTPS_ONLY")]].concat();
    assert_eq!(servers("hdfs://pair/x", &site).0, ["https://a:11", "https://b:12"]);
    let config = WebHdfsConfig::new().with_tls(true);
    let (cluster, _) = find_with("hdfs://nn/x", &config, &[]).expect("a cluster");
    assert_eq!(cluster.servers[0].as_str(), "https://nn:9871/webhdfs/v1");
}

#[test]
fn an_address_that_is_given_counts_alone() {
    let config = WebHdfsConfig::new().with_addresses(["https://knox/gateway/x", "nn2:1"]);
    for uri in ["hdfs://pair/x", "hdfs:///x"] {
        let (cluster, _) = find_with(uri, &config, PAIR).expect("a cluster");
        let urls: Vec<&str> = cluster.servers.iter().map(Url::as_str).collect();
        assert_eq!(urls, ["https://knox/gateway/x/webhdfs/v1", "http://nn2:1/webhdfs/v1"]);
    }
    let wrong = WebHdfsConfig::new().with_addresses(["ftp://nn"]);
    let error = find_with("hdfs://nn/x", &wrong, &[]).expect_err("no HTTP");
    assert!(error.hint().is_some_and(|hint| hint.contains("webhdfs-address")));
}

#[test]
fn the_longest_mount_counts_and_one_may_lead_to_another() {
    let rows = [
        ("viewfs://cluster/user/me/x", "http://a:1", "home/me/x"),
        ("viewfs://cluster/user", "http://a:1", "home"),
        ("viewfs://cluster/user/", "http://a:1", "home/"),
        ("viewfs://cluster/user/shared/x", "http://c:3", "shared/x"),
        ("viewfs://cluster/user/shared", "http://c:3", "shared"),
        ("viewfs://cluster/again/me", "http://a:1", "home/me"),
        ("viewfs://whole/any/thing", "http://c:3", "any/thing"),
    ];
    for (uri, server, key) in rows {
        let (found, found_key) = servers(uri, PAIR);
        assert_eq!((found[0].as_str(), found_key), (server, Key::from(key)), "{uri}");
    }
}

#[test]
fn what_leads_nowhere_says_what_there_is() {
    let rows = [
        ("hdfs:///x", &[][..], "HADOOP_CONF_DIR"),
        ("viewfs://cluster/users/x", PAIR, "/user, /user/shared"),
        ("viewfs://nowhere/x", PAIR, "mounttable"),
    ];
    for (uri, site, words) in rows {
        let error = find_with(uri, &WebHdfsConfig::new(), site).expect_err(uri);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.hint().is_some_and(|hint| hint.contains(words)), "{uri}: {error:?}");
    }
    let error = find_with("viewfs://circle/a", &WebHdfsConfig::new(), PAIR);
    assert!(error.expect_err("a circle").to_string().contains("circle"));
}

#[test]
fn a_cluster_is_known_by_configuration_and_not_by_a_uri_alone() {
    let known =
        |uri: &str, config: &WebHdfsConfig| find_with(uri, config, PAIR).expect(uri).0.is_known;
    let none = WebHdfsConfig::new();
    for uri in ["hdfs://pair/x", "hdfs:///x", "hdfs://c:8020/x", "webhdfs://a:1/x"] {
        assert!(known(uri, &none), "{uri}");
    }
    for uri in ["hdfs://elsewhere/x", "hdfs://a:8021/x", "webhdfs://a:2/x", "webhdfs://pair2/x"] {
        assert!(!known(uri, &none), "{uri}");
    }
    assert!(known("hdfs://elsewhere/x", &WebHdfsConfig::new().with_addresses(["nn:1"])));
}

#[test]
fn tokens_are_looked_for_under_every_name_of_the_cluster() {
    let (cluster, _) = find_with("hdfs://pair/x", &WebHdfsConfig::new(), PAIR).expect("a cluster");
    for service in ["ha-hdfs:pair", "a:1", "b:2"] {
        assert!(cluster.services.iter().any(|known| known == service), "{service}");
    }
}
