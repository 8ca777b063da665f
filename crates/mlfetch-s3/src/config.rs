//! The settings, from code or as rows.

use std::path::PathBuf;

use mlfetch_store::{Error, ErrorKind, OptionSpec, Options, Result};

const REGION: &str = "region";
const ENDPOINT_URL: &str = "endpoint-url";
const PROFILE: &str = "aws-profile";
const NO_SIGN_REQUEST: &str = "no-sign-request";
const SIGNATURE_VERSION: &str = "s3-signature-version";
const ADDRESSING_STYLE: &str = "s3-addressing-style";
const REQUEST_PAYER: &str = "request-payer";
const EXPECTED_BUCKET_OWNER: &str = "expected-bucket-owner";
const VERSION_ID: &str = "version-id";
const CA_BUNDLE: &str = "s3-ca-bundle";
const IGNORE_TLS: &str = "s3-ignore-tls";
const DUAL_STACK: &str = "s3-dual-stack";
const FIPS: &str = "s3-fips";
const ACCELERATE: &str = "s3-accelerate";

/// The settings, as rows. Where a row names no default, AWS's own variables and files count.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    row(
        REGION,
        &["MLFETCH_REGION"],
        Some("AWS_REGION, the profile's, or what the bucket says"),
        "region of the bucket",
    ),
    row(
        ENDPOINT_URL,
        &["MLFETCH_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"],
        Some("AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or Amazon's"),
        "URL of a server that speaks S3",
    ),
    row(
        PROFILE,
        &["MLFETCH_AWS_PROFILE"],
        Some("AWS_PROFILE, or `default`"),
        "profile of ~/.aws/config",
    ),
    row(
        NO_SIGN_REQUEST,
        &["MLFETCH_NO_SIGN_REQUEST"],
        Some("false"),
        "ask without credentials, for public buckets",
    ),
    row(
        SIGNATURE_VERSION,
        &["MLFETCH_S3_SIGNATURE_VERSION", "MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION"],
        Some("s3v4"),
        "s3v4, or unsigned, which is the same as no-sign-request",
    ),
    row(
        ADDRESSING_STYLE,
        &["MLFETCH_S3_ADDRESSING_STYLE", "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE"],
        Some("auto"),
        "where the bucket's name stands: auto, path or virtual; auto is path with an endpoint URL",
    ),
    row(
        REQUEST_PAYER,
        &["MLFETCH_REQUEST_PAYER"],
        Some("false"),
        "pay for the requests, where a bucket wants that of its readers",
    ),
    row(
        EXPECTED_BUCKET_OWNER,
        &["MLFETCH_EXPECTED_BUCKET_OWNER", "MLFLOW_S3_EXPECTED_BUCKET_OWNER"],
        None,
        "account that must own the bucket",
    ),
    row(
        VERSION_ID,
        &["MLFETCH_VERSION_ID"],
        Some("the current one"),
        "version of the one object that the URI names",
    ),
    row(
        CA_BUNDLE,
        &["MLFETCH_S3_CA_BUNDLE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"],
        Some("the platform's certificate authorities"),
        "PEM file of the certificate authorities to trust",
    ),
    row(
        IGNORE_TLS,
        &["MLFETCH_S3_IGNORE_TLS", "MLFLOW_S3_IGNORE_TLS"],
        Some("false"),
        "accept any server certificate",
    ),
    row(
        DUAL_STACK,
        &["MLFETCH_S3_DUAL_STACK"],
        Some("AWS_USE_DUALSTACK_ENDPOINT, or false"),
        "use endpoints with IPv6",
    ),
    row(
        FIPS,
        &["MLFETCH_S3_FIPS"],
        Some("AWS_USE_FIPS_ENDPOINT, or false"),
        "use endpoints with validated cryptography",
    ),
    row(ACCELERATE, &["MLFETCH_S3_ACCELERATE"], Some("false"), "use Transfer Acceleration"),
];

const fn row(
    name: &'static str,
    env: &'static [&'static str],
    default: Option<&'static str>,
    help: &'static str,
) -> OptionSpec {
    OptionSpec { name, env, secret: false, default, help }
}

/// Where the bucket's name stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Addressing {
    /// As boto3 does it: in the path where an endpoint URL is given, in the host's name elsewhere.
    #[default]
    Auto,
    /// In the path: `https://endpoint/bucket/key`.
    Path,
    /// In the host's name: `https://bucket.endpoint/key`.
    Virtual,
}

/// How a bucket is reached. What is not set comes from AWS's own variables and files.
///
/// ```
/// use mlfetch_s3::S3Config;
/// let config = S3Config::new().with_region("eu-north-1".to_owned()).with_no_sign_request(true);
/// assert_eq!(config.region.as_deref(), Some("eu-north-1"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct S3Config {
    /// The region of the bucket; it is found out if it is not given or wrong.
    pub region: Option<String>,
    /// The URL of a server that speaks S3, instead of Amazon's.
    pub endpoint_url: Option<String>,
    /// A profile of `~/.aws/config`.
    pub profile: Option<String>,
    /// Ask without credentials.
    pub no_sign_request: bool,
    /// Where the bucket's name stands.
    pub addressing: Addressing,
    /// Pay for the requests.
    pub request_payer: bool,
    /// The account that must own the bucket.
    pub expected_bucket_owner: Option<String>,
    /// A PEM file of certificate authorities to trust instead of the platform's.
    pub ca_bundle: Option<PathBuf>,
    /// Accept any server certificate. Off unless somebody asked for it.
    pub ignore_tls: bool,
    /// Use endpoints with IPv6.
    pub dual_stack: Option<bool>,
    /// Use endpoints with validated cryptography.
    pub fips: Option<bool>,
    /// Use Transfer Acceleration.
    pub accelerate: bool,
}

impl S3Config {
    /// Everything as AWS's own variables and files say.
    pub fn new() -> Self {
        Self::default()
    }

    /// The settings that were given by name.
    ///
    /// # Errors
    /// `InvalidInput`, naming the setting, for a value that it cannot have.
    pub fn from_options(options: &Options) -> Result<Self> {
        let text = |name| options.text(name).map(str::to_owned);
        let yes = |name| options.flag(name).map(|given| given.unwrap_or(false));
        Ok(Self {
            region: text(REGION),
            endpoint_url: text(ENDPOINT_URL),
            profile: text(PROFILE),
            no_sign_request: yes(NO_SIGN_REQUEST)? || unsigned(options)?,
            addressing: addressing(options)?,
            request_payer: yes(REQUEST_PAYER)?,
            expected_bucket_owner: text(EXPECTED_BUCKET_OWNER),
            ca_bundle: options.text(CA_BUNDLE).map(PathBuf::from),
            ignore_tls: yes(IGNORE_TLS)?,
            dual_stack: options.flag(DUAL_STACK)?,
            fips: options.flag(FIPS)?,
            accelerate: yes(ACCELERATE)?,
        })
    }

    /// With the bucket's region.
    #[must_use]
    pub fn with_region(mut self, region: impl Into<Option<String>>) -> Self {
        self.region = region.into();
        self
    }

    /// With the URL of a server that speaks S3.
    #[must_use]
    pub fn with_endpoint_url(mut self, endpoint_url: impl Into<Option<String>>) -> Self {
        self.endpoint_url = endpoint_url.into();
        self
    }

    /// With a profile of `~/.aws/config`.
    #[must_use]
    pub fn with_profile(mut self, profile: impl Into<Option<String>>) -> Self {
        self.profile = profile.into();
        self
    }

    /// Without credentials, or with.
    #[must_use]
    pub fn with_no_sign_request(mut self, no_sign_request: bool) -> Self {
        self.no_sign_request = no_sign_request;
        self
    }

    /// With the bucket's name standing there.
    #[must_use]
    pub fn with_addressing(mut self, addressing: Addressing) -> Self {
        self.addressing = addressing;
        self
    }
}

/// The version of the one object that a location names.
pub(crate) fn version_id(options: &Options) -> Option<&str> {
    options.text(VERSION_ID)
}

fn unsigned(options: &Options) -> Result<bool> {
    match options.text(SIGNATURE_VERSION).map(str::to_ascii_lowercase).as_deref() {
        None | Some("s3v4" | "v4") => Ok(false),
        Some("unsigned") => Ok(true),
        Some(_) => Err(wrong(SIGNATURE_VERSION, "it must be one of s3v4, unsigned")),
    }
}

fn addressing(options: &Options) -> Result<Addressing> {
    match options.text(ADDRESSING_STYLE) {
        None | Some("auto") => Ok(Addressing::Auto),
        Some("path") => Ok(Addressing::Path),
        Some("virtual") => Ok(Addressing::Virtual),
        Some(_) => Err(wrong(ADDRESSING_STYLE, "it must be one of auto, path, virtual")),
    }
}

fn wrong(name: &'static str, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "use the option", name).with_message(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_its_variable_first() {
        for spec in OPTIONS {
            let variable = format!("MLFETCH_{}", spec.name.to_uppercase().replace('-', "_"));
            assert_eq!(spec.env[0], variable);
            assert!(!spec.secret);
        }
    }

    #[test]
    fn mlflow_s_variables_count() {
        let options = Options::new().with_env(OPTIONS, |name| {
            let value = match name {
                "MLFLOW_S3_ENDPOINT_URL" => "http://127.0.0.1:9000",
                "MLFLOW_S3_IGNORE_TLS" => "true",
                "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE" => "virtual",
                "MLFLOW_S3_EXPECTED_BUCKET_OWNER" => "123456789012",
                "MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION" => "UNSIGNED",
                "AWS_CA_BUNDLE" => "/ca.pem",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let config = S3Config::from_options(&options).expect("settings");
        assert_eq!(config.endpoint_url.as_deref(), Some("http://127.0.0.1:9000"));
        assert!(config.ignore_tls && config.no_sign_request);
        assert_eq!(config.addressing, Addressing::Virtual);
        assert_eq!(config.expected_bucket_owner.as_deref(), Some("123456789012"));
        assert_eq!(config.ca_bundle, Some(PathBuf::from("/ca.pem")));
        assert_eq!((config.fips, config.region), (None, None));
    }

    #[test]
    fn a_value_that_cannot_be_is_named() {
        for (name, value) in [
            (ADDRESSING_STYLE, "host"),
            (SIGNATURE_VERSION, "s3"),
            (IGNORE_TLS, "perhaps"),
            (FIPS, "perhaps"),
        ] {
            let error = S3Config::from_options(&Options::new().with(name, value));
            let error = error.expect_err("no such value");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
