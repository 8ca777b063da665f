//! What says who is asking, on its way into a request.

use std::fmt;

use mlfetch_http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use mlfetch_http::{Method, Sign, Url};
use mlfetch_store::{Result, Secret};

/// The project whose quota a request counts against.
pub(crate) const QUOTA_PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");

/// The headers that Google's library gives: a token, and the project whose quota counts.
#[derive(Clone)]
pub(crate) struct Token {
    headers: HeaderMap,
    secrets: Vec<Secret>,
}

impl Token {
    /// Those of somebody's credentials, with another quota project if one is given.
    pub(crate) fn new(given: &HeaderMap, quota_project: Option<&HeaderValue>) -> Self {
        let mut headers = given.clone();
        if let Some(project) = quota_project {
            headers.insert(QUOTA_PROJECT, project.clone());
        }
        let token = headers.get_mut(AUTHORIZATION).and_then(|value| {
            value.set_sensitive(true);
            // `Bearer token`: a server may echo the token alone.
            let token = value.to_str().ok()?.split_whitespace().last()?;
            Some(Secret::new(token))
        });
        Self { headers, secrets: token.into_iter().collect() }
    }
}

impl Sign for Token {
    fn sign(&self, _: &Method, _: &Url, _: &[u8]) -> Result<HeaderMap> {
        Ok(self.headers.clone())
    }

    fn secrets(&self) -> Vec<Secret> {
        self.secrets.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_and_not_shown() {
        let given = HeaderMap::from_iter([
            (AUTHORIZATION, HeaderValue::from_static("Bearer s3cret-token")),
            (QUOTA_PROJECT, HeaderValue::from_static("of-the-credentials")),
        ]);
        let project = HeaderValue::from_static("mine");
        let token = Token::new(&given, Some(&project));
        let url = Url::parse("https://h/").expect("a URL");
        let headers = token.sign(&Method::GET, &url, b"").expect("headers");
        assert_eq!(headers[AUTHORIZATION], "Bearer s3cret-token");
        assert_eq!(headers[QUOTA_PROJECT], "mine");
        assert_eq!(token.secrets()[0].expose(), "s3cret-token");
        assert!(!format!("{token:?} {headers:?}").contains("s3cret-token"));
    }
}
