//! Where a cluster's HTTP side is.

use mlfetch_http::Url;
use mlfetch_store::{Error, ErrorKind, Key, Result};

use crate::config::WebHdfsConfig;
use crate::location::{Place, Scheme};
use crate::site::Site;

mod mounts;

/// The ports of a NameNode where nobody names others (hdfs-default.xml, 3.x).
const HTTP_PORT: u16 = 9870;
const HTTPS_PORT: u16 = 9871;

/// What stands before every path (WebHDFS REST API, URIs and URLs).
pub(crate) const PREFIX: &str = "/webhdfs/v1";

/// How often one place may lead on to another.
const MAX_HOPS: usize = 8;

/// A cluster, as far as we speak with it.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    /// Safe to show: `hdfs://namenode:8020/`.
    pub(crate) root: String,
    /// Each NameNode, or a gateway; paths are put behind their paths.
    pub(crate) servers: Vec<Url>,
    /// The names under which Hadoop keeps tokens for it.
    pub(crate) services: Vec<String>,
    /// Whether a setting or Hadoop's configuration names it, and not a URI alone: a URI may come from
    /// a server, which must not choose who gets a token.
    pub(crate) is_known: bool,
    /// Whether the servers are others than those that the URI itself means.
    pub(crate) is_elsewhere: bool,
}

/// The cluster of a place, and the key in it.
///
/// # Errors
/// `InvalidInput` where the place cannot be found out, with what would help.
pub(crate) fn find(place: &Place, config: &WebHdfsConfig, site: &Site) -> Result<(Cluster, Key)> {
    let mut place = place.clone();
    for _ in 0..MAX_HOPS {
        place = match (place.scheme, &place.authority) {
            (Scheme::ViewFs, _) => mounts::follow(&place, site)?,
            (_, Some(_)) => return Ok((Cluster::named(&place, config, site)?, place.key)),
            (_, None) if !config.addresses.is_empty() => {
                return Ok((Cluster::named(&place, config, site)?, place.key));
            }
            (_, None) => default_of(&place, site)?,
        };
    }
    Err(unknown(&place, "its configuration leads round in a circle"))
}

/// The same path in the cluster that `fs.defaultFS` names.
fn default_of(place: &Place, site: &Site) -> Result<Place> {
    let default = site.get("fs.defaultFS").or_else(|| site.get("fs.default.name"));
    let default = default.ok_or_else(|| {
        unknown(place, "it names no NameNode, and there is no `fs.defaultFS`")
            .with_hint("give HADOOP_CONF_DIR, or a URI such as hdfs://namenode:8020/path")
    })?;
    let location = mlfetch_store::Location::parse(default)?;
    let default = Place::parse(&location)?;
    if default.authority.is_none() {
        return Err(unknown(place, "`fs.defaultFS` names no NameNode"));
    }
    Ok(Place { scheme: default.scheme, authority: default.authority, key: place.key.clone() })
}

pub(super) fn unknown(place: &Place, why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    let authority = place.authority.as_deref().unwrap_or_default();
    let shown = format!("{}://{authority}/{}", place.scheme.name(), place.key);
    Error::new(ErrorKind::InvalidInput, "find the cluster of", shown).with_message(why)
}

impl Cluster {
    /// The servers' URLs, safe to show, where the URI does not say them.
    pub(crate) fn servers_elsewhere(&self) -> Vec<String> {
        let servers = self.servers.iter().filter(|_| self.is_elsewhere);
        let shown = |url: &Url| mlfetch_store::Location::parse(url.as_str()).ok();
        servers.filter_map(shown).map(|url| url.to_string()).collect()
    }

    fn named(place: &Place, config: &WebHdfsConfig, site: &Site) -> Result<Self> {
        let authority = place.authority.clone().unwrap_or_default();
        let root = format!("{}://{authority}/", place.scheme.name());
        let root = mlfetch_store::escape(root.as_bytes());
        let secure = is_secure(place, config, site);
        let is_known = !config.addresses.is_empty() || names(site, &authority);
        let (servers, ha) = match config.addresses.as_slice() {
            [] => addresses(&authority, place.scheme, secure, site),
            given => (given.to_vec(), false),
        };
        let is_elsewhere =
            servers != addresses(&authority, place.scheme, secure, &Site::default()).0;
        let scheme = if secure { "https" } else { "http" };
        let servers = servers.iter().map(|address| server(scheme, address, place));
        let servers = servers.collect::<Result<Vec<Url>>>()?;
        let services = services(&authority, ha, &servers);
        Ok(Self { root, servers, services, is_known, is_elsewhere })
    }
}

/// Whether Hadoop's configuration names what an authority names.
fn names(site: &Site, authority: &str) -> bool {
    let is_nameservice = ["dfs.ha.namenodes", "dfs.namenode.rpc-address"]
        .iter()
        .any(|name| site.get(&format!("{name}.{authority}")).is_some());
    let has_address = ["dfs.namenode.http-address", "dfs.namenode.https-address"]
        .iter()
        .any(|name| site.below(name).any(|(_, value)| value == authority));
    is_nameservice || has_address || suffix_of(authority, site).is_some()
}

/// Whether TLS is spoken: the URI says so, a flag, or the cluster's own policy.
fn is_secure(place: &Place, config: &WebHdfsConfig, site: &Site) -> bool {
    match place.scheme {
        Scheme::SecureWebHdfs => true,
        Scheme::WebHdfs => false,
        Scheme::Hdfs | Scheme::ViewFs => config
            .tls
            .unwrap_or_else(|| site.get("dfs.http.policy").as_deref() == Some("HTTPS_ONLY")),
    }
}

/// The addresses for HTTP of what an authority names, and whether it is a pair's name.
fn addresses(authority: &str, scheme: Scheme, secure: bool, site: &Site) -> (Vec<String>, bool) {
    let name = if secure { "dfs.namenode.https-address" } else { "dfs.namenode.http-address" };
    let port = if secure { HTTPS_PORT } else { HTTP_PORT };
    if let Some(members) = site.get(&format!("dfs.ha.namenodes.{authority}")) {
        let members = members.split(',').map(str::trim).filter(|member| !member.is_empty());
        let of = |member: &str| address_of(site, name, &format!(".{authority}.{member}"), port);
        return (members.filter_map(of).collect(), true);
    }
    if let Some(address) = address_of(site, name, &format!(".{authority}"), port) {
        return (vec![address], false);
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    match scheme {
        // The authority is an address for HTTP already.
        Scheme::WebHdfs | Scheme::SecureWebHdfs if host != authority => {
            (vec![authority.to_owned()], false)
        }
        Scheme::WebHdfs | Scheme::SecureWebHdfs => (vec![format!("{host}:{port}")], false),
        Scheme::Hdfs | Scheme::ViewFs => {
            let known =
                suffix_of(authority, site).and_then(|suffix| address_of(site, name, &suffix, port));
            (vec![known.unwrap_or_else(|| format!("{host}:{port}"))], false)
        }
    }
}

/// What follows `dfs.namenode.rpc-address` in the setting that names this very NameNode.
fn suffix_of(authority: &str, site: &Site) -> Option<String> {
    let named = site.below("dfs.namenode.rpc-address").find(|(_, value)| value == authority);
    let default = || {
        let location = mlfetch_store::Location::parse(site.get("fs.defaultFS")?).ok()?;
        let is_ours = Place::parse(&location).ok()?.authority.as_deref() == Some(authority);
        is_ours.then(String::new)
    };
    named.map(|(suffix, _)| suffix.to_owned()).or_else(default)
}

/// An address for HTTP. One that names every network card is completed from the address for
/// programs.
fn address_of(site: &Site, name: &str, suffix: &str, port: u16) -> Option<String> {
    let rpc = site.get(&format!("dfs.namenode.rpc-address{suffix}"));
    let rpc_host = rpc.as_deref().and_then(|rpc| rpc.rsplit_once(':')).map(|(host, _)| host);
    let Some(address) = site.get(&format!("{name}{suffix}")) else {
        return rpc_host.map(|host| format!("{host}:{port}"));
    };
    match (address.strip_prefix("0.0.0.0:"), rpc_host) {
        (Some(port), Some(host)) => Some(format!("{host}:{port}")),
        _ => Some(address),
    }
}

/// The URL of a server: of `host`, `host:port`, or a gateway's whole URL.
fn server(scheme: &str, address: &str, place: &Place) -> Result<Url> {
    let text = if address.contains("://") {
        address.trim_end_matches('/').to_owned()
    } else {
        format!("{scheme}://{address}")
    };
    let text = if text.ends_with(PREFIX) { text } else { text + PREFIX };
    let url = Url::parse(&text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    url.ok_or_else(|| {
        let shown = mlfetch_store::bare_address(address);
        unknown(place, format!("`{shown}` is no address of a NameNode"))
            .with_hint("`webhdfs-address` is such as http://namenode:9870, several with commas")
    })
}

/// The services of tokens (`SecurityUtil.buildTokenService`, `HAUtilClient`).
fn services(authority: &str, ha: bool, servers: &[Url]) -> Vec<String> {
    let mut services = Vec::new();
    if ha {
        let kinds = ["ha-hdfs", "ha-webhdfs", "ha-swebhdfs"];
        services.extend(kinds.map(|kind| format!("{kind}:{authority}")));
    }
    services.push(authority.to_owned());
    services.extend(servers.iter().map(|url| {
        let port = url.port_or_known_default().unwrap_or_default();
        format!("{}:{port}", url.host_str().unwrap_or_default())
    }));
    services
}

#[cfg(test)]
mod tests;
