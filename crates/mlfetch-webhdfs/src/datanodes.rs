//! Where a NameNode may send us, and which DataNodes failed a moment ago.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use mlfetch_http::Url;
use mlfetch_store::{Error, ErrorKind, Result};

/// How long a DataNode that failed is avoided. The NameNode itself takes half a minute to notice.
const AVOIDED_FOR: Duration = Duration::from_mins(1);

/// The hosts that redirects may lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RedirectRule(Option<Vec<String>>);

impl RedirectRule {
    /// Any host that the NameNode names.
    pub(crate) fn any() -> Self {
        Self(None)
    }

    /// The hosts of a list: `dn1.example`, `dn1.example:9864`, `*.example`.
    ///
    /// # Errors
    /// `InvalidInput` for an empty list.
    pub(crate) fn list(text: &str) -> Result<Self> {
        let hosts = text.split(',').map(str::trim).filter(|host| !host.is_empty());
        let hosts: Vec<String> = hosts.map(str::to_ascii_lowercase).collect();
        if hosts.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "use the option", "datanode-hosts")
                .with_message("it names no host"));
        }
        Ok(Self(Some(hosts)))
    }

    /// Whether a question to `from` may go on to `to`.
    ///
    /// # Errors
    /// `Refused`, naming the host, where it may not.
    pub(crate) fn check(&self, from: &Url, to: &Url) -> Result<(), &'static str> {
        if !matches!(to.scheme(), "http" | "https") {
            return Err("the redirect leads to something that is no web server");
        }
        if from.scheme() == "https" && to.scheme() == "http" {
            return Err("the redirect leads from HTTPS to HTTP");
        }
        if from.origin() == to.origin() || self.lists(to) {
            return Ok(());
        }
        Err("the redirect leads to a host that is not among `datanode-hosts`")
    }

    fn lists(&self, url: &Url) -> bool {
        let Some(hosts) = &self.0 else { return true };
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        hosts.iter().any(|listed| match listed.strip_prefix('*') {
            Some(end) => end.starts_with('.') && host.ends_with(end) && host.len() > end.len(),
            None => *listed == host || *listed == with_port,
        })
    }
}

/// The DataNodes that failed a moment ago, by the hosts' names that redirects have.
#[derive(Debug, Default)]
pub(crate) struct Failed(Mutex<Vec<(String, Instant)>>);

impl Failed {
    /// Remembers one.
    pub(crate) fn add(&self, url: &Url) {
        let Some(host) = url.host_str().map(str::to_owned) else { return };
        self.with(|failed| {
            failed.retain(|(known, _)| *known != host);
            failed.push((host, Instant::now()));
        });
    }

    /// Those to avoid now.
    pub(crate) fn hosts(&self) -> Vec<String> {
        self.with(|failed| {
            failed.retain(|(_, since)| since.elapsed() < AVOIDED_FOR);
            failed.iter().map(|(host, _)| host.clone()).collect()
        })
    }

    /// Forgets all: there may be no others.
    pub(crate) fn forget(&self) {
        self.with(Vec::clear);
    }

    fn with<T>(&self, use_list: impl FnOnce(&mut Vec<(String, Instant)>) -> T) -> T {
        // Each change leaves a whole list.
        use_list(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn any_host_is_a_datanode_unless_there_is_a_list() {
        let from = url("http://nn:9870/");
        assert!(RedirectRule::any().check(&from, &url("http://dn7:9864/x")).is_ok());
        let rule = RedirectRule::list("DN1, *.data.example, dn2:9864").expect("a list");
        for (to, allowed) in [
            ("http://dn1:1/", true),
            ("http://a.data.example:9864/", true),
            ("http://dn2:9864/", true),
            ("http://dn2:9999/", false),
            ("http://data.example/", false),
            ("http://evildata.example/", false),
            ("http://dn1.evil.example/", false),
            ("http://nn:9870/y", true),
            ("ftp://dn1/", false),
        ] {
            assert_eq!(rule.check(&from, &url(to)).is_ok(), allowed, "{to}");
        }
    }

    #[test]
    fn no_redirect_leaves_https() {
        let from = url("https://nn:9871/");
        assert!(RedirectRule::any().check(&from, &url("http://dn:9864/")).is_err());
        assert!(RedirectRule::any().check(&from, &url("https://dn:9865/")).is_ok());
    }

    #[test]
    fn a_list_without_hosts_is_refused() {
        assert!(RedirectRule::list(" , ").is_err());
    }

    #[test]
    fn what_failed_is_avoided_until_it_is_forgotten() {
        let failed = Failed::default();
        failed.add(&url("http://dn1:9864/"));
        failed.add(&url("http://dn1:9864/other"));
        assert_eq!(failed.hosts(), ["dn1"]);
        failed.forget();
        assert!(failed.hosts().is_empty());
    }
}
