//! The settings, from code or as rows.

use std::path::PathBuf;

use mlfetch_http::Url;
use mlfetch_store::{Error, ErrorKind, OptionSpec, Options, Result, bare_address};

const CREDENTIALS: &str = "gcs-credentials";
const CONFIG_DIRECTORY: &str = "gcs-config-directory";
const METADATA_HOST: &str = "gcs-metadata-host";
const ANONYMOUS: &str = "gcs-anonymous";
const ENDPOINT: &str = "gcs-endpoint";
const EMULATOR_HOST: &str = "gcs-emulator-host";
const USER_PROJECT: &str = "gcs-user-project";
const QUOTA_PROJECT: &str = "gcs-quota-project";
const GENERATION: &str = "gcs-generation";
const CA_BUNDLE: &str = "gcs-ca-bundle";
const INSECURE_TLS: &str = "gcs-insecure-tls";

/// Google's own server.
const GOOGLE: &str = "https://storage.googleapis.com";

/// The settings, as rows.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    row(
        CREDENTIALS,
        &["MLFETCH_GCS_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"],
        Some("gcloud's file, then the metadata server, then nobody"),
        "JSON file of credentials: a service account, a user, an external account, impersonation",
    ),
    row(
        CONFIG_DIRECTORY,
        &["MLFETCH_GCS_CONFIG_DIRECTORY", "CLOUDSDK_CONFIG"],
        Some("~/.config/gcloud"),
        "directory in which gcloud keeps application_default_credentials.json",
    ),
    row(
        METADATA_HOST,
        &["MLFETCH_GCS_METADATA_HOST", "GCE_METADATA_HOST"],
        Some("169.254.169.254"),
        "host of the metadata server, which gives tokens on Google's machines",
    ),
    row(
        ANONYMOUS,
        &["MLFETCH_GCS_ANONYMOUS"],
        Some("false"),
        "ask without credentials, for public buckets",
    ),
    row(
        ENDPOINT,
        &["MLFETCH_GCS_ENDPOINT", "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"],
        Some(GOOGLE),
        "URL of the server, for private endpoints",
    ),
    row(
        EMULATOR_HOST,
        &["MLFETCH_GCS_EMULATOR_HOST", "STORAGE_EMULATOR_HOST"],
        None,
        "URL or host:port of an emulator, which is asked without credentials",
    ),
    row(
        USER_PROJECT,
        &["MLFETCH_GCS_USER_PROJECT"],
        None,
        "project that pays for the requests, where a bucket wants that of its readers",
    ),
    row(
        QUOTA_PROJECT,
        &["MLFETCH_GCS_QUOTA_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT"],
        Some("the one that the credentials name"),
        "project whose quota the requests count against",
    ),
    row(
        GENERATION,
        &["MLFETCH_GCS_GENERATION"],
        Some("the current one"),
        "generation of the one object that the URI names",
    ),
    row(
        CA_BUNDLE,
        &["MLFETCH_GCS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"],
        Some("the platform's certificate authorities"),
        "PEM file of the certificate authorities to trust",
    ),
    row(
        INSECURE_TLS,
        &["MLFETCH_GCS_INSECURE_TLS"],
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

/// How a bucket is reached, and as whom.
///
/// ```
/// use mlfetch_gcs::GcsConfig;
/// let config = GcsConfig::new().with_emulator_host("localhost:4443".to_owned());
/// assert!(config.emulator_host.is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GcsConfig {
    /// A file of credentials, instead of looking for some.
    pub credentials: Option<PathBuf>,
    /// The directory of gcloud's settings.
    pub config_directory: Option<PathBuf>,
    /// The host of the metadata server.
    pub metadata_host: Option<String>,
    /// Ask without credentials.
    pub anonymous: bool,
    /// The URL of the server, instead of Google's public one.
    pub endpoint: Option<String>,
    /// An emulator, which is never shown a credential.
    pub emulator_host: Option<String>,
    /// The project that pays for the requests.
    pub user_project: Option<String>,
    /// The project whose quota the requests count against.
    pub quota_project: Option<String>,
    /// A PEM file of certificate authorities to trust instead of the platform's.
    pub ca_bundle: Option<PathBuf>,
    /// Accept any server certificate. Off unless somebody asked for it.
    pub insecure_tls: bool,
}

impl GcsConfig {
    /// Google's server, and whoever the machine's own credentials say.
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
        let yes = |name| options.flag(name).map(|given| given.unwrap_or(false));
        Ok(Self {
            credentials: path(CREDENTIALS),
            config_directory: path(CONFIG_DIRECTORY),
            metadata_host: text(METADATA_HOST),
            anonymous: yes(ANONYMOUS)?,
            endpoint: text(ENDPOINT),
            emulator_host: text(EMULATOR_HOST),
            user_project: text(USER_PROJECT),
            quota_project: text(QUOTA_PROJECT),
            ca_bundle: path(CA_BUNDLE),
            insecure_tls: yes(INSECURE_TLS)?,
        })
    }

    /// With a file of credentials.
    #[must_use]
    pub fn with_credentials(mut self, path: impl Into<Option<PathBuf>>) -> Self {
        self.credentials = path.into();
        self
    }

    /// Without credentials, or with.
    #[must_use]
    pub fn with_anonymous(mut self, anonymous: bool) -> Self {
        self.anonymous = anonymous;
        self
    }

    /// With the URL of the server.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<Option<String>>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// With an emulator instead of a server.
    #[must_use]
    pub fn with_emulator_host(mut self, host: impl Into<Option<String>>) -> Self {
        self.emulator_host = host.into();
        self
    }

    /// With the project that pays for the requests.
    #[must_use]
    pub fn with_user_project(mut self, project: impl Into<Option<String>>) -> Self {
        self.user_project = project.into();
        self
    }

    /// Whether nobody is to be signed in, whatever credentials there are.
    pub(crate) fn is_nobody(&self) -> bool {
        self.anonymous || self.emulator_host.is_some()
    }

    /// The server's URL, without a `/` at its end.
    ///
    /// # Errors
    /// `InvalidInput`, naming the setting, for a text that is no such URL.
    pub(crate) fn server(&self) -> Result<String> {
        let (name, text) = match (&self.emulator_host, &self.endpoint) {
            // As Google's libraries take it: a host alone speaks HTTP.
            (Some(host), _) if !host.contains("://") => (EMULATOR_HOST, format!("http://{host}")),
            (Some(url), _) => (EMULATOR_HOST, url.clone()),
            (None, Some(url)) => (ENDPOINT, url.clone()),
            (None, None) => (ENDPOINT, GOOGLE.to_owned()),
        };
        let url = check_server(name, &text)?;
        // gcloud's own variable names the API in it, and other APIs have other names.
        let url = url.trim_end_matches('/');
        Ok(url.strip_suffix("/storage/v1").unwrap_or(url).to_owned())
    }
}

/// The generation of the one object that a location names.
///
/// # Errors
/// `InvalidInput` for a text that is no number.
pub(crate) fn generation(options: &Options) -> Result<Option<String>> {
    match options.text(GENERATION) {
        Some(text) if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(wrong(GENERATION, "a generation is a number"))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

fn check_server(name: &'static str, text: &str) -> Result<String> {
    let why = match Url::parse(text) {
        Err(_) => "it is no URL",
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            "it does not begin with `http://` or `https://`"
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "user and password do not belong there"
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            "a query does not belong there"
        }
        Ok(url) => return Ok(url.to_string()),
    };
    let shown = bare_address(text);
    Err(wrong(name, why).with_hint(format!("`{shown}` should be like `https://host`")))
}

fn wrong(name: &'static str, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "use the option", name).with_message(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<GcsConfig> {
        let options = pairs.iter().fold(Options::new(), |all, (k, v)| all.with(*k, *v));
        GcsConfig::from_options(&options)
    }

    #[test]
    fn every_option_has_the_backend_s_prefix_and_its_variable_first() {
        for spec in OPTIONS {
            let variable = format!("MLFETCH_{}", spec.name.to_uppercase().replace('-', "_"));
            assert_eq!(spec.env[0], variable);
            assert!(spec.name.starts_with("gcs-") && !spec.secret);
        }
    }

    #[test]
    fn google_s_variables_count() {
        let options = Options::new().with_env(OPTIONS, |name| {
            let value = match name {
                "GOOGLE_APPLICATION_CREDENTIALS" => "/key.json",
                "CLOUDSDK_CONFIG" => "/gcloud",
                "GCE_METADATA_HOST" => "127.0.0.1:1",
                "STORAGE_EMULATOR_HOST" => "http://localhost:4443",
                "GOOGLE_CLOUD_QUOTA_PROJECT" => "quota",
                "REQUESTS_CA_BUNDLE" => "/ca.pem",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let config = GcsConfig::from_options(&options).expect("settings");
        assert_eq!(config.credentials, Some(PathBuf::from("/key.json")));
        assert_eq!(config.config_directory, Some(PathBuf::from("/gcloud")));
        assert_eq!(config.metadata_host.as_deref(), Some("127.0.0.1:1"));
        assert_eq!(config.quota_project.as_deref(), Some("quota"));
        assert_eq!(config.ca_bundle, Some(PathBuf::from("/ca.pem")));
        assert!(config.is_nobody());
    }

    #[test]
    fn the_server_is_google_s_an_endpoint_or_an_emulator() {
        for (pairs, server) in [
            (&[][..], GOOGLE),
            (&[(ENDPOINT, "https://x.p.googleapis.com/storage/v1/")], "https://x.p.googleapis.com"),
            (&[(ENDPOINT, "https://x/base/")], "https://x/base"),
            (&[(EMULATOR_HOST, "localhost:4443")], "http://localhost:4443"),
            (&[(EMULATOR_HOST, "https://fake:1"), (ENDPOINT, "https://x")], "https://fake:1"),
        ] {
            assert_eq!(config(pairs).and_then(|config| config.server()).expect("a URL"), server);
        }
    }

    #[test]
    fn a_value_that_cannot_be_is_named_and_a_password_is_not_shown() {
        for (name, value) in [
            (ENDPOINT, "storage.example"),
            (ENDPOINT, "ftp://h"),
            (ENDPOINT, "https://user:s3cret@h"),
            (ENDPOINT, "https://h/?x=1"),
            (EMULATOR_HOST, "http://"),
            (ANONYMOUS, "perhaps"),
        ] {
            let error = config(&[(name, value)]).and_then(|config| config.server());
            let error = error.expect_err(value);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let text = format!("{error} {:?}", error.hint());
            assert!(text.contains(name) && !text.contains("s3cret"), "{text}");
        }
        let error = generation(&Options::new().with(GENERATION, "latest")).expect_err("no number");
        assert!(error.to_string().contains(GENERATION), "{error}");
    }
}
