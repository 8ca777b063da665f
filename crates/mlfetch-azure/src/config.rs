//! The settings, from code or as rows.

use std::path::PathBuf;

use mlfetch_http::{ClientConfig, Url};
use mlfetch_store::{Error, ErrorKind, OptionSpec, Options, Result, Secret};

use crate::RangeChecksum;

const ACCOUNT: &str = "azure-account";
const ENDPOINT: &str = "azure-endpoint";
const CONNECTION_STRING: &str = "azure-connection-string";
const ACCESS_KEY: &str = "azure-access-key";
const SAS_TOKEN: &str = "azure-sas-token";
const ANONYMOUS: &str = "azure-anonymous";
const TENANT_ID: &str = "azure-tenant-id";
const CLIENT_ID: &str = "azure-client-id";
const CLIENT_SECRET: &str = "azure-client-secret";
const CLIENT_CERTIFICATE: &str = "azure-client-certificate";
const FEDERATED_TOKEN_FILE: &str = "azure-federated-token-file";
const AUTHORITY_HOST: &str = "azure-authority-host";
const METADATA_HOST: &str = "azure-metadata-host";
const VERSION_ID: &str = "azure-version-id";
const SNAPSHOT: &str = "azure-snapshot";
const RANGE_CHECKSUM: &str = "azure-range-checksum";
const CA_BUNDLE: &str = "azure-ca-bundle";
const INSECURE_TLS: &str = "azure-insecure-tls";

/// The settings, as rows. Azure's own variables come second, so that mlfetch can have others.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    text(
        ACCOUNT,
        &["MLFETCH_AZURE_ACCOUNT", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"],
        Some("the connection string's"),
        "storage account of az:// locations",
    ),
    text(
        ENDPOINT,
        &["MLFETCH_AZURE_ENDPOINT"],
        Some("the connection string's, or the account's own"),
        "URL of the blob service: a private host, or an emulator with the account in its path",
    ),
    secret(
        CONNECTION_STRING,
        &["MLFETCH_AZURE_CONNECTION_STRING", "AZURE_STORAGE_CONNECTION_STRING"],
        "connection string of a storage account",
    ),
    secret(
        ACCESS_KEY,
        &["MLFETCH_AZURE_ACCESS_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_KEY"],
        "access key of the storage account",
    ),
    secret(
        SAS_TOKEN,
        &["MLFETCH_AZURE_SAS_TOKEN", "AZURE_STORAGE_SAS_TOKEN"],
        "shared access signature; one in the URI counts before it",
    ),
    text(
        ANONYMOUS,
        &["MLFETCH_AZURE_ANONYMOUS"],
        Some("false"),
        "ask without credentials, for public containers",
    ),
    text(
        TENANT_ID,
        &["MLFETCH_AZURE_TENANT_ID", "AZURE_TENANT_ID"],
        None,
        "Entra ID tenant of the client",
    ),
    text(
        CLIENT_ID,
        &["MLFETCH_AZURE_CLIENT_ID", "AZURE_CLIENT_ID"],
        None,
        "Entra ID client: a service principal, or a managed identity that somebody assigned",
    ),
    secret(
        CLIENT_SECRET,
        &["MLFETCH_AZURE_CLIENT_SECRET", "AZURE_CLIENT_SECRET"],
        "secret of the service principal",
    ),
    text(
        CLIENT_CERTIFICATE,
        &["MLFETCH_AZURE_CLIENT_CERTIFICATE", "AZURE_CLIENT_CERTIFICATE_PATH"],
        None,
        "PEM file with the service principal's certificate and its RSA key",
    ),
    text(
        FEDERATED_TOKEN_FILE,
        &["MLFETCH_AZURE_FEDERATED_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"],
        None,
        "file with the token of a workload identity",
    ),
    text(
        AUTHORITY_HOST,
        &["MLFETCH_AZURE_AUTHORITY_HOST", "AZURE_AUTHORITY_HOST"],
        Some("that of the account's cloud"),
        "URL of Entra ID",
    ),
    text(
        METADATA_HOST,
        &["MLFETCH_AZURE_METADATA_HOST", "AZURE_POD_IDENTITY_AUTHORITY_HOST"],
        Some("http://169.254.169.254"),
        "URL of the service that gives a managed identity its tokens",
    ),
    text(
        VERSION_ID,
        &["MLFETCH_AZURE_VERSION_ID"],
        Some("the current one"),
        "version of the one blob that the URI names",
    ),
    text(
        SNAPSHOT,
        &["MLFETCH_AZURE_SNAPSHOT"],
        Some("the blob itself"),
        "snapshot of the one blob that the URI names, by its time",
    ),
    text(
        RANGE_CHECKSUM,
        &["MLFETCH_AZURE_RANGE_CHECKSUM"],
        Some("crc64"),
        "checksum that the service computes over what it sends of a blob without one: crc64 or md5",
    ),
    text(
        CA_BUNDLE,
        &["MLFETCH_AZURE_CA_BUNDLE", "REQUESTS_CA_BUNDLE"],
        Some("the platform's certificate authorities"),
        "PEM file of the certificate authorities to trust",
    ),
    text(
        INSECURE_TLS,
        &["MLFETCH_AZURE_INSECURE_TLS"],
        Some("false"),
        "accept any certificate of the blob service",
    ),
];

const fn text(
    name: &'static str,
    env: &'static [&'static str],
    default: Option<&'static str>,
    help: &'static str,
) -> OptionSpec {
    OptionSpec { name, env, secret: false, default, help }
}

const fn secret(
    name: &'static str,
    env: &'static [&'static str],
    help: &'static str,
) -> OptionSpec {
    OptionSpec { name, env, secret: true, default: None, help }
}

/// How an account is reached, and who asks.
///
/// ```
/// use mlfetch_azure::AzureConfig;
/// let config = AzureConfig::new().with_anonymous(true);
/// assert!(config.anonymous && config.access_key.is_none());
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AzureConfig {
    /// The account of `az:` locations.
    pub account: Option<String>,
    /// The URL of the blob service, instead of the account's own.
    pub endpoint: Option<String>,
    /// A connection string: an endpoint, and a key or a shared access signature.
    pub connection_string: Option<Secret>,
    /// The account's key.
    pub access_key: Option<Secret>,
    /// A shared access signature.
    pub sas_token: Option<Secret>,
    /// Ask without credentials.
    pub anonymous: bool,
    /// Who asks Entra ID for a token.
    pub identity: IdentityConfig,
    /// Which checksum the service is asked to compute over ranges of a blob.
    pub range_checksum: RangeChecksum,
    /// A PEM file of certificate authorities to trust instead of the platform's.
    pub ca_bundle: Option<PathBuf>,
    /// Accept any certificate of the blob service. Off unless somebody asked for it.
    pub insecure_tls: bool,
}

/// Who asks Entra ID for a token. What is not set is passed over.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct IdentityConfig {
    /// The tenant.
    pub tenant_id: Option<String>,
    /// The client: a service principal, or a managed identity that somebody assigned.
    pub client_id: Option<String>,
    /// The service principal's secret.
    pub client_secret: Option<Secret>,
    /// A PEM file with the service principal's certificate and its RSA key.
    pub client_certificate: Option<PathBuf>,
    /// A file with the token of a workload identity.
    pub federated_token_file: Option<PathBuf>,
    /// The URL of Entra ID, instead of the one of the account's cloud.
    pub authority_host: Option<String>,
    /// The URL of the service that gives a managed identity its tokens, instead of the machine's.
    pub metadata_host: Option<String>,
}

impl AzureConfig {
    /// Nothing is set.
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
        Ok(Self {
            account: text(ACCOUNT),
            endpoint: text(ENDPOINT),
            connection_string: options.secret(CONNECTION_STRING),
            access_key: options.secret(ACCESS_KEY),
            sas_token: options.secret(SAS_TOKEN),
            anonymous: options.flag(ANONYMOUS)?.unwrap_or(false),
            identity: IdentityConfig {
                tenant_id: text(TENANT_ID),
                client_id: text(CLIENT_ID),
                client_secret: options.secret(CLIENT_SECRET),
                client_certificate: path(CLIENT_CERTIFICATE),
                federated_token_file: path(FEDERATED_TOKEN_FILE),
                authority_host: text(AUTHORITY_HOST),
                metadata_host: metadata_host(options)?,
            },
            range_checksum: match options.text(RANGE_CHECKSUM) {
                Some(text) => RangeChecksum::read(RANGE_CHECKSUM, text)?,
                None => RangeChecksum::default(),
            },
            ca_bundle: path(CA_BUNDLE),
            insecure_tls: options.flag(INSECURE_TLS)?.unwrap_or(false),
        })
    }

    /// With the URL of the blob service.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<Option<String>>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// With a connection string.
    #[must_use]
    pub fn with_connection_string(mut self, connection_string: impl Into<Option<Secret>>) -> Self {
        self.connection_string = connection_string.into();
        self
    }

    /// With the account's key.
    #[must_use]
    pub fn with_access_key(mut self, access_key: impl Into<Option<Secret>>) -> Self {
        self.access_key = access_key.into();
        self
    }

    /// With a shared access signature.
    #[must_use]
    pub fn with_sas_token(mut self, sas_token: impl Into<Option<Secret>>) -> Self {
        self.sas_token = sas_token.into();
        self
    }

    /// Without credentials, or with.
    #[must_use]
    pub fn with_anonymous(mut self, anonymous: bool) -> Self {
        self.anonymous = anonymous;
        self
    }

    /// With the checksum that the service is asked to compute over ranges of a blob.
    #[must_use]
    pub fn with_range_checksum(mut self, range_checksum: RangeChecksum) -> Self {
        self.range_checksum = range_checksum;
        self
    }

    /// How to connect to the blob service.
    pub(crate) fn connections(&self) -> ClientConfig {
        self.connections_of_others().with_insecure_tls(self.insecure_tls)
    }

    /// How to connect to Entra ID: whoever accepts any certificate of a store does not do so there.
    pub(crate) fn connections_of_others(&self) -> ClientConfig {
        ClientConfig::new().with_ca_bundle(self.ca_bundle.clone())
    }

    /// All that tells two settings apart.
    fn parts(&self) -> impl PartialEq {
        let secrets = [
            &self.connection_string,
            &self.access_key,
            &self.sas_token,
            &self.identity.client_secret,
        ];
        let secrets = secrets.map(|secret| secret.as_ref().map(|text| text.expose().to_owned()));
        let identity = &self.identity;
        let files = [&self.ca_bundle, &identity.client_certificate, &identity.federated_token_file];
        let texts = [
            &self.account,
            &self.endpoint,
            &identity.tenant_id,
            &identity.client_id,
            &identity.authority_host,
            &identity.metadata_host,
        ];
        (
            secrets,
            files.map(Clone::clone),
            texts.map(Clone::clone),
            self.anonymous,
            self.range_checksum,
            self.insecure_tls,
        )
    }
}

impl PartialEq for AzureConfig {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

fn metadata_host(options: &Options) -> Result<Option<String>> {
    let Some(text) = options.text(METADATA_HOST) else { return Ok(None) };
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(text.to_owned())),
        _ => Err(Error::new(ErrorKind::InvalidInput, "read the option", METADATA_HOST)
            .with_message("it must be a URL such as http://169.254.169.254")),
    }
}

/// The version and the snapshot of the one blob that a location names.
pub(crate) fn version_and_snapshot(options: &Options) -> (Option<&str>, Option<&str>) {
    (options.text(VERSION_ID), options.text(SNAPSHOT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_its_variable_first() {
        for spec in OPTIONS {
            let variable = format!("MLFETCH_{}", spec.name.to_uppercase().replace('-', "_"));
            assert_eq!(spec.env[0], variable);
            assert!(spec.name.starts_with("azure-"));
        }
    }

    #[test]
    fn azure_s_own_variables_count() {
        let options = Options::new().with_env(OPTIONS, |name| {
            let value = match name {
                "AZURE_STORAGE_ACCOUNT_NAME" => "models",
                "AZURE_STORAGE_CONNECTION_STRING" => "AccountName=models",
                "AZURE_STORAGE_ACCESS_KEY" => "a2V5",
                "AZURE_STORAGE_SAS_TOKEN" => "?sv=1&sig=s",
                "AZURE_CLIENT_CERTIFICATE_PATH" => "/client.pem",
                "REQUESTS_CA_BUNDLE" => "/ca.pem",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let config = AzureConfig::from_options(&options).expect("settings");
        assert_eq!(config.account.as_deref(), Some("models"));
        assert_eq!(config.access_key.as_ref().map(Secret::expose), Some("a2V5"));
        assert_eq!(config.identity.client_certificate, Some(PathBuf::from("/client.pem")));
        assert_eq!(config.ca_bundle, Some(PathBuf::from("/ca.pem")));
        assert!(config.connection_string.is_some() && config.sas_token.is_some());
        assert!(!format!("{config:?}").contains("a2V5"));
    }

    #[test]
    fn settings_are_the_same_when_their_secrets_are() {
        let with = |key: &str| AzureConfig::new().with_access_key(Secret::new(key));
        assert_eq!(with("a"), with("a"));
        assert_ne!(with("a"), with("b"));
        assert_ne!(with("a"), AzureConfig::new());
    }

    #[test]
    fn a_value_that_cannot_be_is_named() {
        for name in [ANONYMOUS, INSECURE_TLS, METADATA_HOST, RANGE_CHECKSUM] {
            let error = AzureConfig::from_options(&Options::new().with(name, "perhaps"));
            assert!(error.expect_err("no such value").to_string().contains(name));
        }
    }
}
