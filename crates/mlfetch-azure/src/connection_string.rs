//! Connection strings: `Name=value;…` as the portal shows them.

use mlfetch_store::{Error, ErrorKind, Result, Secret};

use crate::location::{cloud_of, label};
use crate::sas::Sas;
use crate::sign::SharedKey;

/// The emulator's account and key, which Microsoft publishes.
const DEVELOPMENT_ACCOUNT: &str = "devstoreaccount1";
const DEVELOPMENT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The clouds' domain if a string names none.
const PUBLIC_SUFFIX: &str = "core.windows.net";

/// What a connection string says.
#[derive(Debug)]
pub(crate) struct ConnectionString {
    /// The account's name; `None` where only an endpoint and a signature are given.
    pub(crate) account: Option<String>,
    /// The URL of the blob service.
    pub(crate) endpoint: String,
    /// Whether the string itself names that URL, so that it may be anywhere.
    pub(crate) names_endpoint: bool,
    pub(crate) credential: Option<Given>,
}

/// The credential in a connection string.
#[derive(Debug)]
pub(crate) enum Given {
    Key(SharedKey),
    Sas(Sas),
}

impl ConnectionString {
    /// Reads one.
    ///
    /// # Errors
    /// `InvalidInput`, naming the part that is wrong or missing and never its value.
    pub(crate) fn parse(text: &Secret) -> Result<Self> {
        let parts = Parts::split(text.expose())?;
        if parts.get("UseDevelopmentStorage").is_some_and(|yes| yes.eq_ignore_ascii_case("true")) {
            return Self::development(&parts);
        }
        let account = parts.get("AccountName").map(str::to_owned);
        let (endpoint, names_endpoint) = match (parts.get("BlobEndpoint"), &account) {
            (Some(endpoint), _) => (endpoint.trim_end_matches('/').to_owned(), true),
            (None, Some(account)) => (own_endpoint(account, &parts), false),
            (None, None) => return Err(wrong("it has neither `AccountName` nor `BlobEndpoint`")),
        };
        let credential = credential(&parts, account.as_deref())?;
        Ok(Self { account, endpoint, names_endpoint, credential })
    }

    /// Whether its endpoint is one that no account of Azure's clouds has: an emulator, a private host.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.names_endpoint && self.host().and_then(cloud_of).is_none()
    }

    /// Whether it is good for an account. One that leads elsewhere counts for all of them, as MLflow
    /// has it; one of an account in Azure for its own.
    pub(crate) fn is_for(&self, account: Option<&str>) -> bool {
        let own = self.account.as_deref().or_else(|| self.host().and_then(label));
        self.is_elsewhere() || account.is_none() || account == own
    }

    fn host(&self) -> Option<&str> {
        let (_, rest) = self.endpoint.split_once("://")?;
        rest.split(['/', ':']).next()
    }

    fn development(parts: &Parts<'_>) -> Result<Self> {
        let proxy = parts.get("DevelopmentStorageProxyUri").unwrap_or("http://127.0.0.1");
        let key = SharedKey::new(DEVELOPMENT_ACCOUNT, Secret::new(DEVELOPMENT_KEY))?;
        Ok(Self {
            account: Some(DEVELOPMENT_ACCOUNT.to_owned()),
            endpoint: format!("{}:10000/{DEVELOPMENT_ACCOUNT}", proxy.trim_end_matches('/')),
            names_endpoint: true,
            credential: Some(Given::Key(key)),
        })
    }
}

fn own_endpoint(account: &str, parts: &Parts<'_>) -> String {
    let protocol = parts.get("DefaultEndpointsProtocol").unwrap_or("https");
    let suffix = parts.get("EndpointSuffix").unwrap_or(PUBLIC_SUFFIX);
    format!("{protocol}://{account}.blob.{suffix}")
}

fn credential(parts: &Parts<'_>, account: Option<&str>) -> Result<Option<Given>> {
    match (parts.get("AccountKey"), parts.get("SharedAccessSignature")) {
        (Some(key), _) => {
            let account = account.ok_or_else(|| wrong("it has a key and no `AccountName`"))?;
            SharedKey::new(account, Secret::new(key)).map(|key| Some(Given::Key(key)))
        }
        (None, Some(token)) => Sas::parse(token).map(|sas| Some(Given::Sas(sas))),
        (None, None) => Ok(None),
    }
}

/// Names with values; names are compared in any case, as Microsoft's libraries do.
struct Parts<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Self> {
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        // Keys end in `=`: only the first one divides.
        let pairs = parts.map(|part| part.split_once('='));
        let pairs: Option<Vec<_>> = pairs.collect();
        pairs.map(Self).ok_or_else(|| wrong("it has a part that is not `Name=value`"))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let mut found = self.0.iter().filter(|(found, _)| found.trim().eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

fn wrong(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "use", "the connection string").with_message(why).with_hint(
        "copy it from the portal: `DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;\
         EndpointSuffix=core.windows.net`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConnectionString> {
        ConnectionString::parse(&Secret::new(text))
    }

    #[test]
    fn an_account_has_its_endpoint_in_the_named_cloud() {
        for (text, endpoint) in [
            ("AccountName=a;AccountKey=a2V5", "https://a.blob.core.windows.net"),
            (
                "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;\
                 EndpointSuffix=core.chinacloudapi.cn;",
                "http://a.blob.core.chinacloudapi.cn",
            ),
        ] {
            let parsed = parse(text).expect("a connection string");
            assert_eq!(parsed.endpoint, endpoint);
            assert_eq!((parsed.account.as_deref(), parsed.names_endpoint), (Some("a"), false));
            assert!(matches!(parsed.credential, Some(Given::Key(_))));
        }
    }

    #[test]
    fn an_endpoint_counts_before_the_account_s_own() {
        let text = "accountname=a;ACCOUNTKEY=a2V5;BlobEndpoint=http://127.0.0.1:10000/a/";
        let parsed = parse(text).expect("a connection string");
        assert_eq!(parsed.endpoint, "http://127.0.0.1:10000/a");
        assert!(parsed.names_endpoint);
    }

    #[test]
    fn a_signature_needs_no_account() {
        let text = "BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=s";
        let parsed = parse(text).expect("a connection string");
        assert_eq!(parsed.account, None);
        assert!(matches!(parsed.credential, Some(Given::Sas(_))));
    }

    #[test]
    fn the_emulator_has_a_name_of_its_own() {
        let parsed = parse("UseDevelopmentStorage=true").expect("a connection string");
        assert_eq!(parsed.endpoint, "http://127.0.0.1:10000/devstoreaccount1");
        let text = "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite";
        let parsed = parse(text).expect("a connection string");
        assert_eq!(parsed.endpoint, "http://azurite:10000/devstoreaccount1");
    }

    #[test]
    fn a_string_of_an_account_is_good_for_that_account_and_one_that_leads_elsewhere_for_all() {
        let own = ["AccountName=a;AccountKey=a2V5", "BlobEndpoint=https://a.blob.core.windows.net"];
        for text in own {
            let parsed = parse(text).expect("a connection string");
            assert!(parsed.is_for(Some("a")) && parsed.is_for(None) && !parsed.is_for(Some("b")));
            assert!(!parsed.is_elsewhere());
        }
        let emulator = parse("UseDevelopmentStorage=true").expect("a connection string");
        assert!(emulator.is_elsewhere() && emulator.is_for(Some("b")));
    }

    #[test]
    fn what_is_wrong_is_named_without_its_value() {
        for text in [
            "",
            "s3cret",
            "AccountKey=a2V5",
            "AccountKey=a2V5;BlobEndpoint=https://h",
            "AccountName=a;AccountKey=s3cret!",
            "AccountName=a;SharedAccessSignature=s3cret",
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
            assert!(error.hint().is_some() && !format!("{error:?}").contains("s3cret"), "{text}");
        }
    }
}
