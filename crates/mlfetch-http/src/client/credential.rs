//! Who is asking.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_store::{Error, ErrorKind, Result, Secret};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, Url};

/// Computes headers that sign a request: `SigV4` and its like.
pub trait Sign: fmt::Debug + Send + Sync {
    /// The headers to add. `body` is empty for requests without one.
    ///
    /// # Errors
    /// When there is no key to sign with.
    fn sign(&self, method: &Method, url: &Url, body: &[u8]) -> Result<HeaderMap>;

    /// The secrets that may be echoed by a server and must not be shown.
    fn secrets(&self) -> Vec<Secret> {
        Vec::new()
    }
}

/// Who is asking. It is sent to the origin of the request's URL and to no other.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credential {
    /// User and password (RFC 7617).
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token (RFC 6750).
    Bearer(Secret),
    /// A signature over each request.
    Signed(Arc<dyn Sign>),
}

impl Credential {
    /// The user, where the credential names one.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Basic { username, .. } => Some(username),
            Self::Bearer(_) | Self::Signed(_) => None,
        }
    }

    /// The headers that carry it.
    pub(super) fn headers(&self, method: &Method, url: &Url, body: &[u8]) -> Result<HeaderMap> {
        let value = match self {
            Self::Basic { username, password } => {
                let pair = format!("{username}:{}", password.expose());
                format!("Basic {}", STANDARD.encode(pair))
            }
            Self::Bearer(token) => format!("Bearer {}", token.expose()),
            Self::Signed(signer) => return signer.sign(method, url, body),
        };
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, "use", "the credential")
                .with_message("it holds characters that a header cannot carry")
                .with_hint("look for a line break at the end of the token or password")
        })?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
    }

    /// What a server might echo and nobody may see.
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Basic { username, password } => {
                let pair = format!("{username}:{}", password.expose());
                vec![password.clone(), Secret::new(STANDARD.encode(pair))]
            }
            Self::Bearer(token) => vec![token.clone()],
            Self::Signed(signer) => signer.secrets(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_a_token_is_an_error_without_the_token() {
        let url = Url::parse("http://h/").expect("a URL");
        let credential = Credential::Bearer(Secret::new("tok\nen"));
        let error = credential.headers(&Method::GET, &url, b"").expect_err("not a header");
        assert!(!format!("{error:?}").contains("tok"));
    }
}
