//! One request.

use std::fmt;

use bytes::Bytes;
use mlfetch_store::escape;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::{Credential, Redirects};

/// One request, and what to call it when it fails.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Where to. User and password in it are ignored: give a [`Credential`].
    pub url: Url,
    /// Headers besides the credential's.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Who is asking.
    pub credential: Option<Credential>,
    /// Where a redirect may lead.
    pub redirects: Redirects,
    /// The verb for errors: `list`, `read`.
    pub operation: &'static str,
    /// The thing for errors, safe to show. Empty for the URL without user and query, which is made
    /// when it is sent: most are [`named`](Self::named).
    pub subject: String,
}

impl HttpRequest {
    /// A request; until told otherwise its subject is the URL without user and query.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            credential: None,
            redirects: Redirects::default(),
            operation: "ask",
            subject: String::new(),
        }
    }

    /// A `GET`.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// With a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// With who is asking.
    #[must_use]
    pub fn with_credential(mut self, credential: impl Into<Option<Credential>>) -> Self {
        self.credential = credential.into();
        self
    }

    /// With a rule for redirects.
    #[must_use]
    pub fn with_redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    /// With what to call it when it fails; `subject` must be safe to show.
    #[must_use]
    pub fn named(mut self, operation: &'static str, subject: impl Into<String>) -> Self {
        self.operation = operation;
        self.subject = subject.into();
        self
    }
}

/// Without what may be secret: headers, body, and the URL's user and query.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &display_url(&self.url))
            .field("redirects", &self.redirects)
            .finish_non_exhaustive()
    }
}

/// A URL without user, password, query and fragment.
pub(super) fn display_url(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only for URLs without a host, which have neither.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    escape(shown.as_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_signature() {
        let url = Url::parse("https://u:s3cret@h/x?sig=s3cret").expect("a URL");
        let request = HttpRequest::get(url).with_body("s3cret");
        assert!(!format!("{request:?}").contains("s3cret"));
    }
}
