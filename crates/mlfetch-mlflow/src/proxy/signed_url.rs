//! URLs that are signed for one object each, as long as they are good.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mlfetch_http::Url;
use mlfetch_http::header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HOST, HeaderMap, RANGE};
use mlfetch_store::{Error, ErrorKind, Key, Result, is_beside_the_asker};

use super::wire::Presigned;

/// MLflow 3.17: `MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS` unless it is set.
const USUAL_LIFETIME: Duration = Duration::from_mins(5);

/// A URL is not used in its last seconds: the request must still arrive.
const MARGIN: Duration = Duration::from_secs(30);

/// How many URLs are kept.
const MAX_URLS: usize = 1024;

/// A URL that the server signed. It has no `Debug`: the signature is a secret.
#[derive(Clone)]
pub(super) struct SignedUrl {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) size: Option<u64>,
    until: Instant,
}

impl SignedUrl {
    /// Takes the answer of the proxy at `artifacts`; never from HTTPS to HTTP, where the signature
    /// could be read on the way.
    ///
    /// # Errors
    /// `Refused` for anything that is not such a URL.
    pub(super) fn new(artifacts: &Url, key: &Key, answer: &Presigned) -> Result<Self> {
        let refuse = |message| {
            let error = Error::new(ErrorKind::Refused, "read", key.to_string());
            Err(error.with_message(message).with_hint("use `--via proxy`"))
        };
        let Ok(url) = Url::parse(&answer.url) else {
            return refuse("the signed URL is no URL");
        };
        match (artifacts.scheme(), url.scheme()) {
            (_, "https") | ("http", "http") => {}
            _ => return refuse("the signed URL is not HTTPS, and the server is"),
        }
        let is_beside = |url: &Url| is_beside_the_asker(url.host_str().unwrap_or_default());
        if is_beside(&url) && !is_beside(artifacts) {
            return refuse(
                "the signed URL names an address that is another machine here than there",
            );
        }
        let until = Instant::now() + lifetime(&url).saturating_sub(MARGIN);
        let headers = signed_headers(&answer.headers);
        Ok(Self { url, headers, size: answer.file_size, until })
    }
}

/// Those that are kept.
#[derive(Default)]
pub(super) struct SignedUrls(Mutex<HashMap<Key, SignedUrl>>);

impl SignedUrls {
    /// The object's URL, if it is still good.
    pub(super) fn kept(&self, key: &Key) -> Option<SignedUrl> {
        let urls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        urls.get(key).filter(|signed| signed.until > Instant::now()).cloned()
    }

    /// Keeps a URL, and forgets those that are not good any more where there are too many.
    pub(super) fn keep(&self, key: &Key, signed: &SignedUrl) {
        let mut urls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if urls.len() >= MAX_URLS {
            let now = Instant::now();
            urls.retain(|_, known| known.until > now);
        }
        if urls.len() >= MAX_URLS {
            urls.clear();
        }
        urls.insert(key.clone(), signed.clone());
    }

    /// Forgets a URL that the bucket refused.
    pub(super) fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// How long the URL says that it is good for.
fn lifetime(url: &Url) -> Duration {
    let expires = url.query_pairs().find(|(name, _)| name == "X-Amz-Expires");
    let seconds = expires.and_then(|(_, seconds)| seconds.parse().ok());
    seconds.map_or(USUAL_LIFETIME, Duration::from_secs).min(Duration::from_hours(1))
}

/// Headers that are part of the signature; those that are ours to set are not the server's.
fn signed_headers(given: &BTreeMap<String, String>) -> HeaderMap {
    let ours = [AUTHORIZATION, COOKIE, HOST, RANGE, ACCEPT_ENCODING];
    let headers: HashMap<String, String> = given.clone().into_iter().collect();
    let mut headers = HeaderMap::try_from(&headers).unwrap_or_default();
    for name in ours {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_lives_as_long_as_it_says() {
        let of = |text: &str| lifetime(&Url::parse(text).expect("a URL")).as_secs();
        assert_eq!(of("http://b/k?X-Amz-Expires=60&X-Amz-Signature=x"), 60);
        assert_eq!(of("http://b/k"), 300);
        assert_eq!(of("http://b/k?X-Amz-Expires=604800"), 3600);
    }

    #[test]
    fn headers_that_are_ours_are_not_taken_from_the_server() {
        let given = [("Authorization", "x"), ("cookie", "y"), ("x-amz-expected-owner", "1")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let headers = signed_headers(&given);
        assert_eq!(headers.len(), 1);
        assert!(headers.contains_key("x-amz-expected-owner"));
    }

    #[test]
    fn a_signature_never_leaves_https() {
        let of = |artifacts: &str, url: &str| {
            let text = format!(r#"{{"url":"{url}"}}"#);
            let answer = serde_json::from_str(&text).expect("an answer");
            SignedUrl::new(&Url::parse(artifacts).expect("a URL"), &Key::from("a"), &answer).is_ok()
        };
        assert!(of("http://h/", "http://b/k") && of("https://h/", "https://b/k"));
        assert!(of("http://h/", "https://b/k"));
        assert!(!of("https://h/", "http://b/k"));
        assert!(!of("http://h/", "file:///etc/passwd") && !of("http://h/", "no URL"));
    }
}
