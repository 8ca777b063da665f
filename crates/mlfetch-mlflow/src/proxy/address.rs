//! From a URI of artifacts behind a tracking server to the server that has them.

use mlfetch_http::Url;
use mlfetch_store::{Error, ErrorKind, Key, Location, Result, escape};
use percent_encoding::percent_decode_str;

/// Where the proxy's routes begin, most specific first. What stands before is the server itself.
const ROUTES: [&str; 3] = [
    "/ajax-api/2.0/mlflow-artifacts/artifacts",
    "/api/2.0/mlflow-artifacts/artifacts",
    "/mlflow-artifacts/artifacts",
];

/// The artifact proxy of a server, and a name behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyAddress {
    /// The URL that lists and reads: `http://host/prefix/api/2.0/mlflow-artifacts/artifacts`, no
    /// user, password, query or trailing `/`.
    pub artifacts: Url,
    /// The exact name behind it; an object, or a directory with or without its `/`.
    pub key: Key,
    /// Whether it has the tracking server's scheme, host and port: only then may the tracking
    /// server's credential go along. MLflow 3.17 sends it to whatever host the URI names.
    pub same_origin: bool,
}

impl ProxyAddress {
    /// The server that the proxy belongs to, with its path prefix.
    pub fn server(&self) -> Url {
        with_path(&self.artifacts, before_route(self.artifacts.path()).unwrap_or_default())
    }
}

/// The proxy that a `mlflow-artifacts:[//host[:port]]/path` names, seen from a tracking server.
///
/// MLflow 3.17: the scheme and path prefix of the tracking URI, and its host and port where the
/// artifact URI has none. Repeated `/` count once, segments `.` not at all. Two differences on purpose: nothing is decoded
/// or cut at `?` or `#`, because a key is exact; and the path `/` keeps the path prefix.
///
/// # Errors
/// `InvalidInput` if the tracking URI is not `http` or `https`, or the artifact URI's host is a
/// port without a host.
///
/// ```
/// use mlfetch_mlflow::proxy_base;
/// let address = proxy_base("https://tracking.example/ml", "mlflow-artifacts:/1/x").unwrap();
/// let url = "https://tracking.example/ml/api/2.0/mlflow-artifacts/artifacts";
/// assert_eq!(address.artifacts.as_str(), url);
/// assert_eq!(address.key.to_string(), "1/x");
/// assert!(address.same_origin);
/// ```
pub fn proxy_base(tracking_uri: &str, artifact_uri: &str) -> Result<ProxyAddress> {
    let location = Location::parse(artifact_uri)?;
    let authority = location.authority().unwrap_or_default();
    refuse_port_alone(&location, authority)?;
    let tracking = tracking_url(tracking_uri)?;
    let host = authority.rsplit('@').next().unwrap_or_default();
    let mut artifacts = tracking.clone();
    if !host.is_empty() {
        artifacts = Url::parse(&format!("{}://{host}/", tracking.scheme()))
            .map_err(|cause| invalid(&location.to_string()).with_source(cause))?;
    }
    let path = format!("{}/api/2.0/mlflow-artifacts/artifacts", tracking.path());
    let artifacts = with_path(&artifacts, &fold_slashes(&path));
    let key = without_dots(&fold_slashes(location.path()));
    Ok(ProxyAddress {
        same_origin: artifacts.origin() == tracking.origin(),
        key: Key::from(key.trim_start_matches('/')),
        artifacts,
    })
}

/// The proxy that a whole URL names: `http(s)://…/api/2.0/mlflow-artifacts/artifacts/…`, the same
/// below `/ajax-api`, and `…/mlflow-artifacts/artifacts/…`, also with `?path=…` (MLflow 3.17).
/// `None` for any other URL. A URL's path is encoded, so the key is its path decoded, once.
pub fn proxy_of_url(url: &Url, tracking: Option<&Url>) -> Option<ProxyAddress> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let before = before_route(url.path())?;
    let rest = &url.path()[before.len()..];
    let route = ROUTES.iter().find(|route| rest.starts_with(*route))?;
    let below = rest[route.len()..].trim_start_matches('/');
    let asked = url.query_pairs().find(|(name, _)| name == "path").map(|(_, path)| path);
    let key = match asked {
        Some(path) if below.is_empty() => path.into_owned().into_bytes(),
        _ => percent_decode_str(below).collect(),
    };
    let artifacts = with_path(url, &format!("{before}{route}"));
    let same_origin = tracking.is_some_and(|tracking| tracking.origin() == artifacts.origin());
    Some(ProxyAddress { artifacts, key: Key::new(key), same_origin })
}

/// What stands before the first route of the proxy that ends at a segment's end.
fn before_route(path: &str) -> Option<&str> {
    ROUTES.iter().find_map(|route| {
        let mut starts = path.match_indices(route).map(|(start, _)| start);
        let ends_segment =
            |start: &usize| matches!(path.as_bytes().get(start + route.len()), None | Some(b'/'));
        starts.find(ends_segment).map(|start| &path[..start])
    })
}

/// The same scheme, host and port with another path, and nothing else.
pub(super) fn with_path(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    // Both fail only for URLs without a host; these are `http` and have one.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(path);
    url
}

fn tracking_url(tracking_uri: &str) -> Result<Url> {
    match Url::parse(tracking_uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => {
            let shown = Location::parse(tracking_uri).map(|location| shown(&location));
            Err(invalid(&shown.unwrap_or_default())
                .with_message("`mlflow-artifacts:` needs a tracking server, and this is none")
                .with_hint("set MLFLOW_TRACKING_URI or --tracking-uri to the server's http URL"))
        }
    }
}

/// A database URI may hold a password in its query too.
fn shown(location: &Location) -> String {
    location.to_string().split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// MLflow 3.17: `mlflow-artifacts://5000/x` is a forgotten host, not the host `5000`.
fn refuse_port_alone(location: &Location, authority: &str) -> Result<()> {
    if authority.contains(':') || authority.parse::<f64>().is_err() {
        return Ok(());
    }
    Err(invalid(&location.to_string())
        .with_message(format!("it names the port {} and no host", escape(authority.as_bytes())))
        .with_hint("write mlflow-artifacts://host:port/path, or mlflow-artifacts:/path"))
}

fn invalid(subject: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, "find the artifacts of", subject)
}

/// Without segments of one dot, which name the directory they stand in: the server reads a path so.
fn without_dots(path: &str) -> String {
    let ends_in_dot = path.ends_with("/.") || path == ".";
    let kept: Vec<&str> = path.split('/').filter(|segment| *segment != ".").collect();
    let kept = kept.join("/");
    if ends_in_dot && !kept.ends_with('/') { kept + "/" } else { kept }
}

fn fold_slashes(path: &str) -> String {
    let mut folded = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !folded.ends_with('/') {
            folded.push(character);
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn an_artifact_uri_is_completed_from_the_tracking_uri() {
        let rows = [
            ("http://t:5000", "mlflow-artifacts:/1/x", "http://t:5000", "1/x", true),
            ("http://t:5000/", "mlflow-artifacts:1/x", "http://t:5000", "1/x", true),
            ("https://t/ml/", "mlflow-artifacts:/a//b/", "https://t/ml", "a/b/", true),
            ("https://t/ml", "mlflow-artifacts:/", "https://t/ml", "", true),
            ("http://u:p@t", "mlflow-artifacts:/a", "http://t", "a", true),
            ("http://t:5000", "mlflow-artifacts://t:5000/a", "http://t:5000", "a", true),
            ("http://t", "mlflow-artifacts://t:80/a", "http://t", "a", true),
            ("http://t:5000", "mlflow-artifacts://t:5001/a", "http://t:5001", "a", false),
            ("https://t/ml", "mlflow-artifacts://other/a", "https://other/ml", "a", false),
            ("http://u:p@t", "mlflow-artifacts://v:q@o/a", "http://o", "a", false),
            ("http://t", "mlflow-artifacts:/a/./b/.", "http://t", "a/b/", true),
            ("http://t", "MLFLOW-ARTIFACTS:/a b/%41#1?x", "http://t", "a b/%41#1?x", true),
        ];
        for (tracking, artifact, server, key, same_origin) in rows {
            let address = proxy_base(tracking, artifact).expect(artifact);
            let expected = format!("{server}/api/2.0/mlflow-artifacts/artifacts");
            assert_eq!(address.artifacts.as_str(), expected, "{artifact}");
            assert_eq!(address.server().as_str().trim_end_matches('/'), server, "{artifact}");
            assert_eq!(address.key, Key::from(key), "{artifact}");
            assert_eq!(address.same_origin, same_origin, "{tracking} {artifact}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused_without_its_password() {
        let rows = [
            ("sqlite:///mlflow.db", "mlflow-artifacts:/a"),
            ("postgresql://u:hunter2@h/db?password=hunter2", "mlflow-artifacts:/a"),
            ("./mlruns", "mlflow-artifacts:/a"),
            ("http://t", "mlflow-artifacts://5000/a"),
        ];
        for (tracking, artifact) in rows {
            let error = proxy_base(tracking, artifact).expect_err(tracking);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{tracking}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn whole_urls_of_the_proxy_are_recognised() {
        let api = "http://h/p/api/2.0/mlflow-artifacts/artifacts";
        let bare = "http://h/mlflow-artifacts/artifacts";
        let rows = [
            (format!("{api}/1/a%20b"), api, "1/a b"),
            (format!("{api}/1/%2541/"), api, "1/%41/"),
            (format!("{api}?path=1%2Fx"), api, "1/x"),
            (api.to_owned(), api, ""),
            (
                "http://u:p@h/ajax-api/2.0/mlflow-artifacts/artifacts/x#y".to_owned(),
                "http://h/ajax-api/2.0/mlflow-artifacts/artifacts",
                "x",
            ),
            (format!("{bare}/x"), bare, "x"),
        ];
        for (text, artifacts, key) in rows {
            let address = proxy_of_url(&url(&text), Some(&url("http://h/p"))).expect(&text);
            assert_eq!(address.artifacts.as_str(), artifacts, "{text}");
            assert_eq!(address.key, Key::from(key), "{text}");
            assert!(address.same_origin, "{text}");
        }
        for other in ["http://h/x", "http://h/mlflow-artifacts/artifactsX/a", "s3://b/k"] {
            assert!(proxy_of_url(&url(other), None).is_none(), "{other}");
        }
        assert!(!proxy_of_url(&url(api), Some(&url("https://h"))).expect("one").same_origin);
    }
}
