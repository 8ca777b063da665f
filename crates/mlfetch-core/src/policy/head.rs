//! A URI as far as patterns compare it: scheme, host, and the path behind it, each in one form.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use mlfetch_store::Location;
use percent_encoding::percent_decode_str;

/// Azure's domains (`mlfetch-azure` has the same).
const AZURE: [&str; 5] = [
    "core.windows.net",
    "core.chinacloudapi.cn",
    "core.usgovcloudapi.net",
    "core.cloudapi.de",
    "storage.azure.net",
];

/// What stands where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// One name for all schemes that mean the same.
    pub(super) scheme: Cow<'a, str>,
    /// The host, the bucket, the container and its host; empty where there is none.
    pub(super) host: String,
    /// The path as it is written.
    pub(super) path: Cow<'a, str>,
    /// Whether `%41` in the path is an `A`.
    pub(super) encoded: bool,
}

impl<'a> Head<'a> {
    /// `None` for what no host or no path can be read from with certainty.
    pub(super) fn of(location: &'a Location) -> Option<Self> {
        let (path, query) = location.path_and_query();
        let authority = location.authority();
        let named = authority.unwrap_or_default();
        let head = |scheme: &'a str, host: String, encoded: bool| {
            Some(Self { scheme: scheme.into(), host, path: path.into(), encoded })
        };
        match location.scheme() {
            "" => {
                Some(Self { path: location.as_str().into(), ..head("file", String::new(), false)? })
            }
            "file" if named.is_empty() || named.eq_ignore_ascii_case("localhost") => {
                head("file", String::new(), true)
            }
            "file" => None,
            "http" | "https" => Self::of_url(location),
            "s3" | "s3a" => Self::of_bucket(location),
            "gs" | "az" => head(location.scheme(), authority?.to_owned(), false),
            "wasb" | "wasbs" => head("wasbs", container(named)?, false),
            "abfs" | "abfss" => head("wasbs", container(named)?, true),
            "r2" | "b2" => {
                let (bucket, at) = named.split_once('@')?;
                head(location.scheme(), format!("{bucket}@{}", host(at, None)?), false)
            }
            "runs" | "get-artifact" => head("runs", named.to_owned(), false),
            "models" => head("models", named.to_owned(), false),
            "hdfs" => {
                // Its port is that of another protocol: the servers for HTTP are asked.
                let host = host_or_none(behind_login(named), None)?;
                head("hdfs", without_port(&host).to_owned(), false)
            }
            "webhdfs" => head("webhdfs", host_or_none(behind_login(named), Some(9870))?, false),
            "swebhdfs" => head("swebhdfs", host_or_none(behind_login(named), Some(9871))?, false),
            "sqlite" => Self::of_sqlite(location),
            other if is_database(other) => {
                // A driver of Python stands behind `+`; a query may name another host.
                (query.is_none() && !path.contains('?')).then_some(())?;
                head(database(other), host_or_none(behind_login(named), None)?, false)
            }
            other => head(other, host_or_none(behind_login(named), None)?, false),
        }
    }

    /// As a URL parser reads it: `http:host`, `http:\\host` and `http:////host` name that host too.
    fn of_url(location: &'a Location) -> Option<Self> {
        let text = location.rest();
        // A parser drops some of these in silence (WHATWG URL, 4.4).
        let is_odd = |letter: char| letter.is_ascii_control() || letter == '\\';
        (!text.contains(is_odd) && !text.ends_with(' ')).then_some(())?;
        let after = text.trim_start_matches('/');
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        let port = if location.scheme() == "http" { 80 } else { 443 };
        Some(Self {
            scheme: location.scheme().into(),
            host: host(behind_login(authority), Some(port))?,
            path: path.into(),
            encoded: true,
        })
    }

    /// An access point's ARN may have `:` or `/` between its last parts; here it is all `/`.
    fn of_bucket(location: &'a Location) -> Option<Self> {
        let after = location.rest().strip_prefix("//")?;
        let (bucket, path) = match after.strip_prefix("arn:") {
            None => {
                let (bucket, path) = after.split_at(after.find('/').unwrap_or(after.len()));
                (bucket, Cow::Borrowed(path))
            }
            Some(rest) => ("arn", Cow::Owned(format!("/{}", with_slashes(rest)))),
        };
        (!bucket.is_empty()).then(|| Self {
            scheme: "s3".into(),
            host: bucket.to_owned(),
            path,
            encoded: false,
        })
    }

    /// `sqlite:///relative`, `sqlite:////absolute`.
    fn of_sqlite(location: &'a Location) -> Option<Self> {
        let path = location.rest().strip_prefix("///")?;
        (!path.is_empty() && !path.contains('?') && !path.starts_with("file:")).then(|| Self {
            scheme: "sqlite".into(),
            host: String::new(),
            path: path.into(),
            encoded: false,
        })
    }

    /// Whether its path is one on this machine's disk.
    pub(super) fn is_local(&self) -> bool {
        matches!(self.scheme.as_ref(), "file" | "sqlite")
    }

    /// The same place by its other names, which no reader of the text can know.
    pub(super) fn aliases(&self) -> Vec<Head<'static>> {
        let alias = |scheme: &'static str, host: String, path: String, encoded| Head {
            scheme: scheme.into(),
            host,
            path: path.into(),
            encoded,
        };
        let path = || self.path.clone().into_owned();
        match self.scheme.as_ref() {
            // The URL of a blob: its first segment is the container.
            "https" => {
                let rest = self.path.trim_start_matches('/');
                let (first, rest) = rest.split_once('/').unwrap_or((rest, ""));
                let first = percent_decode_str(first).decode_utf8_lossy();
                let is_azure =
                    AZURE.iter().any(|domain| self.host.ends_with(&format!(".{domain}")));
                let is_one = is_azure && !first.is_empty() && !first.contains('@');
                let named = container(&format!("{first}@{}", self.host)).filter(|_| is_one);
                named
                    .map(|host| alias("wasbs", host, format!("/{rest}"), true))
                    .into_iter()
                    .collect()
            }
            // One NameNode speaks all three, at the ports that it has by itself.
            "hdfs" | "webhdfs" | "swebhdfs" if !self.host.contains(':') => {
                let all = ["hdfs", "webhdfs", "swebhdfs"].into_iter();
                let others = all.filter(|scheme| *scheme != self.scheme);
                others.map(|scheme| alias(scheme, self.host.clone(), path(), false)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The one name of a scheme that has several.
pub(super) fn scheme(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "s3a" => "s3".to_owned(),
        "wasb" | "abfs" | "abfss" => "wasbs".to_owned(),
        "get-artifact" => "runs".to_owned(),
        other if is_database(other) => database(other).to_owned(),
        _ => name,
    }
}

fn is_database(scheme: &str) -> bool {
    matches!(database(scheme), "postgresql" | "mysql")
}

fn database(scheme: &str) -> &str {
    match scheme.split('+').next().unwrap_or_default() {
        "postgres" => "postgresql",
        "mariadb" => "mysql",
        other => other,
    }
}

/// `container@account.blob.core.windows.net`, also of the other service and of the copy elsewhere.
fn container(authority: &str) -> Option<String> {
    let (container, at) = authority.split_once('@')?;
    let at = host(at, Some(443))?.replacen(".dfs.", ".blob.", 1).replacen(".privatelink.", ".", 1);
    let (account, rest) = at.split_once('.').unwrap_or((&at, ""));
    let account = account.strip_suffix("-secondary").unwrap_or(account);
    let dot = if rest.is_empty() { "" } else { "." };
    Some(format!("{container}@{account}{dot}{rest}"))
}

fn behind_login(authority: &str) -> &str {
    authority.rsplit('@').next().unwrap_or_default()
}

fn host_or_none(authority: &str, usual_port: Option<u16>) -> Option<String> {
    if authority.is_empty() { Some(String::new()) } else { host(authority, usual_port) }
}

/// `host` or `host:port` in one form: lower case, without the port that is meant anyway. `*` stands
/// for itself. `None` for what somebody could read as another host: letters that are mapped to
/// others, addresses in hexadecimal or in one number.
fn host(authority: &str, usual_port: Option<u16>) -> Option<String> {
    let (name, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        (format!("[{address}]"), port.strip_prefix(':').or(port.is_empty().then_some(""))?)
    } else {
        let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        (is_plain(&name).then_some(name)?, port)
    };
    match port {
        "" => Some(name),
        "*" => Some(format!("{name}:*")),
        port => {
            let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
            let port: u16 = is_number.then(|| port.parse().ok())??;
            Some(if usual_port == Some(port) { name } else { format!("{name}:{port}") })
        }
    }
}

/// `host` of `host:port`.
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_plain(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    !name.is_empty()
        && name.bytes().all(legal)
        && (!is_number || name.parse::<std::net::Ipv4Addr>().is_ok())
}

/// The parts of an ARN behind `arn:`, up to the access point's name; a key keeps its `:`.
fn with_slashes(rest: &str) -> String {
    let resource = rest.match_indices(':').nth(3).map_or(rest.len(), |(at, _)| at + 1);
    let parts = if rest[resource..].starts_with("outpost") { 3 } else { 1 };
    let mut separators = rest[resource..].match_indices([':', '/']).map(|(at, _)| resource + at);
    let end = separators.nth(parts).unwrap_or(rest.len());
    // The region of an access point of several regions is empty, and no segment is.
    format!("{}{}", rest[..end].replace(':', "/").replace("//", "/-/"), &rest[end..])
}
