//! Where an account's blobs are.

use mlfetch_http::Url;
use mlfetch_store::{Error, ErrorKind, Result, bare_address};

use crate::AzureConfig;
use crate::connection_string::ConnectionString;
use crate::location::{Place, cloud_of};

/// The URL of a blob service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Without a `/` at its end.
    pub(crate) base: String,
    /// The account's name, where it is known.
    pub(crate) account: Option<String>,
    /// The domain of the account's cloud, if it is in one of Azure's.
    pub(crate) cloud: Option<&'static str>,
}

impl Endpoint {
    /// What somebody named counts before what the URI says, as MLflow has it for connection strings.
    /// `given` is one that is good for the account.
    ///
    /// # Errors
    /// `InvalidInput` where nothing names an account, for a host that is not Azure's and that only
    /// the URI names, and for a URL that is none.
    pub(crate) fn find(
        config: &AzureConfig,
        given: Option<&ConnectionString>,
        place: &Place,
    ) -> Result<Self> {
        let of_string = given.and_then(|given| given.account.as_ref());
        let account = place.account.as_ref().or(config.account.as_ref()).or(of_string);
        let elsewhere = given.filter(|given| given.is_elsewhere());
        let named = config.endpoint.as_deref().or(elsewhere.map(|given| given.endpoint.as_str()));
        let base = match (named, &place.host, given, account) {
            (Some(url), ..) => url.trim_end_matches('/').to_owned(),
            (None, Some(host), ..) => format!("https://{host}"),
            (None, None, Some(given), _) => given.endpoint.clone(),
            (None, None, None, _) if place.account.is_some() => return Err(foreign(place)),
            (None, None, None, Some(name)) => format!("https://{name}.blob.core.windows.net"),
            (None, None, None, None) => return Err(no_account(place)),
        };
        let url = check(&base)?;
        let account = account.cloned().or_else(|| account_of(&url));
        Ok(Self { cloud: url.host_str().and_then(cloud_of), base, account })
    }

    /// Whether what is sent there can be read on the way.
    pub(crate) fn is_plain(&self) -> bool {
        !self.base.starts_with("https:")
    }
}

/// The account's name: the first part of an emulator's path, or of the host.
fn account_of(url: &Url) -> Option<String> {
    let of_path = url.path_segments().and_then(|mut parts| parts.next().map(str::to_owned));
    let of_host = || url.domain()?.split('.').next().map(str::to_owned);
    of_path.filter(|name| !name.is_empty()).or_else(of_host)
}

fn check(base: &str) -> Result<Url> {
    let wrong = |why: &'static str| {
        Error::new(ErrorKind::InvalidInput, "use the endpoint", bare_address(base))
            .with_message(why)
            .with_hint("write `https://host`, or `http://host:port/account` for an emulator")
    };
    let url = Url::parse(base).map_err(|_| wrong("it is no URL"))?;
    match url.scheme() {
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
            Err(wrong("user and password do not belong there"))
        }
        "http" | "https" if url.query().is_some() || url.fragment().is_some() => {
            Err(wrong("a query does not belong there"))
        }
        "http" | "https" => Ok(url),
        _ => Err(wrong("it does not begin with `http://` or `https://`")),
    }
}

fn foreign(place: &Place) -> Error {
    Error::new(ErrorKind::InvalidInput, "use the host of", place.container.clone())
        .with_message("it is not one of an account in Azure, and no credential is sent elsewhere")
        .with_hint("if it is where the data is, give its URL as `azure-endpoint`")
}

fn no_account(place: &Place) -> Error {
    Error::new(ErrorKind::InvalidInput, "open the container", place.container.clone())
        .with_message("nothing says in which storage account it is")
        .with_hint(
            "set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING, or write \
             wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/KEY",
        )
}

#[cfg(test)]
mod tests {
    use mlfetch_store::{Location, Secret};

    use super::*;

    const AZURITE: &str = "AccountName=dev;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/dev";

    fn find(config: &AzureConfig, uri: &str) -> Result<Endpoint> {
        let location = Location::parse(uri).expect("a location");
        let given = config.connection_string.as_ref();
        let given = given.map(|text| ConnectionString::parse(text).expect("a connection string"));
        Endpoint::find(config, given.as_ref(), &Place::parse(&location).expect("a place"))
    }

    fn with_string(text: &str) -> AzureConfig {
        AzureConfig::new().with_connection_string(Secret::new(text))
    }

    #[test]
    fn the_uri_s_host_is_where_the_blobs_are() {
        let found = find(&AzureConfig::new(), "abfss://c@acc.dfs.core.chinacloudapi.cn/a");
        let found = found.expect("an endpoint");
        assert_eq!(found.base, "https://acc.blob.core.chinacloudapi.cn");
        assert_eq!(found.account.as_deref(), Some("acc"));
        assert_eq!(found.cloud, Some("core.chinacloudapi.cn"));
    }

    #[test]
    fn an_endpoint_that_somebody_named_counts_before_it() {
        let uri = "wasbs://c@acc.blob.core.windows.net/a";
        let config = AzureConfig::new().with_endpoint("https://private.example/".to_owned());
        assert_eq!(find(&config, uri).expect("an endpoint").base, "https://private.example");
        let found = find(&with_string(AZURITE), uri).expect("an endpoint");
        assert_eq!((found.base.as_str(), found.cloud), ("http://127.0.0.1:1/dev", None));
        assert_eq!(found.account.as_deref(), Some("acc"));
    }

    #[test]
    fn a_container_alone_is_in_the_account_of_the_environment() {
        let found = find(&with_string(AZURITE), "az://c/a").expect("an endpoint");
        assert_eq!(found.account.as_deref(), Some("dev"));
        let own =
            with_string("AccountName=a;AccountKey=a2V5;EndpointSuffix=core.usgovcloudapi.net");
        let found = find(&own, "az://c/a").expect("an endpoint");
        assert_eq!(found.base, "https://a.blob.core.usgovcloudapi.net");
        let account = AzureConfig { account: Some("b".to_owned()), ..AzureConfig::new() };
        let found = find(&account, "az://c/a").expect("an endpoint");
        assert_eq!(found.base, "https://b.blob.core.windows.net");
    }

    #[test]
    fn without_an_account_or_with_a_foreign_host_the_hint_says_what_to_set() {
        let error = find(&AzureConfig::new(), "az://c/a").expect_err("no account");
        assert!(error.hint().is_some_and(|hint| hint.contains("AZURE_STORAGE_ACCOUNT")));
        let error = find(&AzureConfig::new(), "wasbs://c@evil.example/a").expect_err("foreign");
        assert!(error.hint().is_some_and(|hint| hint.contains("azure-endpoint")));
    }

    #[test]
    fn an_endpoint_is_a_url_and_nothing_more() {
        for url in ["127.0.0.1:10000", "ftp://h", "http://u:s3cret@h", "https://h/?sig=s3cret", ""]
        {
            let config = AzureConfig::new().with_endpoint(url.to_owned());
            let error = find(&config, "az://c/a").expect_err(url);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
