//! Where a bucket is. The rules are S3's own, as its SDK has them: names and ARNs, regions and
//! partitions, IPv6, FIPS, acceleration, directory buckets. They are asked once per bucket and
//! region, not per request.

use aws_sdk_s3::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use http::Uri;
use mlfetch_store::{Error, ErrorKind, Result, escape};

use crate::Addressing;
use crate::sign::Scope;

/// What decides where a bucket is, besides its region.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// A name or an ARN.
    pub(crate) bucket: String,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) addressing: Addressing,
    pub(crate) dual_stack: bool,
    pub(crate) fips: bool,
    pub(crate) accelerate: bool,
}

/// Where a bucket is, and for whom its requests are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// `https://host:port`.
    pub(crate) base: String,
    /// `host:port`, as it is signed.
    pub(crate) host: String,
    /// What stands before `/` and the key: empty, or `/bucket`.
    pub(crate) path: String,
    pub(crate) scope: Scope,
    pub(crate) service: String,
    /// Whether requests are signed with the keys of a session (directory buckets).
    pub(crate) session: bool,
}

impl Route {
    /// Where the bucket is if it is in `region`.
    ///
    /// # Errors
    /// `InvalidInput` for what contradicts itself.
    pub(crate) async fn endpoint(&self, region: &str) -> Result<Endpoint> {
        let params = Params::builder()
            .bucket(&self.bucket)
            .region(region)
            .set_endpoint(self.endpoint_url.clone())
            .force_path_style(self.in_path())
            .use_dual_stack(self.dual_stack)
            .use_fips(self.fips)
            .accelerate(self.accelerate)
            .use_arn_region(true)
            .build();
        let params = params.map_err(|cause| self.impossible(&cause.to_string()))?;
        let found = DefaultResolver::new().resolve_endpoint(&params).await;
        let found = found.map_err(|cause| self.impossible(&cause.to_string()))?;
        let uri: Uri = found.url().parse().map_err(|_| self.impossible("no such URL"))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.authority()) else {
            return Err(self.impossible("no such URL"));
        };
        let schemes = found.auth_schemes();
        // Where either will do, the one for a single region is far less work.
        let of_one = schemes.iter().find(|kind| kind.name() != "sigv4a");
        let Some(scheme_of_keys) = of_one.or(schemes.first()) else {
            return Err(self.impossible("nobody says how it is signed for"));
        };
        let named = |name| scheme_of_keys.get(name).and_then(|value| value.as_string());
        Ok(Endpoint {
            base: format!("{scheme}://{host}"),
            host: host.to_string(),
            path: uri.path().trim_end_matches('/').to_owned(),
            scope: match of_one {
                Some(_) => Scope::Region(named("signingRegion").unwrap_or(region).to_owned()),
                // The rules name a list here; of access points it is `*`.
                None => Scope::Regions("*".to_owned()),
            },
            service: named("signingName").unwrap_or("s3").to_owned(),
            session: scheme_of_keys.name() == "sigv4-s3express",
        })
    }

    /// As boto3 decides it, and MLflow with it.
    fn in_path(&self) -> bool {
        match self.addressing {
            _ if self.accelerate || self.bucket.starts_with("arn:") => false,
            Addressing::Path => true,
            Addressing::Virtual => false,
            Addressing::Auto => self.endpoint_url.is_some(),
        }
    }

    fn impossible(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::InvalidInput,
            "find",
            format!("s3://{}/", escape(self.bucket.as_bytes())),
        )
        .with_message(escape(why.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(bucket: &str) -> Route {
        Route {
            bucket: bucket.to_owned(),
            endpoint_url: None,
            addressing: Addressing::Auto,
            dual_stack: false,
            fips: false,
            accelerate: false,
        }
    }

    async fn url(route: Route, region: &str) -> String {
        let endpoint = route.endpoint(region).await.expect("an endpoint");
        format!("{}{}", endpoint.base, endpoint.path)
    }

    #[tokio::test]
    async fn a_bucket_is_in_the_host_s_name_at_amazon() {
        let plain = route("models");
        assert_eq!(
            url(plain.clone(), "eu-north-1").await,
            "https://models.s3.eu-north-1.amazonaws.com"
        );
        let china = url(plain.clone(), "cn-north-1").await;
        assert_eq!(china, "https://models.s3.cn-north-1.amazonaws.com.cn");
        let path = Route { addressing: Addressing::Path, ..plain };
        assert_eq!(url(path, "eu-north-1").await, "https://s3.eu-north-1.amazonaws.com/models");
    }

    #[tokio::test]
    async fn a_bucket_that_is_no_host_name_is_in_the_path() {
        for bucket in ["with.dots", "Upper_Case"] {
            let expected = format!("https://s3.us-east-1.amazonaws.com/{bucket}");
            assert_eq!(url(route(bucket), "us-east-1").await, expected);
        }
    }

    #[tokio::test]
    async fn a_bucket_is_in_the_path_at_another_server_unless_somebody_says_otherwise() {
        let endpoint_url = Some("http://127.0.0.1:9000/base/".to_owned());
        let auto = Route { endpoint_url, ..route("models") };
        assert_eq!(url(auto, "us-east-1").await, "http://127.0.0.1:9000/base/models");
        let endpoint_url = Some("https://s3.example:8443".to_owned());
        let hosted = Route { endpoint_url, addressing: Addressing::Virtual, ..route("models") };
        let endpoint = hosted.endpoint("eu").await.expect("an endpoint");
        assert_eq!(
            (endpoint.host.as_str(), endpoint.path.as_str()),
            ("models.s3.example:8443", "")
        );
        assert_eq!(endpoint.scope, Scope::Region("eu".to_owned()));
        assert_eq!(endpoint.service, "s3");
    }

    #[tokio::test]
    async fn ipv6_fips_and_acceleration_have_hosts_of_their_own() {
        let both = Route { dual_stack: true, fips: true, ..route("models") };
        let expected = "https://models.s3-fips.dualstack.us-east-1.amazonaws.com";
        assert_eq!(url(both, "us-east-1").await, expected);
        let fast = Route { accelerate: true, ..route("models") };
        assert_eq!(url(fast, "us-east-1").await, "https://models.s3-accelerate.amazonaws.com");
    }

    #[tokio::test]
    async fn an_access_point_is_in_the_region_of_its_arn() {
        let point = route("arn:aws:s3:eu-west-1:123456789012:accesspoint/mine");
        let endpoint = point.endpoint("us-east-1").await.expect("an endpoint");
        let expected = "https://mine-123456789012.s3-accesspoint.eu-west-1.amazonaws.com";
        assert_eq!(endpoint.base, expected);
        assert_eq!(endpoint.scope, Scope::Region("eu-west-1".to_owned()));
    }

    #[tokio::test]
    async fn a_multi_region_access_point_is_signed_for_all_of_its_regions() {
        let several = route("arn:aws:s3::123456789012:accesspoint/mine.mrap");
        let endpoint = several.endpoint("us-east-1").await.expect("an endpoint");
        assert_eq!(endpoint.base, "https://mine.mrap.accesspoint.s3-global.amazonaws.com");
        assert_eq!(endpoint.scope, Scope::Regions("*".to_owned()));
        let plain = route("models").endpoint("us-east-1").await.expect("an endpoint");
        assert_eq!(plain.scope, Scope::Region("us-east-1".to_owned()));
    }

    #[tokio::test]
    async fn a_directory_bucket_has_sessions() {
        let endpoint = route("models--use1-az4--x-s3").endpoint("us-east-1").await;
        let endpoint = endpoint.expect("an endpoint");
        assert!(endpoint.session);
        assert_eq!(endpoint.service, "s3express");
        assert!(endpoint.base.contains("s3express-use1-az4"), "{}", endpoint.base);
    }

    #[tokio::test]
    async fn what_cannot_be_is_said_before_any_request() {
        let fips = Route { fips: true, accelerate: true, ..route("models") };
        let error = fips.endpoint("us-east-1").await.expect_err("contradicts itself");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = route("models").endpoint("no region").await.expect_err("no region");
        assert!(error.to_string().contains("egion"), "{error}");
    }
}
