//! A cluster that asks for Kerberos tickets.

use mlfetch_tests::{Desk, variable};

use crate::support::{Environment, borrowed};

/// The cluster and its realm, with a ticket cache by the variable that MLflow has for it.
fn with_cache(cache: &str) -> Environment {
    vec![
        ("KRB5_CONFIG", variable("KRB5_CONFIG")),
        ("HADOOP_CONF_DIR", variable("MLFETCH_TEST_KERBEROS_CONF")),
        ("MLFLOW_KERBEROS_TICKET_CACHE", cache.to_owned()),
    ]
}

#[test]
fn a_ticket_opens_the_cluster() {
    let environment = with_cache(&variable("MLFETCH_TEST_KERBEROS_CACHE"));
    let ran = Desk::new().run(&["ls", "hdfs:///"], &borrowed(&environment));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn without_a_ticket_it_is_said_what_is_missing() {
    let environment = with_cache("FILE:/no/such/cache");
    let arguments = ["get", "hdfs:///a", "-d", "out"];
    let failure = Desk::new().fail(4, &arguments, &borrowed(&environment));
    failure.says("there is no ticket").advises("kinit");
}

#[test]
fn an_expired_ticket_is_told_from_none() {
    let environment = with_cache(&variable("MLFETCH_TEST_KERBEROS_EXPIRED_CACHE"));
    let arguments = ["get", "hdfs:///a", "-d", "out"];
    let failure = Desk::new().fail(4, &arguments, &borrowed(&environment));
    failure.says("the Kerberos ticket has expired").advises("kinit");
}
