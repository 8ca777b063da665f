//! A question as an HTTP request: pure, but for the time, which is passed in.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use mlfetch_http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use mlfetch_http::{HttpRequest, Method, Redirects, Url};
use mlfetch_store::{Error, ErrorKind, Key, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::endpoint::Endpoint;
use crate::sas::Sas;
use crate::sign::{SharedKey, Unsigned};

/// The version of the service that is spoken. It is the first in which names come escaped that XML
/// cannot hold, and versions and hierarchical namespaces are in listings; later ones add nothing that
/// is read here.
const API_VERSION: &str = "2023-11-03";

/// All but RFC 3986's unreserved characters. `/` too: it keeps `a//b`, `..` and a leading `/` whole
/// on the way, and the service decodes it, as it does for Microsoft's own libraries.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One question.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    method: Method,
    key: Option<&'a Key>,
    query: Vec<(&'static str, Cow<'a, str>)>,
    headers: Vec<(&'static str, String)>,
}

/// Who asks, as far as it changes the request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signing<'a> {
    Key(&'a SharedKey),
    Sas(&'a Sas),
    /// A token, which the client adds, or nobody.
    None,
}

impl<'a> Call<'a> {
    /// About the container itself.
    pub(crate) fn of_container(operation: &'static str) -> Self {
        Self { operation, method: Method::GET, key: None, query: Vec::new(), headers: Vec::new() }
            .query("restype", Some("container".into()))
    }

    /// About one blob.
    pub(crate) fn of_blob(operation: &'static str, method: Method, key: &'a Key) -> Self {
        let (query, headers) = (Vec::new(), Vec::new());
        Self { operation, method, key: Some(key), query, headers }
    }

    /// With one more parameter, if there is one.
    pub(crate) fn query(mut self, name: &'static str, value: Option<Cow<'a, str>>) -> Self {
        self.query.extend(value.map(|value| (name, value)));
        self
    }

    /// With one more header, if there is one.
    pub(crate) fn header(mut self, name: &'static str, value: Option<String>) -> Self {
        self.headers.extend(value.map(|value| (name, value)));
        self
    }

    /// What it is called when it fails.
    pub(crate) fn subject(&self, root: &str) -> String {
        self.key.map_or_else(|| root.to_owned(), Key::to_string)
    }

    /// The request, signed for this moment: `Tue, 24 Nov 2026 12:00:00 GMT`. Who sends it names it.
    ///
    /// # Errors
    /// `InvalidKey` for a name that a URL cannot carry, `InvalidInput` for a tag or version that a
    /// header cannot.
    pub(crate) fn assemble(
        &self,
        endpoint: &Endpoint,
        container: &str,
        signing: Signing<'_>,
        date: &str,
    ) -> Result<HttpRequest> {
        let url = self.url(endpoint, container, signing)?;
        let mut headers = self.headers.clone();
        headers.push(("x-ms-version", API_VERSION.to_owned()));
        headers.push(("x-ms-date", date.to_owned()));
        let authorization = match signing {
            Signing::Key(key) => Some(self.authorization(key, &url, &headers)),
            Signing::Sas(_) | Signing::None => None,
        };
        let mut request =
            HttpRequest::new(self.method.clone(), url).with_redirects(Redirects::Never);
        for (name, value) in &headers {
            request = request.with_header(HeaderName::from_static(name), self.value(value)?);
        }
        if let Some(text) = authorization {
            let mut value = self.value(&text)?;
            value.set_sensitive(true);
            request = request.with_header(AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn url(&self, endpoint: &Endpoint, container: &str, signing: Signing<'_>) -> Result<Url> {
        let mut text = format!("{}/{}", endpoint.base, escaped(container));
        if let Some(key) = self.key {
            let _ = write!(text, "/{}", escaped(name_of(self.operation, key)?));
        }
        let path_end = text.len();
        let own = self.query.iter().map(|(name, value)| (*name, value.as_ref()));
        let of_sas = match signing {
            Signing::Sas(sas) => Some(sas.pairs()),
            Signing::Key(_) | Signing::None => None,
        };
        for (index, (name, value)) in own.chain(of_sas.into_iter().flatten()).enumerate() {
            let divider = if index == 0 { '?' } else { '&' };
            let _ = write!(text, "{divider}{name}={}", escaped(value));
        }
        let url = Url::parse(&text).ok().filter(|url| text[..path_end].ends_with(url.path()));
        url.ok_or_else(|| {
            Error::new(ErrorKind::InvalidKey, self.operation, self.subject(container))
                .with_message("a URL cannot carry this name")
        })
    }

    fn authorization(&self, key: &SharedKey, url: &Url, headers: &[(&str, String)]) -> String {
        let query: Vec<_> =
            self.query.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (method, path) = (self.method.as_str(), url.path());
        key.authorization(&Unsigned { method, path, query: &query, headers: &headers })
    }

    fn value(&self, text: &str) -> Result<HeaderValue> {
        HeaderValue::try_from(text).map_err(|cause| {
            Error::new(ErrorKind::InvalidInput, self.operation, self.subject(""))
                .with_message("the entity tag holds characters that a header cannot carry")
                .with_source(cause)
        })
    }
}

/// The service takes `\` for `/`: it would answer with another blob.
fn name_of<'a>(operation: &'static str, key: &'a Key) -> Result<&'a str> {
    let name = key.to_str()?;
    if name.contains('\\') {
        return Err(Error::new(ErrorKind::InvalidKey, operation, key.to_string())
            .with_message("Azure takes `\\` for `/`, so no blob has this name"));
    }
    Ok(name)
}

fn escaped(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, ESCAPED)
}

#[cfg(test)]
mod tests {
    use mlfetch_store::Secret;

    use super::*;

    const DATE: &str = "Tue, 24 Nov 2026 12:00:00 GMT";

    fn endpoint() -> Endpoint {
        let base = "https://acc.blob.core.windows.net".to_owned();
        Endpoint { base, account: Some("acc".to_owned()), cloud: Some("core.windows.net") }
    }

    fn url_of(key: &str) -> Result<String> {
        let key = Key::from(key);
        let call = Call::of_blob("read", Method::GET, &key);
        let request = call.assemble(&endpoint(), "c", Signing::None, DATE)?;
        Ok(request.url.to_string())
    }

    #[test]
    fn a_key_is_one_escaped_segment() {
        for (key, escaped) in [
            ("a b+c", "a%20b%2Bc"),
            ("%41", "%2541"),
            ("a//b/../c/.", "a%2F%2Fb%2F..%2Fc%2F."),
            ("/a/", "%2Fa%2F"),
            ("größe", "gr%C3%B6%C3%9Fe"),
            ("a\u{1}?#&='", "a%01%3F%23%26%3D%27"),
            ("~-_.", "~-_."),
        ] {
            let expected = format!("https://acc.blob.core.windows.net/c/{escaped}");
            assert_eq!(url_of(key).expect("a URL"), expected, "{key}");
        }
    }

    #[test]
    fn a_name_that_would_be_another_is_refused() {
        for key in [".", "..", "a\\b", "\\"] {
            let error = url_of(key).expect_err(key);
            assert_eq!(error.kind(), ErrorKind::InvalidKey, "{key}");
            assert!(error.to_string().contains(&Key::from(key).to_string()), "{error}");
        }
    }

    #[test]
    fn a_key_signs_what_is_sent_and_no_header_shows_it() {
        let signer = SharedKey::new("acc", Secret::new("a2V5")).expect("a key");
        let call = Call::of_container("list").query("prefix", Some("a b".into()));
        let request = call.assemble(&endpoint(), "c", Signing::Key(&signer), DATE);
        let request = request.expect("a request");
        assert_eq!(request.url.query(), Some("restype=container&prefix=a%20b"));
        let value = &request.headers[AUTHORIZATION];
        assert!(value.is_sensitive());
        let expected = signer.authorization(&Unsigned {
            method: "GET",
            path: "/c",
            query: &[("prefix", "a b"), ("restype", "container")],
            headers: &[("x-ms-date", DATE), ("x-ms-version", API_VERSION)],
        });
        assert_eq!(value.to_str().expect("text"), expected);
        assert_eq!(request.redirects, Redirects::Never);
    }

    #[test]
    fn a_signature_of_a_uri_is_escaped_once() {
        let sas = Sas::parse("sv=1&sp=r&sig=a%2Bb%3D").expect("a signature");
        let key = Key::from("a");
        let call = Call::of_blob("read", Method::GET, &key).query("snapshot", Some("t:0".into()));
        let request = call.assemble(&endpoint(), "c", Signing::Sas(&sas), DATE).expect("a request");
        assert_eq!(request.url.query(), Some("snapshot=t%3A0&sv=1&sp=r&sig=a%2Bb%3D"));
        assert!(!request.headers.contains_key(AUTHORIZATION));
        assert!(!format!("{request:?}").contains("sig"));
    }

    #[test]
    fn a_tag_with_a_line_break_is_refused() {
        let key = Key::from("a");
        let call = Call::of_blob("read", Method::GET, &key);
        let call = call.header("if-match", Some("\"a\nb\"".to_owned()));
        let error = call.assemble(&endpoint(), "c", Signing::None, DATE).expect_err("no header");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
