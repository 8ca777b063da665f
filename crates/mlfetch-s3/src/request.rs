//! Questions to a bucket, and the HTTP requests that ask them. No network here.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use mlfetch_store::{Error, ErrorKind, Key, Result};

use crate::credentials::Keys;
use crate::encode;
use crate::endpoint::Endpoint;
use crate::sign::{EMPTY_SHA256, Signer, Unsigned};

const AGENT: HeaderValue = HeaderValue::from_static(concat!("mlfetch/", env!("CARGO_PKG_VERSION")));

/// One question to a bucket.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    /// A verb, for errors.
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    /// `None` asks the bucket itself.
    pub(crate) key: Option<&'a Key>,
    query: Vec<(&'static str, Cow<'a, str>)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Who signs, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signing<'a> {
    pub(crate) signer: &'a Signer,
    pub(crate) keys: &'a Keys,
    pub(crate) timestamp: &'a str,
}

impl<'a> Call<'a> {
    /// Asks the bucket.
    pub(crate) fn of_bucket(operation: &'static str) -> Self {
        let method = Method::GET;
        Self { operation, method, key: None, query: Vec::new(), headers: Vec::with_capacity(8) }
    }

    /// Asks for an object.
    pub(crate) fn of_object(operation: &'static str, method: Method, key: &'a Key) -> Self {
        Self { method, key: Some(key), ..Self::of_bucket(operation) }
    }

    /// With a parameter, if it has a value.
    pub(crate) fn query(
        mut self,
        name: &'static str,
        value: impl Into<Option<Cow<'a, str>>>,
    ) -> Self {
        self.query.extend(value.into().map(|value| (name, value)));
        self
    }

    /// With a header, if it has a value.
    ///
    /// # Errors
    /// `InvalidInput` for a value that a header cannot carry.
    pub(crate) fn header(mut self, name: &'static str, value: Option<&str>) -> Result<Self> {
        let Some(value) = value else { return Ok(self) };
        let value = HeaderValue::try_from(value).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, self.operation, self.subject().unwrap_or_default())
                .with_message(format!("the value of `{name}` is none that a header can carry"))
        })?;
        self.headers.push((HeaderName::from_static(name), value));
        Ok(self)
    }

    /// The object's name, safe to show.
    pub(crate) fn subject(&self) -> Option<String> {
        self.key.map(Key::to_string)
    }

    /// The HTTP request, signed if somebody signs.
    ///
    /// # Errors
    /// `InvalidKey` for a key that is not text, `InvalidInput` for keys that a header cannot carry.
    pub(crate) fn assemble(
        &self,
        endpoint: &Endpoint,
        signing: Option<Signing<'_>>,
    ) -> Result<Request<Full<Bytes>>> {
        let key = self.key.map_or(Ok(""), Key::to_str)?;
        let path = format!("{}/{}", endpoint.path, encode::path(key));
        let query = self.query_text();
        let mark = if query.is_empty() { "" } else { "?" };
        let uri = [&endpoint.base, &path, mark, &query].concat();
        let mut request = Request::builder().method(&self.method).uri(uri);
        let headers = request.headers_mut();
        if let Some(headers) = headers {
            headers.extend(self.headers.iter().cloned());
            // Some servers compress for the way what was stored plain.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            headers.insert(USER_AGENT, AGENT);
            if let Some(signing) = signing {
                headers.extend(self.signature(endpoint, &path, &query, &signing)?);
            }
        }
        request.body(Full::default()).map_err(|cause| {
            Error::new(ErrorKind::InvalidKey, self.operation, self.subject().unwrap_or_default())
                .with_message("no URL can be made of it")
                .with_source(cause)
        })
    }

    /// Sorted, as a signature wants it.
    fn query_text(&self) -> String {
        let mut pairs: Vec<_> = self.query.iter().collect();
        pairs.sort_unstable();
        let mut text = String::new();
        for (name, value) in pairs {
            let mark = if text.is_empty() { "" } else { "&" };
            text.extend([mark, name, "="]);
            text.extend(encode::query(value));
        }
        text
    }

    /// The headers that sign, over themselves and all that we send on purpose.
    fn signature(
        &self,
        endpoint: &Endpoint,
        path: &str,
        query: &str,
        signing: &Signing<'_>,
    ) -> Result<Vec<(HeaderName, HeaderValue)>> {
        let token_name =
            if endpoint.session { "x-amz-s3session-token" } else { "x-amz-security-token" };
        let token = signing.keys.token.as_ref().map(|token| (token_name, token.expose()));
        let mut signed: Vec<(&str, &str)> = vec![
            ("host", &endpoint.host),
            ("x-amz-content-sha256", EMPTY_SHA256),
            ("x-amz-date", signing.timestamp),
        ];
        signed.extend(token);
        let region_set = endpoint.scope.region_set();
        signed.extend(region_set.map(|set| ("x-amz-region-set", set)));
        let own = self.headers.iter();
        signed.extend(own.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default())));
        signed.sort_unstable();
        let request = Unsigned { method: self.method.as_str(), path, query, headers: &signed };
        let authorization = signing.signer.authorization(&request, signing.timestamp)?;
        let mut headers = vec![
            (AUTHORIZATION, secret(authorization.as_str())?),
            (
                HeaderName::from_static("x-amz-content-sha256"),
                HeaderValue::from_static(EMPTY_SHA256),
            ),
            (HeaderName::from_static("x-amz-date"), secret(signing.timestamp)?),
        ];
        if let Some((name, value)) = token {
            headers.push((HeaderName::from_static(name), secret(value)?));
        }
        if let Some(set) = region_set {
            headers.push((HeaderName::from_static("x-amz-region-set"), secret(set)?));
        }
        Ok(headers)
    }
}

/// A value that no debugging output shows.
fn secret(value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "sign with", "the access key")
            .with_message("it holds characters that a header cannot carry")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mlfetch_store::Secret;

    use super::*;
    use crate::sign::Scope;

    fn endpoint(path: &str) -> Endpoint {
        Endpoint {
            base: "http://h:9000".to_owned(),
            host: "h:9000".to_owned(),
            path: path.to_owned(),
            scope: Scope::Region("us-east-1".to_owned()),
            service: "s3".to_owned(),
            session: false,
        }
    }

    fn uri(path: &str, key: &str) -> String {
        let key = Key::from(key);
        let call = Call::of_object("read", Method::GET, &key);
        call.assemble(&endpoint(path), None).expect("a request").uri().to_string()
    }

    #[test]
    fn a_key_stands_exactly_in_the_url() {
        for (key, expected) in [
            ("a b+%41", "http://h:9000/b/a%20b%2B%2541"),
            ("/a//b/", "http://h:9000/b//a//b/"),
            ("a/../b/.", "http://h:9000/b/a/../b/."),
            ("a?b#c", "http://h:9000/b/a%3Fb%23c"),
            ("🦀\u{1}", "http://h:9000/b/%F0%9F%A6%80%01"),
        ] {
            assert_eq!(uri("/b", key), expected);
        }
        assert_eq!(uri("", "//a"), "http://h:9000///a");
    }

    #[test]
    fn parameters_are_sorted_and_escaped_and_left_out_without_a_value() {
        let call = Call::of_bucket("list")
            .query("prefix", Cow::from("a b/"))
            .query("list-type", Cow::from("2"))
            .query("continuation-token", None);
        let request = call.assemble(&endpoint("/b"), None).expect("a request");
        assert_eq!(request.uri(), "http://h:9000/b/?list-type=2&prefix=a%20b%2F");
    }

    #[test]
    fn a_signature_covers_what_is_sent_and_is_not_shown() {
        let mut keys = Keys::of("id", "secret");
        keys.token = Some(Secret::new("the-token"));
        let keys = Arc::new(keys);
        let signer = Signer::new(Arc::clone(&keys), "20130524", &endpoint("").scope, "s3");
        let signer = signer.expect("a signer");
        let signing = Signing { signer: &signer, keys: &keys, timestamp: "20130524T000000Z" };
        let key = Key::from("a");
        let call = Call::of_object("read", Method::GET, &key);
        let call = call.header("range", Some("bytes=0-1")).expect("a header");
        let request = call.assemble(&endpoint("/b"), Some(signing)).expect("a request");
        let value = request.headers()[AUTHORIZATION].to_str().expect("text");
        let names = "host;range;x-amz-content-sha256;x-amz-date;x-amz-security-token";
        assert!(value.contains(&format!("SignedHeaders={names}, ")), "{value}");
        let shown = format!("{request:?}");
        assert!(!shown.contains("the-token") && !shown.contains("Signature="), "{shown}");
    }

    #[test]
    fn the_regions_of_a_multi_region_access_point_are_sent_and_signed() {
        let keys = Arc::new(Keys::of("id", "secret"));
        let endpoint = Endpoint { scope: Scope::Regions("*".to_owned()), ..endpoint("") };
        let signer = Signer::new(Arc::clone(&keys), "20130524", &endpoint.scope, "s3");
        let signer = signer.expect("a signer");
        let signing = Signing { signer: &signer, keys: &keys, timestamp: "20130524T000000Z" };
        let call = Call::of_bucket("list");
        let request = call.assemble(&endpoint, Some(signing)).expect("a request");
        assert_eq!(request.headers()["x-amz-region-set"], "*");
        let value = request.headers()[AUTHORIZATION].to_str().expect("text");
        assert!(value.starts_with("AWS4-ECDSA-P256-SHA256 "), "{value}");
        assert!(value.contains(";x-amz-date;x-amz-region-set, "), "{value}");
    }

    #[test]
    fn a_key_that_is_not_text_is_refused_by_name() {
        let key = Key::new(b"a\xff".to_vec());
        let call = Call::of_object("read", Method::GET, &key);
        let error = call.assemble(&endpoint("/b"), None).expect_err("not text");
        assert_eq!(error.kind(), ErrorKind::InvalidKey);
        assert!(error.to_string().contains("a\\xff"), "{error}");
    }
}
