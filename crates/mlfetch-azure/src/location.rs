//! URIs of containers: `wasbs://`, `wasb://`, `abfss://`, `abfs://`, `az://`, and URLs of blobs.

use mlfetch_store::{Error, ErrorKind, Key, Location, Result};
use percent_encoding::percent_decode_str;

use crate::sas::Query;

/// Domains of Azure's clouds. A credential goes nowhere else unless somebody names the place.
const CLOUDS: [&str; 5] = [
    "core.windows.net",
    "core.chinacloudapi.cn",
    "core.usgovcloudapi.net",
    "core.cloudapi.de",
    "storage.azure.net",
];

/// What a URI names.
#[derive(Debug)]
pub(crate) struct Place {
    /// The account, where the URI names one.
    pub(crate) account: Option<String>,
    /// The host of the account's blob service, where the URI names one that is Azure's.
    pub(crate) host: Option<String>,
    pub(crate) container: String,
    pub(crate) key: Key,
    pub(crate) query: Query,
    /// Whether the URI is one of Data Lake Storage, for which MLflow takes a signature first.
    pub(crate) data_lake: bool,
}

impl Place {
    /// Reads a URI.
    ///
    /// # Errors
    /// `InvalidInput` without a container, or for a host that cannot be an account's.
    pub(crate) fn parse(location: &Location) -> Result<Self> {
        let place = match location.scheme() {
            "https" => Self::of_url(location),
            "az" => Self::of_account_elsewhere(location),
            _ => Self::of_uri(location),
        };
        place.filter(|place| is_container(&place.container)).ok_or_else(|| malformed(location))
    }

    /// Whether a URL is one of a blob: its host is an account's.
    pub(crate) fn claims(location: &Location) -> bool {
        location.scheme() == "https"
            && location.authority().is_some_and(|host| Host::parse(host).is_some())
    }

    /// `wasbs://container@account.blob.core.windows.net/key`.
    fn of_uri(location: &Location) -> Option<Self> {
        let (container, host) = location.authority()?.split_once('@')?;
        let (path, query) = split_query(location)?;
        // MLflow decodes the names of one family and takes those of the other as they are.
        let data_lake = location.scheme().starts_with("abfs");
        let key = if data_lake { decoded(path)? } else { Key::from(without_slash(path)) };
        let place = Self { key, query, data_lake, ..Self::below(container) };
        match Host::parse(host) {
            Some(host) => {
                Some(Self { account: Some(host.account), host: Some(host.blob), ..place })
            }
            // Another host is good for the account's name only: see `Endpoint`.
            None => Some(Self { account: Some(label(host)?.to_owned()), ..place }),
        }
    }

    /// `az://container/key`.
    fn of_account_elsewhere(location: &Location) -> Option<Self> {
        let container = location.authority()?;
        if container.contains('@') {
            return Self::of_uri(location);
        }
        let (path, query) = split_query(location)?;
        Some(Self { key: Key::from(without_slash(path)), query, ..Self::below(container) })
    }

    /// `https://account.blob.core.windows.net/container/key?signature`, with escapes as in any URL.
    fn of_url(location: &Location) -> Option<Self> {
        let host = Host::parse(location.authority()?)?;
        let (path, query) = split_query(location)?;
        let (container, key) =
            without_slash(path).split_once('/').unwrap_or((without_slash(path), ""));
        let container = percent_decode_str(container).decode_utf8().ok()?;
        let (account, host) = (Some(host.account), Some(host.blob));
        let key = Key::new(percent_decode_str(key).collect::<Vec<u8>>());
        Some(Self { account, host, key, query, ..Self::below(&container) })
    }

    fn below(container: &str) -> Self {
        Self {
            account: None,
            host: None,
            container: container.to_owned(),
            key: Key::root(),
            query: Query::default(),
            data_lake: false,
        }
    }
}

/// The host of an account, as its blob service has it.
struct Host {
    account: String,
    blob: String,
}

impl Host {
    /// `None` for a host that is not one of an account in one of Azure's clouds.
    fn parse(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let cloud = CLOUDS.iter().find(|cloud| host.ends_with(&format!(".{cloud}")))?;
        let labels = host.strip_suffix(cloud)?.strip_suffix('.')?;
        // Between account and service stands at most a zone, or `privatelink`.
        let (names, service) = labels.rsplit_once('.')?;
        let account = label(names)?.to_owned();
        let blob = matches!(service, "blob" | "dfs").then(|| format!("{names}.blob.{cloud}"))?;
        Some(Self { account, blob })
    }
}

/// The account's name in the first label of a host. Its copy elsewhere has the same account.
pub(crate) fn label(host: &str) -> Option<&str> {
    let label = host.split(['.', ':']).next()?;
    let name = label.strip_suffix("-secondary").unwrap_or(label);
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (!name.is_empty() && name.bytes().all(legal)).then_some(name)
}

/// The domain of an account's cloud behind `blob.`.
pub(crate) fn cloud_of(host: &str) -> Option<&'static str> {
    CLOUDS.into_iter().find(|cloud| host.ends_with(&format!(".{cloud}")))
}

/// Letters, digits and `-`, or one of the names with `$` that Azure has itself. Whether such a name
/// is a good one says the server.
fn is_container(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-$_".contains(&byte);
    !name.is_empty() && name.bytes().all(legal)
}

/// Path and query; `None` where the query holds anything that means nothing here. Straight behind a
/// container a `?` begins a query and no name.
fn split_query(location: &Location) -> Option<(&str, Query)> {
    let (path, query) = location.path_and_query();
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    Some((path, query.map_or(Some(Query::default()), Query::parse)?))
}

/// A key may begin with further `/`.
fn without_slash(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

/// The key of a path with escapes. MLflow takes away every `/` at its beginning.
fn decoded(path: &str) -> Option<Key> {
    let path = percent_decode_str(path).decode_utf8().ok()?;
    Some(Key::from(path.trim_start_matches('/')))
}

fn malformed(location: &Location) -> Error {
    let shape = match location.scheme() {
        "az" => "az://CONTAINER/KEY",
        "abfs" | "abfss" => "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY",
        "https" => "https://ACCOUNT.blob.core.windows.net/CONTAINER/KEY",
        _ => "wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/KEY",
    };
    Error::new(ErrorKind::InvalidInput, "read the location", location.to_string())
        .with_message("it names no container of an account")
        .with_hint(format!("write {shape}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Place> {
        Place::parse(&Location::parse(text).expect("a location"))
    }

    fn parts(text: &str) -> [String; 4] {
        let place = parse(text).expect("a place");
        let shown = |text: Option<String>| text.unwrap_or_default();
        let key = place.key.to_str().expect("text").to_owned();
        [shown(place.account), shown(place.host), place.container, key]
    }

    #[test]
    fn both_families_lead_to_the_blob_service_of_the_account() {
        for (uri, host, key) in [
            ("wasbs://c@acc.blob.core.windows.net/a/b", "acc.blob.core.windows.net", "a/b"),
            ("wasb://c@acc.blob.core.windows.net", "acc.blob.core.windows.net", ""),
            ("abfss://c@acc.dfs.core.windows.net/a", "acc.blob.core.windows.net", "a"),
            ("abfs://c@acc.dfs.core.usgovcloudapi.net/a", "acc.blob.core.usgovcloudapi.net", "a"),
            ("wasbs://c@acc.blob.core.chinacloudapi.cn/a", "acc.blob.core.chinacloudapi.cn", "a"),
            ("abfss://c@acc.z12.dfs.storage.azure.net/a", "acc.z12.blob.storage.azure.net", "a"),
            (
                "wasbs://c@acc.privatelink.blob.core.windows.net/a",
                "acc.privatelink.blob.core.windows.net",
                "a",
            ),
            (
                "wasbs://c@acc-secondary.blob.core.windows.net/a",
                "acc-secondary.blob.core.windows.net",
                "a",
            ),
        ] {
            assert_eq!(parts(uri), ["acc", host, "c", key], "{uri}");
        }
    }

    #[test]
    fn names_are_exact_in_one_family_and_decoded_in_the_other() {
        let wasbs =
            |path: &str| parts(&format!("wasbs://c@acc.blob.core.windows.net{path}"))[3].clone();
        let abfss =
            |path: &str| parts(&format!("abfss://c@acc.dfs.core.windows.net{path}"))[3].clone();
        for path in ["%41", "a%20b", "/a//b/", "a?b#c", "a?b=c&d=e", "a+b", "../x"] {
            assert_eq!(wasbs(&format!("/{path}")), path);
        }
        assert_eq!(abfss("/a%20b/%2541"), "a b/%41");
        assert_eq!(abfss("//a"), "a");
    }

    #[test]
    fn a_query_names_version_snapshot_and_signature() {
        let place = parse("wasbs://c@acc.blob.core.windows.net/a?versionid=1").expect("a place");
        assert_eq!(place.query.version_id.as_deref(), Some("1"));
        let place = parse("az://c/a?b?sv=1&sp=r&sig=s").expect("a place");
        assert!(place.query.sas.is_some());
        let root = parse("az://c?sv=1&sp=rl&sig=s").expect("a place");
        assert!(root.query.sas.is_some() && root.key.is_root() && root.container == "c");
        assert_eq!(place.key, Key::from("a?b"));
        assert_eq!((place.account, place.host), (None, None));
    }

    #[test]
    fn a_url_is_one_of_a_blob_where_its_host_is_an_account_s() {
        let uri = "https://acc.blob.core.windows.net/c/a%20b/c?sp=r&sig=s#x";
        let place = parse(uri).expect("a place");
        assert_eq!(place.key, Key::from("a b/c"));
        assert_eq!((place.container.as_str(), place.account.as_deref()), ("c", Some("acc")));
        let claims = |text| Place::claims(&Location::parse(text).expect("a location"));
        assert!(claims(uri) && claims("https://acc.dfs.core.windows.net/c"));
        for other in [
            "http://acc.blob.core.windows.net/c",
            "https://blob.core.windows.net/c",
            "https://acc.blob.core.windows.net.example/c",
            "https://acc.file.core.windows.net/c",
            "https://user@acc.blob.core.windows.net/c",
            "https://example.org/c",
        ] {
            assert!(!claims(other), "{other}");
        }
    }

    #[test]
    fn another_host_gives_the_account_s_name_and_no_host() {
        assert_eq!(parts("wasbs://c@acc.example.org/a"), ["acc", "", "c", "a"]);
    }

    #[test]
    fn a_location_without_a_container_is_refused_with_the_right_shape() {
        for (uri, shape) in [
            ("wasbs://acc.blob.core.windows.net/a", "wasbs://CONTAINER@"),
            ("wasbs://@acc.blob.core.windows.net/a", "wasbs://CONTAINER@"),
            ("wasbs://c:p@acc.blob.core.windows.net/a", "wasbs://CONTAINER@"),
            ("wasbs://c@/a", "wasbs://CONTAINER@"),
            ("abfss://c/a", "abfss://CONTAINER@"),
            ("az:///a", "az://CONTAINER"),
            ("az://c?x/y", "az://CONTAINER"),
            ("az://c?x/y?sv=1&sig=s", "az://CONTAINER"),
            ("https://acc.blob.core.windows.net/", "https://ACCOUNT."),
            ("https://acc.blob.core.windows.net/c/a?b=c", "https://ACCOUNT."),
        ] {
            let error = parse(uri).expect_err(uri);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{uri}");
            assert!(error.hint().is_some_and(|hint| hint.contains(shape)), "{uri}: {error:?}");
        }
    }
}
