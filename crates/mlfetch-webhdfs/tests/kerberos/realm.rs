//! The realm, and the cluster in it.

use std::process::Command;
use std::sync::OnceLock;

use mlfetch_webhdfs::{WebHdfsConfig, WebHdfsStore};
use serde_json::Value;

use crate::support::variable;

/// A variable that describes them.
pub(crate) fn realm(name: &str) -> String {
    // Kerberos's own library reads this one.
    variable("KRB5_CONFIG");
    variable(&format!("MLFETCH_TEST_KERBEROS_{name}"))
}

/// The cluster with the ticket of `alice`.
pub(crate) fn open() -> WebHdfsStore {
    open_with(WebHdfsConfig::new().with_ticket_cache(realm("CACHE")))
}

/// The same with settings.
pub(crate) fn open_with(config: WebHdfsConfig) -> WebHdfsStore {
    let config = config.with_conf_dir(Some(realm("CONF").into()));
    WebHdfsStore::open(&config, "hdfs:///").expect("a store")
}

/// A delegation token of somebody, got by a client that is not ours.
pub(crate) fn token_of(cache: &str) -> String {
    let url = format!("{}/webhdfs/v1/?op=GETDELEGATIONTOKEN", realm("URL"));
    let output = Command::new("curl")
        .args(["--silent", "--fail", "--negotiate", "--user", ":", &url])
        .env("KRB5CCNAME", realm(cache))
        .output()
        .expect("curl runs");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    answer["Token"]["urlString"].as_str().expect("a token").to_owned()
}

/// The part of a query by which who may do everything is known.
pub(crate) fn keeper() -> &'static str {
    static KEEPER: OnceLock<String> = OnceLock::new();
    KEEPER.get_or_init(|| format!("delegation={}", token_of("KEEPER_CACHE")))
}
