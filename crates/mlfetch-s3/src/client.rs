//! What the buckets of one account share: connections, credentials, settings.

use std::sync::Arc;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_types::service_config::ServiceConfigKey;
use http::Uri;
use mlfetch_store::{Error, ErrorKind, Result, bare_address};

use crate::S3Config;
use crate::credentials::KeyRing;
use crate::endpoint::Route;
use crate::transport::{SdkHttp, Tls, Transport};

/// The region that is asked first if nobody names one; a bucket elsewhere says where it is.
const FIRST_REGION: &str = "us-east-1";

/// What the buckets of one account share.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) config: S3Config,
    pub(crate) transport: Transport,
    pub(crate) ring: KeyRing,
    pub(crate) region: String,
    endpoint_url: Option<String>,
    dual_stack: bool,
    fips: bool,
}

impl Client {
    /// Reads AWS's variables and files, and takes what `config` says over them. Asks no server.
    ///
    /// # Errors
    /// `InvalidInput` for an endpoint or a PEM file that is none.
    pub(crate) async fn load(config: S3Config, sdk: Option<&SdkConfig>) -> Result<Arc<Self>> {
        let sdk = match sdk {
            Some(sdk) => sdk.clone(),
            None => load_sdk(&config).await,
        };
        let endpoint_url = config.endpoint_url.clone().or_else(|| endpoint_url_of(&sdk));
        if let Some(url) = &endpoint_url {
            check_endpoint(url)?;
        }
        let plain = endpoint_url.as_deref().is_some_and(|url| url.starts_with("http://"));
        let provider = sdk.credentials_provider().filter(|_| !config.no_sign_request);
        let region = config.region.clone().or_else(|| sdk.region().map(ToString::to_string));
        Ok(Arc::new(Self {
            transport: Transport::new(&tls(&config, plain))?,
            ring: KeyRing::new(provider),
            region: region.unwrap_or_else(|| FIRST_REGION.to_owned()),
            endpoint_url,
            dual_stack: config.dual_stack.or(sdk.use_dual_stack()).unwrap_or(false),
            fips: config.fips.or(sdk.use_fips()).unwrap_or(false),
            config,
        }))
    }

    /// What decides where a bucket is.
    pub(crate) fn route(&self, bucket: &str) -> Route {
        Route {
            bucket: bucket.to_owned(),
            endpoint_url: self.endpoint_url.clone(),
            addressing: self.config.addressing,
            dual_stack: self.dual_stack,
            fips: self.fips,
            accelerate: self.config.accelerate,
        }
    }
}

/// AWS's own settings, over our connections. The region is taken from variables and profile only:
/// the metadata of an instance, which is not there elsewhere, would be waited for in vain.
async fn load_sdk(config: &S3Config) -> SdkConfig {
    let mut of_profile = ProfileFileRegionProvider::builder();
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = &config.profile {
        of_profile = of_profile.profile_name(profile);
        loader = loader.profile_name(profile);
    }
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(of_profile.build())
        .or_else(FIRST_REGION);
    // Whoever accepts any certificate of a bucket's server does not do so for those of AWS.
    let tls = config.ca_bundle.clone().map_or(Tls::Platform, Tls::Bundle);
    loader.region(region).http_client(SdkHttp::new(tls)).load().await
}

/// `AWS_ENDPOINT_URL_S3` and the `services` of the profile, then what holds for all services.
fn endpoint_url_of(sdk: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let of_s3 = sdk.service_config().zip(key.ok()).and_then(|(all, key)| all.load_config(key));
    of_s3.or_else(|| sdk.endpoint_url().map(str::to_owned))
}

fn tls(config: &S3Config, plain: bool) -> Tls {
    match &config.ca_bundle {
        _ if config.ignore_tls => Tls::Anybody,
        Some(path) => Tls::Bundle(path.clone()),
        None if plain => Tls::Unused,
        None => Tls::Platform,
    }
}

fn check_endpoint(url: &str) -> Result<()> {
    let wrong = |why: &'static str| {
        Error::new(ErrorKind::InvalidInput, "use the endpoint", bare_address(url))
            .with_message(why)
            .with_hint("write `https://host` or `http://host:port`")
    };
    let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
    let authority = uri.authority().map(http::uri::Authority::as_str);
    match (uri.scheme_str(), authority) {
        (Some("http" | "https"), Some(host)) if host.contains('@') => {
            Err(wrong("user and password do not belong there"))
        }
        (Some("http" | "https"), Some(_)) if uri.query().is_some() => {
            Err(wrong("a query does not belong there"))
        }
        (Some("http" | "https"), Some(_)) => Ok(()),
        _ => Err(wrong("it does not begin with `http://` or `https://`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_and_nothing_more() {
        for url in ["http://127.0.0.1:9000", "https://s3.example/base"] {
            check_endpoint(url).expect("an endpoint");
        }
        for url in ["127.0.0.1:9000", "s3.example", "ftp://h", "http://u:p@h", "http://h/?x=1", ""]
        {
            let error = check_endpoint(url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(!error.to_string().contains("u:p"), "{error}");
        }
    }
}
