//! Where a redirect may lead.

use mlfetch_store::is_beside_the_asker;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, LOCATION, PROXY_AUTHORIZATION};
use reqwest::{Method, StatusCode, Url};

/// The longest chain of redirects that is followed.
pub(super) const MAX_REDIRECTS: usize = 5;

/// Where a redirect may lead. A credential never goes with one that leaves its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redirects {
    /// Nowhere: a redirect is an error.
    Never,
    /// To any place, without the credential where that is another origin; never from HTTPS to HTTP,
    /// nor from elsewhere to what only this machine can reach.
    #[default]
    WithoutCredential,
    /// Nowhere, and it is an answer like another: whoever asked reads where it leads.
    Reported,
}

impl Redirects {
    /// Whether a request to `from` may go on to `to`.
    pub(super) fn allows(self, from: &Url, to: &Url) -> bool {
        let downgraded = from.scheme() == "https" && to.scheme() != "https";
        let beside = |url: &Url| is_beside_the_asker(url.host_str().unwrap_or_default());
        let inwards = beside(to) && !beside(from);
        self == Self::WithoutCredential
            && matches!(to.scheme(), "http" | "https")
            && !downgraded
            && !inwards
    }
}

/// Where a `3xx` with a `Location` leads (RFC 9110, 10.2.2): it may lack scheme, host or path. An
/// answer whose `Location` is no URL is an answer like another.
pub(super) fn redirect_target(status: StatusCode, headers: &HeaderMap, from: &Url) -> Option<Url> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // Some servers write names into it as they are, without encoding.
    let location = std::str::from_utf8(headers.get(LOCATION)?.as_bytes()).ok()?;
    from.join(location).ok()
}

/// Whether a redirect may be followed with the same method and body. A `301` or `302` to a `POST`
/// is followed with `GET` by some and with `POST` by others (RFC 9110, 15.4.2), and a `303` asks for
/// another method: only `307` and `308` say the same to everybody.
pub(super) fn keeps_method(status: StatusCode, method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD) || matches!(status.as_u16(), 307 | 308)
}

/// Takes out the headers that say who is asking: those that are known to, and those that were marked
/// as sensitive.
pub(super) fn without_credentials(headers: &HeaderMap) -> HeaderMap {
    let harmless = headers.iter().filter(|(name, value)| {
        !value.is_sensitive() && ![AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name)
    });
    harmless.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether both URLs have the same scheme, host and port: what a credential belongs to.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_never_leaves_https() {
        let url = |text| Url::parse(text).expect("a URL");
        let rule = Redirects::WithoutCredential;
        assert!(rule.allows(&url("http://a/"), &url("https://b/")));
        assert!(!rule.allows(&url("https://a/"), &url("http://a/")));
        assert!(!rule.allows(&url("http://a/"), &url("file:///etc/passwd")));
        for inwards in
            ["http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/", "http://0/"]
        {
            assert!(!rule.allows(&url("http://a/"), &url(inwards)), "{inwards}");
            assert!(rule.allows(&url("http://localhost/"), &url(inwards)), "{inwards}");
        }
        for rule in [Redirects::Never, Redirects::Reported] {
            assert!(!rule.allows(&url("http://a/"), &url("http://a/b")));
        }
    }

    #[test]
    fn a_location_is_read_relative_to_the_request() {
        let from = Url::parse("https://h:8443/a/b?q").expect("a URL");
        let rows = [
            ("/c", Some("https://h:8443/c")),
            ("c", Some("https://h:8443/a/c")),
            ("//other/c", Some("https://other/c")),
            ("?x", Some("https://h:8443/a/b?x")),
            ("http://h/", Some("http://h/")),
            ("gr\u{f6}\u{df}e", Some("https://h:8443/a/gr%C3%B6%C3%9Fe")),
            ("https://", None),
        ];
        for (location, target) in rows {
            let value = location.as_bytes().try_into().expect("a header's value");
            let headers = HeaderMap::from_iter([(LOCATION, value)]);
            let found = redirect_target(StatusCode::FOUND, &headers, &from);
            assert_eq!(found.as_ref().map(Url::as_str), target, "{location}");
            assert_eq!(redirect_target(StatusCode::OK, &headers, &from), None);
        }
    }

    #[test]
    fn only_307_and_308_are_followed_with_a_body() {
        for status in [301, 302, 303, 307, 308] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert!(keeps_method(status, &Method::GET) && keeps_method(status, &Method::HEAD));
            assert_eq!(keeps_method(status, &Method::POST), status.as_u16() >= 307);
        }
    }

    #[test]
    fn another_port_is_another_origin() {
        let url = |text| Url::parse(text).expect("a URL");
        assert!(same_origin(&url("http://a:80/x"), &url("http://a/y")));
        assert!(!same_origin(&url("http://a:81/"), &url("http://a/")));
    }
}
