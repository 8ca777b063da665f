//! Who is asking: Google's application default credentials, found by their own rules, or nobody.

mod adc;
mod file;

use std::error::Error as StdError;
use std::sync::{Arc, PoisonError, RwLock};

use google_cloud_auth::credentials::{CacheableResource, Credentials, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use mlfetch_http::Credential;
use mlfetch_http::header::HeaderValue;
use mlfetch_store::{Error, ErrorKind, Result, Retry, SafeText, Secret};

use crate::GcsConfig;
use crate::sign::Token;

/// Somebody, or nobody and why.
#[derive(Debug)]
pub(crate) enum Identity {
    /// No credential is sent.
    Nobody {
        /// Where credentials were looked for; `None` if somebody chose to have none.
        looked: Option<String>,
    },
    /// A token is sent.
    Somebody(Box<Somebody>),
}

/// Credentials, and the token that they gave last.
pub(crate) struct Somebody {
    credentials: Credentials,
    /// What no message may hold: the secrets of the file.
    secrets: Vec<Secret>,
    name: Option<String>,
    quota_project: Option<HeaderValue>,
    current: RwLock<Option<(EntityTag, Credential)>>,
}

impl Identity {
    /// Finds out who is asking, as `config` says. `given` are credentials that the embedding program
    /// brought.
    ///
    /// # Errors
    /// `InvalidInput` for a file that cannot be read or holds no credentials.
    pub(crate) async fn find(config: &GcsConfig, given: Option<&Credentials>) -> Result<Self> {
        if config.is_nobody() {
            return Ok(Self::Nobody { looked: None });
        }
        let found = match given {
            Some(credentials) => adc::Found::of(credentials.clone()),
            None => adc::find(config).await?,
        };
        match found {
            adc::Found::Nothing { looked } => Ok(Self::Nobody { looked: Some(looked) }),
            adc::Found::Credentials { credentials, secrets, name } => {
                let project = config.quota_project.as_deref();
                let quota_project = project.map(HeaderValue::try_from).transpose();
                let quota_project = quota_project.map_err(|_| {
                    Error::new(ErrorKind::InvalidInput, "use the option", "gcs-quota-project")
                        .with_message("it holds characters that a header cannot carry")
                })?;
                let current = RwLock::default();
                let somebody = Somebody { credentials, secrets, name, quota_project, current };
                Ok(Self::Somebody(Box::new(somebody)))
            }
        }
    }

    /// Whose credentials they are, if they say so.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Nobody { .. } => None,
            Self::Somebody(somebody) => somebody.name.as_deref(),
        }
    }

    /// What to send with a request. It is renewed by Google's library before it expires.
    ///
    /// # Errors
    /// `Unauthenticated` if no token can be had, `Unavailable` if one may be had later.
    pub(crate) async fn credential(&self) -> Result<Option<Credential>> {
        match self {
            Self::Nobody { .. } => Ok(None),
            Self::Somebody(somebody) => somebody.credential().await.map(Some),
        }
    }
}

impl Somebody {
    async fn credential(&self) -> Result<Credential> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut known = http::Extensions::new();
        if let Some((tag, _)) = &current {
            known.insert(tag.clone());
        }
        let answer =
            self.credentials.headers(known).await.map_err(|cause| self.no_token(&cause))?;
        match (answer, current) {
            (CacheableResource::NotModified, Some((_, credential))) => Ok(credential),
            (CacheableResource::NotModified, None) => Err(no_token("no token was given")),
            (CacheableResource::New { entity_tag, data }, _) => {
                let token = Token::new(&data, self.quota_project.as_ref());
                let credential = Credential::Signed(Arc::new(token));
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = Some((entity_tag, credential.clone()));
                Ok(credential)
            }
        }
    }

    /// The library's words, without what the file keeps secret. They are the cause's own, which is
    /// not passed on because its text may hold what a token server echoed.
    fn no_token(&self, cause: &CredentialsError) -> Error {
        let text = SafeText::new(chain(cause).as_bytes(), self.secrets.iter().map(Secret::expose));
        let text = text.as_str();
        if cause.is_transient() {
            return Error::new(ErrorKind::Unavailable, "get", "a token of Google's")
                .with_message(format!("whoever gives tokens cannot answer now: {text}"))
                .with_retry(Retry::Later);
        }
        no_token(text)
    }
}

fn no_token(words: &str) -> Error {
    let clock = words.contains("invalid_grant") && words.contains("iat");
    let hint = if clock {
        "set the clock of this machine: the token's times are not accepted"
    } else {
        "check the credentials, or sign in again (`gcloud auth application-default login`)"
    };
    Error::new(ErrorKind::Unauthenticated, "get", "a token of Google's")
        .with_message(format!("the credentials give no token: {words}"))
        .with_hint(hint)
}

/// An error and its causes, each once.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}

/// Without the library's own text, which may show what it likes.
impl std::fmt::Debug for Somebody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Somebody")
    }
}
