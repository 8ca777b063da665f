//! The settings, from code or as rows.

use std::path::PathBuf;

use mlfetch_http::ClientConfig;
use mlfetch_store::{OptionSpec, Options, Result, Secret};

use crate::datanodes::RedirectRule;

const ADDRESS: &str = "webhdfs-address";
const CONF_DIR: &str = "hadoop-conf-dir";
const USER: &str = "hadoop-user";
const PROXY_USER: &str = "hadoop-proxy-user";
const TOKEN: &str = "delegation-token";
const TOKEN_FILE: &str = "hadoop-token-file";
const DATANODE_HOSTS: &str = "datanode-hosts";
const TICKET_CACHE: &str = "kerberos-ticket-cache";
const PRINCIPAL: &str = "kerberos-user";
const KEYTAB: &str = "kerberos-keytab";
const CHECKSUMS: &str = "hdfs-checksums";
const TLS: &str = "webhdfs-tls";
const CA_BUNDLE: &str = "webhdfs-ca-bundle";
const CLIENT_CERTIFICATE: &str = "webhdfs-client-certificate";
const INSECURE_TLS: &str = "webhdfs-insecure-tls";

/// The settings, as rows.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    row(
        ADDRESS,
        &["MLFETCH_WEBHDFS_ADDRESS"],
        Some("what Hadoop's configuration says, or port 9870 of the URI's host"),
        "HTTP address of the NameNode, of each of a pair with commas, or URL of a gateway",
    ),
    row(
        CONF_DIR,
        &["MLFETCH_HADOOP_CONF_DIR", "HADOOP_CONF_DIR"],
        None,
        "directory of core-site.xml and hdfs-site.xml",
    ),
    row(
        USER,
        &["MLFETCH_HADOOP_USER", "HADOOP_USER_NAME", "MLFLOW_KERBEROS_USER"],
        Some("the local user"),
        "who reads, where HDFS believes a name",
    ),
    row(
        PROXY_USER,
        &["MLFETCH_HADOOP_PROXY_USER", "HADOOP_PROXY_USER"],
        None,
        "read for this user, as one who may",
    ),
    OptionSpec {
        name: TOKEN,
        env: &["MLFETCH_DELEGATION_TOKEN"],
        secret: true,
        default: None,
        help: "delegation token, as a URL carries it",
    },
    row(
        TOKEN_FILE,
        &["MLFETCH_HADOOP_TOKEN_FILE", "HADOOP_TOKEN_FILE_LOCATION"],
        None,
        "file of delegation tokens, as `hdfs fetchdt` writes it",
    ),
    row(
        DATANODE_HOSTS,
        &["MLFETCH_DATANODE_HOSTS"],
        Some("any host that the NameNode names"),
        "hosts that redirects may lead to: dn1.example, dn2.example:9864, *.data.example",
    ),
    row(
        TICKET_CACHE,
        &["MLFETCH_KERBEROS_TICKET_CACHE", "MLFLOW_KERBEROS_TICKET_CACHE"],
        Some("KRB5CCNAME, or Kerberos's default"),
        "ticket cache, for clusters that want Kerberos",
    ),
    row(
        PRINCIPAL,
        &["MLFETCH_KERBEROS_USER", "MLFLOW_KERBEROS_USER"],
        Some("that of the ticket"),
        "principal whose ticket or key counts",
    ),
    row(
        KEYTAB,
        &["MLFETCH_KERBEROS_KEYTAB"],
        Some("KRB5_CLIENT_KTNAME, or Kerberos's default"),
        "file of keys, to get a ticket where the cache has none",
    ),
    row(
        CHECKSUMS,
        &["MLFETCH_HDFS_CHECKSUMS"],
        Some("true"),
        "ask for HDFS's checksum of each file: true or false",
    ),
    row(
        TLS,
        &["MLFETCH_WEBHDFS_TLS"],
        Some("what dfs.http.policy says, or false"),
        "speak HTTPS with hdfs: URIs: true or false",
    ),
    row(
        CA_BUNDLE,
        &["MLFETCH_WEBHDFS_CA_BUNDLE"],
        Some("the platform's certificate authorities"),
        "PEM file of the certificate authorities to trust",
    ),
    row(
        CLIENT_CERTIFICATE,
        &["MLFETCH_WEBHDFS_CLIENT_CERTIFICATE"],
        None,
        "PEM file with a client certificate and its key",
    ),
    row(
        INSECURE_TLS,
        &["MLFETCH_WEBHDFS_INSECURE_TLS"],
        Some("false"),
        "accept any server certificate",
    ),
];

const fn row(
    name: &'static str,
    env: &'static [&'static str],
    default: Option<&'static str>,
    help: &'static str,
) -> OptionSpec {
    OptionSpec { name, env, secret: false, default, help }
}

/// How a cluster is reached, and as whom.
///
/// ```
/// use mlfetch_webhdfs::WebHdfsConfig;
/// let config = WebHdfsConfig::new()
///     .with_addresses(["http://nn1.example:9870", "http://nn2.example:9870"])
///     .with_user("alice".to_owned());
/// assert_eq!(config.addresses.len(), 2);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebHdfsConfig {
    /// Addresses of the NameNodes, or the URL of a gateway; empty to find them out.
    pub addresses: Vec<String>,
    /// The directory of Hadoop's configuration.
    pub conf_dir: Option<PathBuf>,
    /// Who reads, where HDFS believes a name; the local user if `None`.
    pub user: Option<String>,
    /// For whom the user reads.
    pub proxy_user: Option<String>,
    /// A token that says who reads.
    pub delegation_token: Option<Secret>,
    /// A file of such tokens.
    pub token_file: Option<PathBuf>,
    /// The ticket cache, for clusters that want Kerberos.
    pub ticket_cache: Option<String>,
    /// The principal whose ticket or key counts.
    pub principal: Option<String>,
    /// A file of keys, to get a ticket where the cache has none.
    pub keytab: Option<PathBuf>,
    /// Whether HDFS's checksum of each file is asked for, which costs two requests more.
    pub checksums: bool,
    /// Whether `hdfs:` means TLS; as the cluster's own policy says if `None`.
    pub tls: Option<bool>,
    /// A PEM file of certificate authorities to trust instead of the platform's.
    pub ca_bundle: Option<PathBuf>,
    /// A PEM file with a client certificate and its key.
    pub client_certificate: Option<PathBuf>,
    /// Accept any server certificate. Off unless somebody asked for it.
    pub insecure_tls: bool,
    pub(crate) redirects: RedirectRule,
}

impl Default for WebHdfsConfig {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            conf_dir: None,
            user: None,
            proxy_user: None,
            delegation_token: None,
            token_file: None,
            ticket_cache: None,
            principal: None,
            keytab: None,
            checksums: true,
            tls: None,
            ca_bundle: None,
            client_certificate: None,
            insecure_tls: false,
            redirects: RedirectRule::any(),
        }
    }
}

impl WebHdfsConfig {
    /// The local user, and what the URI says.
    pub fn new() -> Self {
        Self::default()
    }

    /// The settings that were given by name.
    ///
    /// # Errors
    /// `InvalidInput`, naming the setting, for a value that it cannot have.
    pub fn from_options(options: &Options) -> Result<Self> {
        let text = |name| options.text(name).map(str::to_owned);
        let path = |name| options.text(name).map(PathBuf::from);
        let redirects = options.text(DATANODE_HOSTS).map(RedirectRule::list).transpose()?;
        Ok(Self {
            addresses: options.text(ADDRESS).map(split).unwrap_or_default(),
            conf_dir: path(CONF_DIR),
            user: text(USER),
            proxy_user: text(PROXY_USER),
            delegation_token: options.secret(TOKEN),
            token_file: path(TOKEN_FILE),
            ticket_cache: text(TICKET_CACHE),
            principal: text(PRINCIPAL),
            keytab: path(KEYTAB),
            checksums: options.flag(CHECKSUMS)?.unwrap_or(true),
            tls: options.flag(TLS)?,
            ca_bundle: path(CA_BUNDLE),
            client_certificate: path(CLIENT_CERTIFICATE),
            insecure_tls: options.flag(INSECURE_TLS)?.unwrap_or(false),
            redirects: redirects.unwrap_or_default(),
        })
    }

    /// With the addresses of the NameNodes, or the URL of a gateway.
    #[must_use]
    pub fn with_addresses<T: Into<String>>(
        mut self,
        addresses: impl IntoIterator<Item = T>,
    ) -> Self {
        self.addresses = addresses.into_iter().map(Into::into).collect();
        self
    }

    /// With the directory of Hadoop's configuration.
    #[must_use]
    pub fn with_conf_dir(mut self, conf_dir: impl Into<Option<PathBuf>>) -> Self {
        self.conf_dir = conf_dir.into();
        self
    }

    /// As this user, where HDFS believes a name.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<Option<String>>) -> Self {
        self.user = user.into();
        self
    }

    /// For this user, as one who may read for others.
    #[must_use]
    pub fn with_proxy_user(mut self, proxy_user: impl Into<Option<String>>) -> Self {
        self.proxy_user = proxy_user.into();
        self
    }

    /// With a token that says who reads.
    #[must_use]
    pub fn with_delegation_token(mut self, token: impl Into<Option<Secret>>) -> Self {
        self.delegation_token = token.into();
        self
    }

    /// With the tickets in this cache, `FILE:/path` or a path.
    #[must_use]
    pub fn with_ticket_cache(mut self, ticket_cache: impl Into<Option<String>>) -> Self {
        self.ticket_cache = ticket_cache.into();
        self
    }

    /// With the key of this principal in a file of keys.
    #[must_use]
    pub fn with_keytab(mut self, keytab: impl Into<PathBuf>, principal: impl Into<String>) -> Self {
        self.keytab = Some(keytab.into());
        self.principal = Some(principal.into());
        self
    }

    /// With redirects to these hosts alone: `dn1.example`, `dn2.example:9864`, `*.data.example`.
    ///
    /// # Errors
    /// `InvalidInput` for a list without hosts.
    pub fn with_datanode_hosts(mut self, hosts: &str) -> Result<Self> {
        self.redirects = RedirectRule::list(hosts)?;
        Ok(self)
    }

    /// With HDFS's checksum of each file, or without.
    #[must_use]
    pub fn with_checksums(mut self, checksums: bool) -> Self {
        self.checksums = checksums;
        self
    }

    /// With TLS for `hdfs:`, or without.
    #[must_use]
    pub fn with_tls(mut self, tls: impl Into<Option<bool>>) -> Self {
        self.tls = tls.into();
        self
    }

    pub(crate) fn client(&self) -> ClientConfig {
        ClientConfig::new()
            .with_ca_bundle(self.ca_bundle.clone())
            .with_client_certificate(self.client_certificate.clone())
            .with_insecure_tls(self.insecure_tls)
    }
}

fn split(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use mlfetch_store::ErrorKind;

    use super::*;

    #[test]
    fn every_option_has_its_variable_first_and_only_the_token_is_secret() {
        for spec in OPTIONS {
            let variable = format!("MLFETCH_{}", spec.name.to_uppercase().replace('-', "_"));
            assert_eq!(spec.env[0], variable);
            assert_eq!(spec.secret, spec.name == TOKEN);
        }
    }

    #[test]
    fn hadoop_s_and_mlflow_s_variables_count() {
        let options = Options::new().with_env(OPTIONS, |name| {
            let value = match name {
                "HADOOP_CONF_DIR" => "/etc/hadoop",
                "MLFLOW_KERBEROS_USER" => "mlflow",
                "HADOOP_PROXY_USER" => "bob",
                "HADOOP_TOKEN_FILE_LOCATION" => "/run/tokens",
                "MLFETCH_DELEGATION_TOKEN" => "s3cret-token",
                "MLFETCH_WEBHDFS_ADDRESS" => "http://a:1, b:2",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let config = WebHdfsConfig::from_options(&options).expect("settings");
        assert_eq!(config.conf_dir, Some(PathBuf::from("/etc/hadoop")));
        assert_eq!(config.user.as_deref(), Some("mlflow"));
        assert_eq!(config.proxy_user.as_deref(), Some("bob"));
        assert_eq!(config.token_file, Some(PathBuf::from("/run/tokens")));
        assert_eq!(config.addresses, ["http://a:1", "b:2"]);
        assert!(config.delegation_token.is_some() && config.checksums);
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn a_value_that_cannot_be_is_named() {
        for (name, value) in [(TLS, "perhaps"), (CHECKSUMS, "x"), (DATANODE_HOSTS, ",")] {
            let error = WebHdfsConfig::from_options(&Options::new().with(name, value));
            let error = error.expect_err("no such value");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
